//! Other initial values for dense layers and tables, wherever in a model they are.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Distribution, Tensor};

/// The standard deviation of BERT and GPT-2.
const DEVIATION: f64 = 0.02;
/// burn's names of the modules that get new values.
const DENSE: [&str; 2] = ["Struct:Linear", "Struct:Embedding"];

/// `model` with the weights of burn's linear layers and tables drawn from N(0, 0.02) and with biases of 0.
pub(crate) fn normal<M: Module>(model: M) -> M {
    model.map(&mut Normal::default())
}

/// Tracks the module and the field of the current parameter.
#[derive(Default)]
struct Normal {
    path: Vec<(String, bool)>,
}

impl ModuleMapper for Normal {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.push((name.into(), DENSE.contains(&container)));
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some((field, true)) = self.path.last() else { return param };
        let (shape, device) = (param.lazy_shape(), param.lazy_device());
        let drawn = match field.as_str() {
            "bias" => Tensor::zeros(shape, &device),
            _ => Tensor::random(shape, Distribution::Normal(0.0, DEVIATION), &device),
        };
        let id = param.id;
        param.transform_for_load(drawn, id)
    }
}
