//! Sines and cosines of the angles at which the generating function is taken.

use std::f64::consts::PI;

/// Sines and cosines of `theta_j = pi j / l_max` for `j <= l_max / 2`, computed in f64 and rounded once.
pub(super) struct Roots {
    pub(super) sin: Vec<f32>,
    pub(super) cos: Vec<f32>,
    /// How often a frequency's term counts in the transform: once if it is its own conjugate, otherwise twice.
    pub(super) count: Vec<f32>,
}

impl Roots {
    pub(super) fn new(l_max: usize) -> Self {
        let all = 0..=l_max / 2;
        let (sin, cos) =
            all.clone().map(|j| root(j, l_max)).map(|(sin, cos)| (sin as f32, cos as f32)).unzip();
        Self { sin, cos, count: all.map(|j| if j == 0 || 2 * j == l_max { 1.0 } else { 2.0 }).collect() }
    }

    /// Number of frequencies.
    pub(super) fn len(&self) -> usize {
        self.sin.len()
    }
}

/// Sine and cosine of `pi j / l_max`. At -1 the cosine is exactly zero, where the formulas rely on it.
pub(super) fn root(j: usize, l_max: usize) -> (f64, f64) {
    let (sin, cos) = (PI * j as f64 / l_max as f64).sin_cos();
    if 2 * j == l_max { (1.0, 0.0) } else { (sin, cos) }
}
