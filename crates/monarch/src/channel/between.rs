//! What is between the two layers of a channel mixer.

use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_backend::pointwise::{self, Activation, activate_row};
use subquad_backend::simd::Lockstep;

/// A GELU of everything the first layer makes, or a gate between its two halves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Between {
    /// `gelu(a)`
    Gelu,
    /// `gelu(a) * b`
    GeluGate,
    /// `silu(a) * b`
    SiluGate,
}

impl Between {
    /// A GELU, in front of a gate or alone.
    pub(crate) fn gelu(gated: bool) -> Self {
        if gated { Self::GeluGate } else { Self::Gelu }
    }

    /// Number of outputs of the first layer.
    pub(crate) fn expanded(self, d_hidden: usize) -> usize {
        match self {
            Self::Gelu => d_hidden,
            Self::GeluGate | Self::SiluGate => d_hidden.saturating_mul(2),
        }
    }

    /// `[.., expanded(d_hidden)]` to `[.., d_hidden]`
    pub(super) fn apply(self, x: Tensor<3>, form: Form) -> Tensor<3> {
        match self {
            Self::Gelu => pointwise::gelu(x, form),
            Self::GeluGate => pointwise::geglu(x, form),
            Self::SiluGate => pointwise::swiglu(x, form),
        }
    }

    /// [`apply`](Self::apply) of one token, in place: the first numbers of `x` are the result.
    pub(super) fn apply_row(self, x: &mut [f32]) -> &[f32] {
        match self {
            Self::Gelu => {
                activate_row(x, Activation::Gelu);
                x
            }
            Self::GeluGate => gate_row(x, Activation::Gelu),
            Self::SiluGate => gate_row(x, Activation::Silu),
        }
    }
}

/// `activation` of the first half times the second.
fn gate_row(x: &mut [f32], activation: Activation) -> &[f32] {
    let (a, b) = x.split_at_mut(x.len() / 2);
    activate_row(a, activation);
    a.iter_mut().lockstep(b).for_each(|(a, b)| *a *= *b);
    a
}
