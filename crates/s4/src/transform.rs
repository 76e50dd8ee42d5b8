//! How a stored parameter becomes a positive number: the decay `-Re A`, or the step.
//!
//! Re A is negative by construction, whatever the optimiser does (Goel, Gu, Donahue, Re 2022,
//! <https://arxiv.org/abs/2202.09729>, section 4.2, on what happens otherwise).

use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};
use subquad_mixer::Choice;

/// Below this logarithm a decay counts as zero: `|A|^4`, which the gradient of a division by `|A|^2` needs, must not
/// underflow.
const LOG_DECAY_MIN: f64 = -18.0;

/// From a stored number `p` to the decay `-Re A > 0`, as the published `real_transform`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Choice)]
#[serde(rename_all = "snake_case")]
pub enum RealTransform {
    /// `e^p`.
    Exp,
    /// `ln(1 + e^p)`.
    Softplus,
    /// `max(p, 0) + 1e-4`: a decay that reaches the floor no longer has a gradient.
    Relu,
    /// `1 / (1 + e^-p)`: only decays below 1.
    Sigmoid,
}

/// What the relu leaves.
const RELU_FLOOR: f64 = 1e-4;

impl RealTransform {
    pub(crate) fn apply<const D: usize>(self, stored: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Exp => stored.clamp_min(LOG_DECAY_MIN).exp(),
            Self::Softplus => softplus(stored.clamp_min(LOG_DECAY_MIN)),
            Self::Relu => activation::relu(stored) + RELU_FLOOR,
            Self::Sigmoid => activation::sigmoid(stored.clamp_min(LOG_DECAY_MIN)),
        }
    }

    /// The stored number for `decay`.
    pub(crate) fn invert(self, decay: f64) -> f64 {
        match self {
            Self::Exp => decay.ln(),
            Self::Softplus => inverse_softplus(decay),
            Self::Relu => decay - RELU_FLOOR,
            Self::Sigmoid => (decay / (1.0 - decay)).ln(),
        }
    }
}

/// From a stored number `p` to the step, as the published `dt_transform`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Choice)]
#[serde(rename_all = "snake_case")]
pub enum StepTransform {
    /// `e^p`.
    Exp,
    /// `ln(1 + e^p)`.
    Softplus,
}

impl StepTransform {
    pub(crate) fn apply<const D: usize>(self, stored: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Exp => stored.exp(),
            Self::Softplus => softplus(stored),
        }
    }

    /// The stored numbers of steps `rate` times as long.
    pub(crate) fn longer<const D: usize>(self, stored: Tensor<D>, rate: f64) -> Tensor<D> {
        match self {
            Self::Exp => stored + rate.ln(),
            Self::Softplus => stored_of_softplus(softplus(stored) * rate),
        }
    }

    /// The stored number of a step.
    pub(crate) fn invert(self, dt: f64) -> f64 {
        match self {
            Self::Exp => dt.ln(),
            Self::Softplus => inverse_softplus(dt),
        }
    }
}

/// [`inverse_softplus`] of a tensor. With `1 - e^-y = 2 e^(-y/2) sinh(y/2)` a small step keeps its digits.
fn stored_of_softplus<const D: usize>(y: Tensor<D>) -> Tensor<D> {
    let half = y * 0.5;
    half.clone() + (half.sinh() * 2.0).log()
}

/// `ln(1 + e^p)`, accurate where it is small.
fn softplus<const D: usize>(p: Tensor<D>) -> Tensor<D> {
    p.clone().clamp_min(0.0) + p.abs().neg().exp().log1p()
}

/// `ln(e^y - 1)`, written so that a small `y` keeps its digits.
fn inverse_softplus(y: f64) -> f64 {
    y + (-(-y).exp_m1()).ln()
}
