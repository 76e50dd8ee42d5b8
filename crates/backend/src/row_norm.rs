//! Layer norm of one token at a time, over plain slices.

use crate::simd::Lockstep;
use crate::{floats, simd};
use burn::tensor::Tensor;

/// `x = (x - mean) / sqrt(variance + eps) * gamma + beta` for one row. It allocates nothing.
#[derive(Debug, Clone)]
pub struct RowNorm {
    gamma: Vec<f32>,
    beta: Vec<f32>,
    eps: f32,
}

impl RowNorm {
    /// A copy of the norm's present weights, `[d_model]` each.
    ///
    /// # Panics
    /// If they are not f32.
    pub fn new(gamma: Tensor<1>, beta: Tensor<1>, eps: f64) -> Self {
        Self { gamma: floats(gamma), beta: floats(beta), eps: eps as f32 }
    }

    /// Replaces `x`, `[d_model]`, by its norm.
    ///
    /// # Panics
    /// If `x` has another length.
    pub fn apply(&self, x: &mut [f32]) {
        assert_eq!(x.len(), self.gamma.len(), "input of a norm");
        simd::run(
            #[inline(always)]
            || self.normalise(x),
        );
    }

    #[inline(always)]
    fn normalise(&self, x: &mut [f32]) {
        let scale = 1.0 / x.len() as f32;
        let mean = simd::sum(x, |x| x) * scale;
        x.iter_mut().for_each(|x| *x -= mean);
        let variance = simd::sum(x, |x| x * x) * scale;
        let inverse = 1.0 / (variance + self.eps).sqrt();
        for ((x, gamma), beta) in x.iter_mut().lockstep(&self.gamma).lockstep(&self.beta) {
            *x = *x * inverse * gamma + beta;
        }
    }
}
