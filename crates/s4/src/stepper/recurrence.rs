//! One token through a layer, over slices.

use subquad_backend::floats;
use subquad_backend::pointwise::{Activation, activate_row, glu_row};
use subquad_backend::row_linear::RowLinear;
use subquad_backend::simd;

use super::channels::{Channels, State};
use crate::lines::Lines;
use crate::{OutputMix, SsmLayer, StateSpace};

/// A layer's present weights, laid out for one token at a time. No token changes it.
#[derive(Debug)]
pub(super) struct Recurrence {
    lines: Lines,
    /// `[channels, d_model]`
    d: Vec<f32>,
    activation: Activation,
    mix: OutputMix,
    output: Option<RowLinear>,
}

impl Recurrence {
    pub(super) fn new<S: StateSpace>(layer: &SsmLayer<S>) -> Self {
        Self {
            lines: layer.ssm.lines(),
            d: floats(layer.d.val()),
            activation: layer.rules.activation,
            mix: layer.rules.output,
            output: layer.output.as_ref().map(RowLinear::new),
        }
    }

    pub(super) fn d_model(&self) -> usize {
        self.lines.d_model
    }

    /// Length of each part of a state.
    pub(super) fn state_len(&self) -> usize {
        self.lines.d_model * self.lines.pairs
    }

    /// Length of the scratch space.
    pub(super) fn scratch_len(&self) -> usize {
        2 * self.lines.pairs + self.d.len() + self.output.as_ref().map_or(0, RowLinear::d_output)
    }

    /// One token: `x` and `y` of `[d_model]`, a state of `[d_model, pairs]` each, updated in place. It allocates nothing.
    pub(super) fn step(&self, x: &[f32], [re, im]: [&mut [f32]; 2], scratch: &mut [f32], y: &mut [f32]) {
        let (sum_re, scratch) = scratch.split_at_mut(self.lines.pairs);
        let (sum_im, scratch) = scratch.split_at_mut(self.lines.pairs);
        let (rows, wide) = scratch.split_at_mut(self.d.len());
        simd::dispatch(Channels {
            lines: &self.lines,
            d: &self.d,
            x,
            state: State { re, im },
            sum: State { re: sum_re, im: sum_im },
            rows,
        });
        activate_row(rows, self.activation);
        match (self.mix, &self.output) {
            (OutputMix::Glu, Some(layer)) => {
                layer.apply(rows, wide);
                glu_row(wide, y);
            }
            (OutputMix::Linear, Some(layer)) => layer.apply(rows, y),
            (OutputMix::None, _) | (_, None) => y.copy_from_slice(rows),
        }
    }
}
