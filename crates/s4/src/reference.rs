//! The definition in f64: one channel, complex numbers, powers by repeated multiplication. Tests compare against it.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::Discretization;

/// A complex number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Complex {
    /// Real part.
    pub re: f64,
    /// Imaginary part.
    pub im: f64,
}

/// A real number.
pub fn real(re: f64) -> Complex {
    Complex { re, im: 0.0 }
}

impl Complex {
    /// `e^z`.
    pub fn exp(self) -> Self {
        let size = self.re.exp();
        Self { re: size * self.im.cos(), im: size * self.im.sin() }
    }

    /// The complex conjugate.
    pub fn conj(self) -> Self {
        Self { re: self.re, im: -self.im }
    }
}

impl Add for Complex {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }
}

impl Neg for Complex {
    type Output = Self;
    fn neg(self) -> Self {
        Self { re: -self.re, im: -self.im }
    }
}

impl Sub for Complex {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Complex {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }
}

impl Div for Complex {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let size = other.re * other.re + other.im * other.im;
        let z = self * other.conj();
        Self { re: z.re / size, im: z.im / size }
    }
}

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
        Discretization::Zoh => {
            let a_bar = (real(dt) * mode.a).exp();
            (a_bar, mode.b * (a_bar - one) / mode.a)
        }
        Discretization::Bilinear => ((one + half) / (one - half), mode.b * real(dt) / (one - half)),
    }
}

/// `K_l = 2 Re(sum over modes of c a_bar^l b_bar)` for `l < seq`.
pub fn kernel(modes: &[Mode], dt: f64, rule: Discretization, seq: usize) -> Vec<f64> {
    let mut kernel = vec![0.0; seq];
    for mode in modes {
        let (a_bar, b_bar) = discretize(*mode, dt, rule);
        let mut term = mode.c * b_bar;
        for k in &mut kernel {
            *k += 2.0 * term.re;
            term = term * a_bar;
        }
    }
    kernel
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
