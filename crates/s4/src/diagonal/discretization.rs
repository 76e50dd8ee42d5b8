//! From the continuous system to the recurrence of one token, in formulas that do not cancel in f32.
//!
//! ```text
//!            a_bar                          b_bar / B             a = dt A
//! zoh        e^a                            (e^a - 1) / A
//! bilinear   (1 + a / 2) / (1 - a / 2)      dt / (1 - a / 2)
//! ```
//! Gu, Gupta, Goel, Re 2022, <https://arxiv.org/abs/2206.11893>, section 3.1.
//!
//! GPUs promise `tanh`, `log` and `atan2` only to an absolute error (SPIR-V environment of Vulkan, "Precision of core
//! instructions"), and with a small step their results are small. So small arguments use rational functions, exact to
//! f32, and angles get one Newton step.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};
use subquad_mixer::Choice;

use crate::complex::{Pair, reduce};
use crate::number::{Complex, exp_m1, real};

/// How a continuous system becomes one step of a recurrence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Choice)]
#[serde(rename_all = "snake_case")]
pub enum Discretization {
    /// Zero-order hold: exact for an input that is constant between tokens. Frequencies above half a turn per token
    /// alias.
    Zoh,
    /// Tustin's rule: frequencies are warped and never alias.
    Bilinear,
}

/// A continuous system, `[d_model, pairs]` each, and its step, `[d_model, 1]` or `[d_model, pairs]`.
pub(crate) struct Continuous {
    pub(crate) dt: Tensor<2>,
    pub(crate) a: Pair<2>,
    pub(crate) b: Pair<2>,
}

/// The recurrence `s = a_bar s + b_bar u`, `[d_model, pairs]` each; `a_bar` as its logarithm, in f64 on the host:
/// rounded to f32, a mode that turns by ten per token would be off by a hundredth of a turn at the end of a kernel of
/// 16,384 taps.
#[derive(Debug, Clone)]
pub(crate) struct Discrete {
    pub(crate) log_a: Pair<2>,
    pub(crate) b: Pair<2>,
}

impl Discretization {
    pub(crate) fn apply(self, system: Continuous) -> Discrete {
        match self {
            Self::Zoh => zoh(system),
            Self::Bilinear => bilinear(system),
        }
    }

    /// `a_bar - 1` and `b_bar` of one pair, in f64. Without the 1 a slow decay keeps its digits when it is rounded.
    pub(super) fn step(self, dt: f64, a: Complex, b: Complex) -> [Complex; 2] {
        let long = real(dt) * a;
        match self {
            Self::Zoh => [exp_m1(long), b * exp_m1(long) / a],
            Self::Bilinear => {
                let gain = real(1.0) / (real(1.0) - real(0.5) * long);
                [long * gain, real(dt) * b * gain]
            }
        }
    }
}

fn zoh(Continuous { dt, a, b }: Continuous) -> Discrete {
    let log_a = a.clone().map(|part| part * dt.clone());
    Discrete { b: b * exp_minus_one(log_a.clone()) * a.inverse(), log_a }
}

/// `e^z - 1`. The plain difference would lose three digits at the smallest steps; burn has no `expm1` either, but
/// `e^x - 1 = tanh(x / 2) (e^x + 1)` exactly.
fn exp_minus_one(z: Pair<2>) -> Pair<2> {
    let (size, angle) = (z.re.clone().exp(), reduce(z.im));
    let minus_one = tanh(z.re * 0.5) * (size.clone() + 1.0);
    let half_sine = (angle.clone() * 0.5).sin();
    Pair { re: minus_one * angle.clone().cos() - half_sine.square() * 2.0, im: size * angle.sin() }
}

/// Up to 1/2, the continued fraction of tanh, to `x^2 / 7`: relative error below 1e-7.
fn tanh(x: Tensor<2>) -> Tensor<2> {
    let square = x.clone().square();
    let over = (square.clone() * 10.0 + 105.0) * x.clone();
    let under = (square.clone() + 45.0) * square + 105.0;
    let small = x.clone().abs().lower_elem(0.5);
    x.tanh().mask_where(small, over / under)
}

/// With `a / 2 = x + i y`.
fn bilinear(Continuous { dt, a, b }: Continuous) -> Discrete {
    let Pair { re: x, im: y } = a.map(|part| part * dt.clone() * 0.5);
    let denominator = (x.clone() - 1.0).square() + y.clone().square();
    let log_size = log_size(&x, &y, &denominator);
    // The shift is below the spacing of floats near 1; it keeps 0 / 0 out of the gradient where x = -1 and y = 0.
    let angle = angle(&y, x.clone() + 1.0 + 1e-10) + angle(&y, -x.clone() + 1.0);
    let gain = Pair { re: (-x + 1.0) * dt.clone() / denominator.clone(), im: y * dt / denominator };
    Discrete { log_a: Pair { re: log_size, im: angle }, b: b * gain }
}

/// `log(((1 + x)^2 + y^2) / ((1 - x)^2 + y^2)) / 2`, which is `atanh(2 x / (1 + x^2 + y^2))`. Up to 1/5 the continued
/// fraction of atanh, to `9 s^2 / 7`: relative error below 1e-7.
fn log_size(x: &Tensor<2>, y: &Tensor<2>, denominator: &Tensor<2>) -> Tensor<2> {
    let s = x.clone() * 2.0 / (x.clone().square() + y.clone().square() + 1.0);
    let square = s.clone().square();
    let over = (square.clone() * -55.0 + 105.0) * s.clone();
    let under = (square.clone() * 9.0 - 90.0) * square + 105.0;
    let ratio = ((x.clone() + 1.0).square() + y.clone().square()) / denominator.clone();
    ratio.clamp_min(1e-30).log().mul_scalar(0.5).mask_where(s.abs().lower_elem(0.2), over / under)
}

/// `atan2(y, x)`. Its own result is used as a constant by which the point is turned back; the rest of the angle
/// equals its tangent in f32, and carries the gradient.
fn angle(y: &Tensor<2>, x: Tensor<2>) -> Tensor<2> {
    let near = y.clone().detach().atan2(x.clone().detach());
    let (cos, sin) = (near.clone().cos(), near.clone().sin());
    let across = y.clone() * cos.clone() - x.clone() * sin.clone();
    let along = x * cos + y.clone() * sin;
    near + across / along
}
