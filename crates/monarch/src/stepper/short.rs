//! The short convolution, token by token.

use burn::tensor::Tensor;
use subquad_backend::floats;
use subquad_backend::simd::{self, Lockstep};

/// A short causal convolution of every channel: see [`short_conv`](subquad_backend::short_conv::short_conv).
#[derive(Debug)]
pub(crate) struct ShortTaps {
    /// `[width, channels]`, the last row is the present.
    taps: Vec<f32>,
    /// `[channels]`
    bias: Vec<f32>,
}

impl ShortTaps {
    /// A copy of `weight`, `[channels, width]`, and `bias`, `[channels]`.
    pub(crate) fn new(weight: Tensor<2>, bias: Tensor<1>) -> Self {
        Self { taps: floats(weight.transpose()), bias: floats(bias) }
    }

    pub(super) fn channels(&self) -> usize {
        self.bias.len()
    }

    /// Length of a past.
    fn past_len(&self) -> usize {
        self.taps.len() - self.channels()
    }
}

/// The last inputs of a short convolution, oldest first: `[width - 1, channels]`.
#[derive(Debug, Clone)]
pub(super) struct ShortPast(Vec<f32>);

impl ShortPast {
    /// The past of a state, `[1, width - 1, channels]`.
    ///
    /// # Panics
    /// If it has other sizes.
    pub(super) fn of_state(taps: &ShortTaps, projected: Tensor<3>) -> Self {
        let past = floats(projected);
        assert_eq!(past.len(), taps.past_len(), "what a short convolution remembers of one sequence");
        Self(past)
    }

    /// One token, `[channels]`, to as many numbers.
    pub(super) fn advance(&mut self, taps: &ShortTaps, x: &[f32], y: &mut [f32]) {
        let channels = x.len();
        let (past, present) = taps.taps.split_at(taps.past_len());
        simd::run(
            #[inline(always)]
            || {
                y.copy_from_slice(&taps.bias);
                for (tap, row) in past.chunks_exact(channels).lockstep(self.0.chunks_exact(channels)) {
                    simd::add_product(y, tap, row);
                }
                simd::add_product(y, present, x);
            },
        );
        if let Some(kept) = self.0.len().checked_sub(channels) {
            self.0.copy_within(channels.., 0);
            self.0[kept..].copy_from_slice(x);
        }
    }

    /// Number of floats.
    pub(super) fn floats(&self) -> usize {
        self.0.len()
    }

    pub(super) fn clear(&mut self) {
        self.0.fill(0.0);
    }
}
