//! What surrounds a Monarch matrix along the sequence, token by token: see [`Gates`](crate::sequence::Gates).

use burn::tensor::Tensor;
use subquad_backend::row_linear::RowLinear;
use subquad_backend::simd::{self, Lockstep};

use super::short::{ShortPast, ShortTaps};
use crate::gate::{V, X1, X2};

/// Projections and short convolution. No token changes them.
#[derive(Debug)]
pub(crate) struct RowGates {
    pub(crate) in_linear: RowLinear,
    pub(crate) short: ShortTaps,
    pub(crate) out_linear: RowLinear,
}

/// What they remember, and scratch space.
#[derive(Debug, Clone)]
pub(super) struct GateState {
    pub(super) past: ShortPast,
    /// `[3 d_model]`
    projected: Vec<f32>,
    /// `[3 d_model]`
    parts: Vec<f32>,
    /// What the matrix reads: `[d_model]`.
    gated: Vec<f32>,
    /// What it writes: `[d_model]`.
    mixed: Vec<f32>,
}

impl GateState {
    pub(super) fn of_state(gates: &RowGates, projected: Tensor<3>) -> Self {
        let width = gates.short.channels();
        Self {
            past: ShortPast::of_state(&gates.short, projected),
            projected: vec![0.0; width],
            parts: vec![0.0; width],
            gated: vec![0.0; width / 3],
            mixed: vec![0.0; width / 3],
        }
    }

    /// One token, `[d_model]`, with `mix` between the gates.
    pub(super) fn step(
        &mut self,
        gates: &RowGates,
        x: &[f32],
        y: &mut [f32],
        mix: impl FnOnce(&[f32], &mut [f32]),
    ) {
        let Self { past, projected, parts, gated, mixed } = self;
        gates.in_linear.apply(x, projected);
        past.advance(&gates.short, projected, parts);
        let part = |i: usize| &parts[i * gated_len(parts)..][..gated_len(parts)];
        simd::multiply(gated, part(V), part(X1));
        mix(gated, mixed);
        mixed.iter_mut().lockstep(part(X2)).for_each(|(y, x2)| *y *= x2);
        gates.out_linear.apply(mixed, y);
    }
}

/// Width of one of the three parts.
fn gated_len(parts: &[f32]) -> usize {
    parts.len() / 3
}
