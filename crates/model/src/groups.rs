//! Which parameters are trained differently.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::{Tensor, TensorData};
use subquad_backend::read;
use subquad_mixer::{LearningRate, MixerModule, ParameterGroup, WeightDecay};

use crate::SequenceModel;

/// Groups of the whole model. If two name a parameter, the later one applies: a mixer knows best.
pub(crate) fn parameter_groups<M: MixerModule>(model: &SequenceModel<M>) -> Vec<ParameterGroup> {
    let free = named_parameters(model).into_iter().filter(|p| is_free_of_decay(&p.path)).map(|p| p.id);
    let undecayed = ParameterGroup {
        name: "no_decay",
        parameters: free.collect(),
        learning_rate: LearningRate::Base,
        weight_decay: WeightDecay::Fixed(0.0),
    };
    let of_mixers = model.blocks.iter().flat_map(|block| block.mixer().parameter_groups());
    std::iter::once(undecayed).chain(merge(of_mixers)).collect()
}

/// Biases (`bias`, `short_bias`), norms and embedding tables: decay would only shrink them. A variant of an enum is part of
/// the path.
fn is_free_of_decay(path: &str) -> bool {
    path.ends_with("bias")
        || path.ends_with(".gamma")
        || path.ends_with(".beta")
        || path.starts_with("encoder.Embedding.")
        || path.starts_with("additions.")
}

/// Merges the groups of all blocks that have the same name and rule.
fn merge(groups: impl Iterator<Item = ParameterGroup>) -> Vec<ParameterGroup> {
    let mut merged: Vec<ParameterGroup> = vec![];
    for group in groups {
        let same = |other: &&mut ParameterGroup| {
            (other.name, other.learning_rate, other.weight_decay)
                == (group.name, group.learning_rate, group.weight_decay)
        };
        match merged.iter_mut().find(same) {
            Some(other) => other.parameters.extend(group.parameters),
            None => merged.push(group),
        }
    }
    merged
}

/// A parameter with its path of field names.
#[derive(Debug, Clone)]
pub struct NamedParameter {
    /// Field names from the model down, joined by dots; an enum adds the name of its variant.
    pub path: String,
    /// Its identity, which optimiser states refer to.
    pub id: ParamId,
    /// Its values.
    pub data: TensorData,
}

/// Every parameter in field order. Reads their values, which makes burn draw those that it has not drawn yet.
pub fn named_parameters<M: Module>(model: &M) -> Vec<NamedParameter> {
    let mut visitor = Collect::default();
    model.visit(&mut visitor);
    visitor.found
}

#[derive(Default)]
struct Collect {
    path: Vec<String>,
    found: Vec<NamedParameter>,
}

impl ModuleVisitor for Collect {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.found.push(NamedParameter { path: self.path.join("."), id: param.id, data: read(param.val()) });
    }
}
