//! The definitions in f64. Tests compare against them.

use super::Activation;

/// Error function, by its Taylor series (small arguments) or its continued fraction (large ones).
pub fn erf(x: f64) -> f64 {
    match x.abs() < 3.0 {
        true => erf_series(x),
        false => x.signum() * (1.0 - erfc_fraction(x.abs())),
    }
}

/// Abramowitz, Stegun 7.1.6: `2 / sqrt(pi) e^(-x^2) sum 2^n x^(2n+1) / (2n+1)!!`, all terms of one sign.
fn erf_series(x: f64) -> f64 {
    let mut term = x;
    let mut sum = x;
    for n in 1..200 {
        term *= 2.0 * x * x / f64::from(2 * n + 1);
        sum += term;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

/// Abramowitz, Stegun 7.1.14, evaluated from the far end.
fn erfc_fraction(x: f64) -> f64 {
    let tail = (1..100).rev().fold(x, |below, n| x + f64::from(n) / 2.0 / below);
    (-x * x).exp() / std::f64::consts::PI.sqrt() / tail
}

/// `x Phi(x)`.
pub fn gelu(x: f64) -> f64 {
    0.5 * x * (1.0 + erf(x / 2f64.sqrt()))
}

/// Derivative of [`gelu`].
pub fn gelu_slope(x: f64) -> f64 {
    let density = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt();
    0.5 * (1.0 + erf(x / 2f64.sqrt())) + x * density
}

/// `a sigmoid(b)`.
pub fn glu(a: f64, b: f64) -> f64 {
    a / (1.0 + (-b).exp())
}

/// `gelu(a) b`.
pub fn geglu(a: f64, b: f64) -> f64 {
    gelu(a) * b
}

/// `a sigmoid(a) b`.
pub fn swiglu(a: f64, b: f64) -> f64 {
    glu(a, a) * b
}

/// `activation` of one number.
pub fn activate(x: f64, activation: Activation) -> f64 {
    match activation {
        Activation::Gelu => gelu(x),
        Activation::Silu => glu(x, x),
        Activation::Relu => x.max(0.0),
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => glu(1.0, x),
        Activation::Identity => x,
    }
}

/// Derivative of [`activate`]; 0 where that has a corner.
pub fn activate_slope(x: f64, activation: Activation) -> f64 {
    let s = glu(1.0, x);
    match activation {
        Activation::Gelu => gelu_slope(x),
        Activation::Silu => s + x * s * (1.0 - s),
        Activation::Relu => f64::from(u8::from(x > 0.0)),
        Activation::Tanh => 1.0 - x.tanh().powi(2),
        Activation::Sigmoid => s * (1.0 - s),
        Activation::Identity => 1.0,
    }
}
