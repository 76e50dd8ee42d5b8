//! What can be held equal.

use subquad_config::Run;
use subquad_mixer::Mixers;

use super::BudgetOptions;
use crate::config::RunConfig;
use crate::model::{flops_per_step, model, state_floats};

/// A quantity of a run that is known before it trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    Parameters,
    StateFloats,
    Flops,
}

impl Quantity {
    pub(super) const ALL: [Self; 3] = [Self::Parameters, Self::StateFloats, Self::Flops];

    /// In words.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Parameters => "parameters",
            Self::StateFloats => "state floats",
            Self::Flops => "FLOPs",
        }
    }

    /// The key with its budget.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Parameters => "budget.parameters",
            Self::StateFloats => "budget.state_floats",
            Self::Flops => "budget.flops",
        }
    }

    pub(super) fn target(self, options: &BudgetOptions) -> Option<usize> {
        match self {
            Self::Parameters => options.parameters,
            Self::StateFloats => options.state_floats,
            Self::Flops => options.flops,
        }
    }

    /// What a run has of it, without training; `None` if a mixer does not say, or has no state.
    pub(super) fn of<C: Mixers>(self, run: &Run) -> Option<f64> {
        let config = RunConfig::of(run);
        match self {
            Self::Parameters => Some(model::<C>(run, &config).n_parameters() as f64),
            Self::StateFloats => state_floats::<C>(run, &config).map(|floats| floats as f64),
            Self::Flops => flops_per_step::<C>(run, &config),
        }
    }
}
