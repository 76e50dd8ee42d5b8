//! Functions of one number that stand between layers.

use serde::{Deserialize, Serialize};

use crate::maths;

/// A function of every element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x Phi(x)`, exact.
    Gelu,
    /// `x sigmoid(x)`, also called swish.
    Silu,
    /// `max(x, 0)`.
    Relu,
    /// Hyperbolic tangent.
    Tanh,
    /// `1 / (1 + e^-x)`.
    Sigmoid,
    /// `x`.
    Identity,
}

impl Activation {
    /// Of every element, in place. Inline it in code that [`simd::run`](crate::simd::run) or `dispatch` runs.
    #[inline(always)]
    pub(crate) fn apply(self, x: &mut [f32]) {
        match self {
            Self::Gelu => each(x, maths::gelu),
            Self::Silu => each(x, maths::silu),
            Self::Relu => each(x, maths::relu),
            Self::Tanh => each(x, maths::tanh),
            Self::Sigmoid => each(x, maths::sigmoid),
            Self::Identity => {}
        }
    }

    /// [`Self::apply`], and the derivatives.
    #[inline(always)]
    pub(crate) fn apply_with_slopes(self, x: &mut [f32], slopes: &mut [f32]) {
        match self {
            Self::Gelu => each_with_slope(x, slopes, maths::gelu_with_slope),
            Self::Silu => each_with_slope(x, slopes, maths::silu_with_slope),
            Self::Relu => each_with_slope(x, slopes, maths::relu_with_slope),
            Self::Tanh => each_with_slope(x, slopes, maths::tanh_with_slope),
            Self::Sigmoid => each_with_slope(x, slopes, maths::sigmoid_with_slope),
            Self::Identity => slopes.fill(1.0),
        }
    }
}

#[inline(always)]
fn each(x: &mut [f32], f: impl Fn(f32) -> f32) {
    for x in x {
        *x = f(*x);
    }
}

#[inline(always)]
fn each_with_slope(x: &mut [f32], slopes: &mut [f32], f: impl Fn(f32) -> (f32, f32)) {
    for (x, slope) in x.iter_mut().zip(slopes) {
        (*x, *slope) = f(*x);
    }
}
