//! The definition in f64: one channel, complex numbers, powers by repeated multiplication. Tests compare against it.

mod dense;
mod ema;
mod h3;
mod matrix;
mod measured;

use crate::Discretization;
pub use crate::number::{Complex, complete, exp_m1, real};

pub use dense::{Dense, Dplr, Recurrence};
pub use ema::ema;
pub use h3::{Affine, H3, Head, Shift};
pub use matrix::Matrix;

/// One conjugate pair of a continuous system.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mode {
    /// Eigenvalue.
    pub a: Complex,
    /// Input weight.
    pub b: Complex,
    /// Output weight.
    pub c: Complex,
}

/// `(a_bar, b_bar)` of one mode.
pub fn discretize(mode: Mode, dt: f64, rule: Discretization) -> (Complex, Complex) {
    let (one, half) = (real(1.0), real(0.5 * dt) * mode.a);
    match rule {
        Discretization::Zoh => ((real(dt) * mode.a).exp(), mode.b * held(mode.a, dt)),
        Discretization::Bilinear => ((one + half) / (one - half), mode.b * real(dt) / (one - half)),
    }
}

/// `(e^(dt a) - 1) / a`: what an input of 1 held for `dt` adds up to. It is `dt` if nothing decays or oscillates.
fn held(a: Complex, dt: f64) -> Complex {
    if a == real(0.0) { real(dt) } else { exp_m1(real(dt) * a) / a }
}

/// `s_t = a_bar s_{t-1} + b_bar u_t`, `y_t = 2 Re(sum over modes of c s_t) + d u_t`, from `s = 0`.
pub fn scan(modes: &[Mode], dt: f64, rule: Discretization, d: f64, u: &[f64]) -> Vec<f64> {
    let mut y: Vec<f64> = u.iter().map(|u| d * u).collect();
    for mode in modes {
        let (a_bar, b_bar) = discretize(*mode, dt, rule);
        let mut state = real(0.0);
        for (y, u) in y.iter_mut().zip(u) {
            state = a_bar * state + b_bar * real(*u);
            *y += 2.0 * (mode.c * state).re;
        }
    }
    y
}
