//! A channel mixer for one token at a time, over plain slices.

use subquad_backend::row_linear::RowLinear;

use super::between::Between;
use crate::row_factors::RowFactors;

/// A copy of an [`Mlp`](super::Mlp)'s weights: the same map of one token. It allocates nothing.
///
/// Made by [`Mlp::rows`](super::Mlp::rows).
#[derive(Debug)]
pub struct RowMlp {
    layers: [RowLayer; 2],
    between: Between,
}

/// One of its layers.
#[derive(Debug)]
pub enum RowLayer {
    /// Dense.
    Dense(RowLinear),
    /// Block-diagonal or Monarch.
    Factors(RowFactors),
}

impl RowLayer {
    fn d_output(&self) -> usize {
        match self {
            Self::Dense(layer) => layer.d_output(),
            Self::Factors(layer) => layer.d_output(),
        }
    }

    fn scratch_len(&self) -> usize {
        match self {
            Self::Dense(_) => 0,
            Self::Factors(layer) => layer.scratch_len(),
        }
    }

    fn apply(&self, x: &[f32], scratch: &mut [f32], y: &mut [f32]) {
        match self {
            Self::Dense(layer) => layer.apply(x, y),
            Self::Factors(layer) => layer.apply(x, &mut scratch[..layer.scratch_len()], y),
        }
    }
}

impl RowMlp {
    pub(super) fn new(layers: [RowLayer; 2], between: Between) -> Self {
        Self { layers, between }
    }

    /// Length of the scratch space that [`apply`](Self::apply) needs.
    pub fn scratch_len(&self) -> usize {
        let [expand, reduce] = &self.layers;
        expand.d_output() + expand.scratch_len().max(reduce.scratch_len())
    }

    /// # Shapes
    /// - `x`, `y`: `[d_model]`
    /// - `scratch`: at least [`scratch_len`](Self::scratch_len)
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn apply(&self, x: &[f32], scratch: &mut [f32], y: &mut [f32]) {
        let [expand, reduce] = &self.layers;
        let (hidden, scratch) = scratch.split_at_mut(expand.d_output());
        expand.apply(x, scratch, hidden);
        reduce.apply(self.between.apply_row(hidden), scratch, y);
    }
}
