//! What M2 and Hyena drop in training.

use burn::tensor::Tensor;
use subquad_backend::dropout::{mask, split_mix};

/// Dropout of one forward pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drops {
    rate: f64,
    /// `None` in evaluation, which drops nothing.
    seed: Option<u64>,
}

impl Drops {
    pub(crate) fn new(rate: f64, seed: Option<u64>) -> Self {
        Self { rate, seed: seed.filter(|_| rate > 0.0) }
    }

    /// Whether nothing is dropped.
    pub(crate) fn is_none(self) -> bool {
        self.seed.is_none()
    }

    /// `x` with some of its numbers dropped; every `site` of a layer drops others.
    pub(crate) fn drop(self, x: Tensor<3>, site: u64) -> Tensor<3> {
        let Some(seed) = self.seed else { return x };
        let kept = mask(x.dims(), self.rate, split_mix(split_mix(seed) ^ site), &x.device());
        x * kept
    }
}
