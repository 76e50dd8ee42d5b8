//! How a long filter is applied to the sequence.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use subquad_backend::{Form, fft_conv};
use subquad_mixer::{Choice, Flops};

use crate::monarch_conv;

/// The transforms of a long convolution. The map is the same, to rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Choice)]
#[serde(rename_all = "snake_case")]
pub enum ConvAlgorithm {
    /// Fast Fourier transforms.
    Fft,
    /// The same transforms as products with Monarch matrices: more multiplications, all of them in matrix products.
    Monarch,
}

impl ConvAlgorithm {
    /// Number of floats that it keeps per float of its input in training, beyond those of a fused convolution.
    pub(crate) fn kept(self) -> f64 {
        match self {
            Self::Fft => 0.0,
            Self::Monarch => 4.0,
        }
    }

    /// Operations of forward and backward for this many channels.
    pub(crate) fn training_flops(self, channels: usize, seq_len: usize, two_sided: bool) -> Flops {
        match self {
            Self::Fft => Flops::fft_conv(channels, channels, seq_len),
            Self::Monarch => monarch_conv::training_flops(channels, seq_len, two_sided),
        }
    }

    /// Convolves every channel of `x [batch, channels, seq]` with its own kernel and, if there are any, its own taps
    /// that look ahead.
    pub(crate) fn convolve(
        self,
        x: Tensor<3>,
        kernel: Tensor<2>,
        reverse: Option<Tensor<2>>,
        form: Form,
    ) -> Tensor<3> {
        match (self, reverse) {
            (Self::Fft, None) => fft_conv::causal_conv(x, kernel, form),
            (Self::Fft, Some(reverse)) => fft_conv::two_sided_conv(x, kernel, reverse, form),
            (Self::Monarch, None) => monarch_conv::causal_conv(x, kernel, form),
            (Self::Monarch, Some(reverse)) => monarch_conv::two_sided_conv(x, kernel, reverse, form),
        }
    }
}
