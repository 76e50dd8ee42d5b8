//! How the networks and the positional features of filters are trained.

use subquad_mixer::{LearningRate, ParameterGroup, WeightDecay};

use super::ImplicitFilter;

/// Largest learning rates, and the networks' weight decay.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rates {
    pub(crate) learning_rate: f64,
    pub(crate) weight_decay: f64,
    pub(crate) position: f64,
}

impl Rates {
    /// The parameter groups of a layer with these filters.
    pub(crate) fn groups(self, filters: &[&ImplicitFilter]) -> Vec<ParameterGroup> {
        let filter = ParameterGroup {
            name: "filter",
            parameters: filters.iter().flat_map(|filter| filter.network_parameters()).collect(),
            learning_rate: LearningRate::AtMost(self.learning_rate),
            weight_decay: WeightDecay::Fixed(self.weight_decay),
        };
        let position = ParameterGroup {
            name: "position",
            parameters: filters.iter().map(|filter| filter.z.id).collect(),
            learning_rate: LearningRate::AtMost(self.position),
            weight_decay: WeightDecay::Fixed(0.0),
        };
        vec![filter, position]
    }
}
