//! The spectrum of HiPPO-LegS in closed form.
//!
//! Its normal part is `-1/2 I + K`, `K` skew with `K[n,k] = -1/2 B[n] B[k] sign(n - k)`; S4D-LegS keeps the eigenvalues of
//! that part (Gu, Gupta, Goel, Re 2022, <https://arxiv.org/abs/2206.11893>, section 4).
//!
//! No eigensolver is needed. For `K v = i w v` let `g_n = (sum over k < n of B_k v_k) - 1/2 (sum over all)`, and
//! `c_n = n + 1/2`. Row `n` then says
//!
//! ```text
//! v_n = -B_n g_n / (c_n + i w),      g_{n+1} = -g_n (c_n - i w) / (c_n + i w),      g_N = -g_0
//! ```
//! so each factor turns `g` by an angle, and closing the circle is one equation in one unknown:
//! `sum over n of atan(w / c_n) = pi (m + 1/2)`, whose left side grows with `w` and so has one root for each `m`.
//! Its slope also normalises the eigenvector: `|B*v|^2 = 2 / slope`.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use super::{NormalPair, basis_size};
use crate::number::{Complex, real};

pub(super) fn pairs(n: usize) -> Vec<NormalPair> {
    let mut w = 0.0;
    let next = |m: usize| {
        w = root(n, PI * (m as f64 + 0.5), w);
        pair(n, w)
    };
    (0..n / 2).map(next).collect()
}

/// The first entry of the eigenvector is real and positive, so `B*v = (1 + 2 i w) v_0` up to conjugation.
fn pair(n: usize, w: f64) -> NormalPair {
    let size = (2.0 / slope(n, w)).sqrt();
    let direction = 1f64.hypot(2.0 * w);
    let b = Complex { re: size / direction, im: -2.0 * w * size / direction };
    let v = eigenvector(n, w, b.re);
    NormalPair { a: Complex { re: -0.5, im: w }, b, p: vec![real(FRAC_1_SQRT_2) * b], v }
}

/// Two neighbours of the rows above give `v_n (c_n + i w) / B_n = -v_{n-1} (c_{n-1} - i w) / B_{n-1}`. `B*v` has the real
/// part `v_0`, see [`pair`].
fn eigenvector(n: usize, w: f64, first: f64) -> Vec<Complex> {
    let mut v = vec![real(first)];
    for n in 1..n {
        let (c, before) = (n as f64 + 0.5, n as f64 - 0.5);
        let turn = Complex { re: -before, im: w } / Complex { re: c, im: w };
        v.push(v[n - 1] * turn * real(basis_size(n) / basis_size(n - 1)));
    }
    v
}

/// Newton's method from below: the sum is concave, so no step passes the root.
fn root(d_state: usize, target: f64, below: f64) -> f64 {
    let turned = |w: f64| (0..d_state).map(|n| (w / (n as f64 + 0.5)).atan()).sum::<f64>();
    let mut w = below;
    // Far from the root a step doubles w; near it, it doubles the digits.
    for _ in 0..64 {
        w += (target - turned(w)) / slope(d_state, w);
    }
    w
}

/// Derivative of `sum over n of atan(w / (n + 1/2))`.
fn slope(d_state: usize, w: f64) -> f64 {
    (0..d_state).map(|n| n as f64 + 0.5).map(|c| c / (c * c + w * w)).sum()
}
