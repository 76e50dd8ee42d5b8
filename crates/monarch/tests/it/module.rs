//! Reading a module: its parameters and their gradients, by path, in field order.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Device, Gradients, Tensor, TensorData};
use subquad_testkit::{to_f64, with_seed};

/// A module whose parameters are all drawn, always the same.
pub(crate) fn seeded_module<M: Module>(build: impl FnOnce(&Device) -> M) -> M {
    let device = Device::flex();
    with_seed(&device, 11, || {
        let module = build(&device);
        parameters(&module);
        module
    })
}

pub(crate) fn parameters(module: &impl Module) -> Vec<f64> {
    visit(module, None).into_iter().flat_map(|found| found.values).collect()
}

/// The module with other values of its parameters, in field order.
///
/// # Panics
/// If there are more or fewer.
pub(crate) fn with_parameters<M: Module>(module: M, values: &[f64]) -> M {
    let mut mapper = Replace(values);
    let module = module.map(&mut mapper);
    assert!(mapper.0.is_empty(), "{} values too many", mapper.0.len());
    module
}

struct Replace<'a>(&'a [f64]);

impl ModuleMapper for Replace<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let shape = param.val().shape();
        let (values, rest) = self.0.split_at(shape.num_elements());
        self.0 = rest;
        let values: Vec<f32> = values.iter().map(|v| *v as f32).collect();
        param.map(|old| Tensor::from_data(TensorData::new(values, shape), &old.device()))
    }
}

/// # Panics
/// If a parameter has none.
pub(crate) fn gradients(module: &impl Module, grads: &Gradients) -> Vec<Found> {
    visit(module, Some(grads))
}

/// Of a module whose frozen parameters have none.
pub(crate) fn gradients_of_the_rest(module: &impl Module, grads: &Gradients) -> Vec<Found> {
    let mut visitor = Visitor { grads: Some(grads), frozen: true, path: vec![], found: vec![] };
    module.visit(&mut visitor);
    visitor.found
}

pub(crate) fn paths(module: &impl Module, ids: &[ParamId]) -> Vec<String> {
    visit(module, None).into_iter().filter(|found| ids.contains(&found.id)).map(|found| found.path).collect()
}

pub(crate) struct Found {
    pub(crate) path: String,
    pub(crate) id: ParamId,
    pub(crate) values: Vec<f64>,
}

fn visit(module: &impl Module, grads: Option<&Gradients>) -> Vec<Found> {
    let mut visitor = Visitor { grads, frozen: false, path: vec![], found: vec![] };
    module.visit(&mut visitor);
    visitor.found
}

struct Visitor<'a> {
    grads: Option<&'a Gradients>,
    /// Whether parameters may have none.
    frozen: bool,
    path: Vec<String>,
    found: Vec<Found>,
}

impl ModuleVisitor for Visitor<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        let values = match self.grads {
            None => value,
            Some(grads) => match value.grad(grads) {
                Some(grad) => grad,
                None if self.frozen => return,
                None => panic!("no gradient of {}", self.path.join(".")),
            },
        };
        self.found.push(Found { path: self.path.join("."), id: param.id, values: to_f64(values) });
    }
}
