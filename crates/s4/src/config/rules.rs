//! Which options of a state space go together.

use std::ops::RangeInclusive;

use subquad_options::Refusal;

use super::options::SsmOptions;
use crate::init::Demands;
use crate::{OutputMix, RealTransform};

/// Initial steps for which the formulas hold in f32, in token intervals: a range far beyond any use.
pub(super) const STEPS: RangeInclusive<f64> = 1e-12..=1e6;

/// What shares the sets of A and B.
pub(super) struct Sharers {
    name: &'static str,
    /// The `n_ssm` that gives a set to each of them.
    one_each: &'static str,
    /// The options that say how many sets and sharers there are.
    fields: &'static [&'static str],
}

/// The channels of S4D and S4.
pub(super) const CHANNELS: Sharers =
    Sharers { name: "channels (d_model)", one_each: "\"d_model\"", fields: &["n_ssm", "d_model"] };

/// The heads of H3.
pub(super) const HEADS: Sharers =
    Sharers { name: "heads (d_model / head_dim)", one_each: "0", fields: &["n_ssm", "head_dim", "d_model"] };

impl SsmOptions {
    /// What is wrong with the number of sets of A and B, if the width is right.
    pub(super) fn sharing_refusals(&self, sharers: &Sharers, init: &Demands) -> Vec<Refusal> {
        [self.uneven_sharing(sharers), self.uneven_mixture(sharers, init)].into_iter().flatten().collect()
    }

    /// What else is wrong, regardless of the width.
    pub(super) fn refusals(&self, init: &Demands) -> Vec<Refusal> {
        let rules = [
            self.odd_state(),
            self.crossed_steps(),
            self.unreached_decay(init),
            self.decay_at_floor(init),
            self.narrow_output(),
            self.idle_tie(),
        ];
        rules.into_iter().flatten().collect()
    }

    fn uneven_sharing(&self, Sharers { name, one_each, fields }: &Sharers) -> Option<Refusal> {
        let (n_ssm, rows) = (self.systems(), self.d_model);
        Refusal::when(!rows.is_multiple_of(n_ssm), fields, || {
            format!(
                "n_ssm = {n_ssm} sets of A and B cannot be shared equally by {rows} {name}; choose a divisor of {rows}, or \
                 {one_each} for a set each"
            )
        })
    }

    fn uneven_mixture(&self, sharers: &Sharers, init: &Demands) -> Option<Refusal> {
        let (n_ssm, Demands { word, parts, .. }) = (self.systems(), init);
        Refusal::when(!n_ssm.is_multiple_of(*parts), &[&["init"], sharers.fields].concat(), || {
            format!(
                "init = \"{word}\" mixes {parts} kinds of system in equal numbers, so n_ssm must be a multiple of {parts}; got \
                 {n_ssm}"
            )
        })
    }

    fn odd_state(&self) -> Option<Refusal> {
        let d_state = self.d_state;
        Refusal::when(!d_state.is_multiple_of(2), &["d_state"], || {
            format!("d_state must be even, because states come in conjugate pairs; got {d_state}")
        })
    }

    fn crossed_steps(&self) -> Option<Refusal> {
        let Self { dt_min, dt_max, .. } = *self;
        Refusal::when(dt_min > dt_max, &["dt_min", "dt_max"], || {
            format!("dt_min = {dt_min:?} exceeds dt_max = {dt_max:?}; lower dt_min or raise dt_max")
        })
    }

    fn unreached_decay(&self, Demands { word, decays_fast, .. }: &Demands) -> Option<Refusal> {
        let is_unreached = self.real_transform == RealTransform::Sigmoid && *decays_fast;
        Refusal::when(is_unreached, &["real_transform", "init"], || {
            format!(
                "real_transform = \"sigmoid\" keeps decays below 1, but those of init = \"{word}\" start at 1 or above; choose \
                 exp, softplus or relu"
            )
        })
    }

    /// Decays at relu's floor have no gradient.
    fn decay_at_floor(&self, Demands { word, hardly_decays, .. }: &Demands) -> Option<Refusal> {
        let is_at_floor = self.real_transform == RealTransform::Relu && *hardly_decays;
        Refusal::when(is_at_floor, &["real_transform", "init"], || {
            format!(
                "real_transform = \"relu\" does not train decays of 1e-4 or less, and init = \"{word}\" starts there; choose exp \
                 or softplus"
            )
        })
    }

    fn narrow_output(&self) -> Option<Refusal> {
        let is_narrow = self.channels > 1 && self.output == OutputMix::None;
        Refusal::when(is_narrow, &["channels", "output"], || {
            format!(
                "channels = {} needs an output layer that brings the width back to d_model; choose output = \"glu\" or \
                 \"linear\"",
                self.channels
            )
        })
    }

    fn idle_tie(&self) -> Option<Refusal> {
        let is_idle = !self.tie_dropout && self.dropout == 0.0;
        Refusal::when(is_idle, &["tie_dropout", "activation_dropout"], || {
            "tie_dropout = false does nothing without activation_dropout; leave it at true".to_owned()
        })
    }
}
