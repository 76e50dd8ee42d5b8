//! The parameters of any module, in field order: their values, their gradients, and the same module with others.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Gradients, Tensor, TensorData};

use crate::to_f64;

/// A parameter of a module, or its gradient.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// The fields that lead to it, joined by dots.
    pub path: String,
    /// What optimisers know it by.
    pub id: ParamId,
    /// Its values, or those of its gradient, row-major.
    pub values: Vec<f64>,
}

/// Every parameter. Reading their values makes burn draw those that it has not drawn yet.
pub fn parameters(module: &impl Module) -> Vec<Parameter> {
    collect(module, None)
}

/// The values of all parameters, one after another.
pub fn values(module: &impl Module) -> Vec<f64> {
    parameters(module).into_iter().flat_map(|parameter| parameter.values).collect()
}

/// The gradients of those parameters that have one. burn gives none to a parameter that is frozen, or that the loss does not use.
pub fn gradients(module: &impl Module, gradients: &Gradients) -> Vec<Parameter> {
    collect(module, Some(gradients))
}

/// The gradient of every parameter.
///
/// # Panics
/// If a parameter has none.
pub fn every_gradient(module: &impl Module, gradients: &Gradients) -> Vec<Parameter> {
    let found = collect(module, Some(gradients));
    let paths = |all: &[Parameter]| -> Vec<String> { all.iter().map(|one| one.path.clone()).collect() };
    assert_eq!(paths(&found), paths(&parameters(module)), "every parameter must have a gradient");
    found
}

/// The paths of those parameters whose number is in `ids`.
pub fn paths_of(module: &impl Module, ids: &[ParamId]) -> Vec<String> {
    let all = parameters(module).into_iter();
    all.filter(|parameter| ids.contains(&parameter.id)).map(|parameter| parameter.path).collect()
}

/// The module with the values that `change` returns for each parameter; if it returns `None`, the parameter stays.
///
/// # Panics
/// If it returns another number of values.
pub fn with_changes<M: Module>(module: M, mut change: impl FnMut(Parameter) -> Option<Vec<f64>>) -> M {
    map(module, Change::Values(&mut change))
}

/// The module with `values` as all its parameters, one after another.
///
/// # Panics
/// If there are more values or fewer.
pub fn with_values<M: Module>(module: M, mut values: &[f64]) -> M {
    let module = with_changes(module, |parameter| {
        let (own, rest) = values.split_at(parameter.values.len());
        values = rest;
        Some(own.to_vec())
    });
    assert!(values.is_empty(), "{} values too many", values.len());
    module
}

/// The module with those parameters frozen whose path `is_frozen` says so: they get no gradient.
pub fn with_frozen<M: Module>(module: M, is_frozen: impl Fn(&str) -> bool) -> M {
    map(module, Change::Frozen(&is_frozen))
}

fn collect(module: &impl Module, gradients: Option<&Gradients>) -> Vec<Parameter> {
    let mut collect = Collect { gradients, path: vec![], found: vec![] };
    module.visit(&mut collect);
    collect.found
}

fn map<M: Module>(module: M, change: Change<'_>) -> M {
    module.map(&mut Map { change, path: vec![] })
}

/// Gathers the parameters' gradients, or without gradients their values.
struct Collect<'a> {
    gradients: Option<&'a Gradients>,
    path: Vec<String>,
    found: Vec<Parameter>,
}

impl ModuleVisitor for Collect<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let found = match self.gradients {
            None => Some(param.val()),
            Some(gradients) => param.val().grad(gradients),
        };
        self.found.extend(found.map(|found| parameter(&self.path, param.id, found)));
    }
}

fn parameter<const D: usize>(path: &[String], id: ParamId, value: Tensor<D>) -> Parameter {
    Parameter { path: path.join("."), id, values: to_f64(value) }
}

struct Map<'a> {
    change: Change<'a>,
    path: Vec<String>,
}

enum Change<'a> {
    Values(&'a mut dyn FnMut(Parameter) -> Option<Vec<f64>>),
    Frozen(&'a dyn Fn(&str) -> bool),
}

impl ModuleMapper for Map<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match &mut self.change {
            Change::Values(change) => match change(parameter(&self.path, param.id, param.val())) {
                None => param,
                Some(values) => param.map(|old| like(&old, &values)),
            },
            Change::Frozen(is_frozen) => match is_frozen(&self.path.join(".")) {
                true => param.set_require_grad(false),
                false => param,
            },
        }
    }
}

/// A tensor of `values` that is otherwise as `old`.
fn like<const D: usize>(old: &Tensor<D>, values: &[f64]) -> Tensor<D> {
    let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
    Tensor::from_data(TensorData::new(values, old.dims()), &old.device())
}

#[cfg(test)]
mod tests {
    use burn::nn::{Linear, LinearConfig};

    use super::*;
    use crate::cpu;

    fn layer() -> Linear {
        with_values(LinearConfig::new(2, 1).init(&cpu()), &[1.0, 2.0, 3.0])
    }

    #[test]
    fn parameters_are_read_and_replaced_in_field_order() {
        let found = parameters(&layer());
        let found: Vec<_> = found.iter().map(|one| (one.path.as_str(), one.values.as_slice())).collect();
        assert_eq!(found, [("weight", &[1.0, 2.0][..]), ("bias", &[3.0][..])]);
        let changed = with_changes(layer(), |one| (one.path == "bias").then(|| vec![5.0]));
        assert_eq!(values(&changed), [1.0, 2.0, 5.0]);
        assert_eq!(paths_of(&changed, &[changed.weight.id]), ["weight"]);
    }

    #[test]
    fn what_is_frozen_has_no_gradient() {
        let layer = with_frozen(layer().train(), |path| path == "bias");
        let x = Tensor::<2>::from_data([[4.0, 6.0]], &cpu().autodiff());
        let found = gradients(&layer, &layer.forward(x).sum().backward());
        let [weight] = &found[..] else { panic!("one gradient, got {found:?}") };
        assert_eq!((weight.path.as_str(), weight.values.as_slice()), ("weight", &[4.0, 6.0][..]));
    }

    #[test]
    #[should_panic(expected = "1 values too many")]
    fn too_many_values_are_refused() {
        with_values(layer(), &[0.0; 4]);
    }
}
