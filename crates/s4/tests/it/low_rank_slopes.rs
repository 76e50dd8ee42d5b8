//! Kernels of S4 and their gradients in f64, by dense matrices: no Woodbury, no powers.
//!
//! With `M = 2 i sin(theta) - cos(theta) A`, `A` whole and in units of the step, the spectrum is `K^ = e^(i theta) C~ M^-1 B`; with
//! `x = M^-1 B`, `y = C~ M^-1` its differential is `e^(i theta) (dC~ x + y dB + cos(theta) y dA x)`.

use std::f64::consts::PI;

use rustfft::FftPlanner;
use rustfft::num_complex::Complex64;
use subquad_s4::reference::{Complex, Matrix, complete, real};

use crate::low_rank_oracle::Parameters;

/// Kernels of `l_max` taps, `[kernels, d_model, l_max]`, and the gradients of their products with `weights`, which are as many,
/// by every list of the parameters.
pub(crate) fn kernels_and_slopes(parameters: &Parameters, weights: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let l_max = weights.len() / (parameters.kernels * parameters.d_model);
    let mut grads = parameters.lists.each_ref().map(|list| vec![0.0; list.len()]).to_vec();
    let mut taps = Vec::new();
    for (row, weights) in weights.chunks_exact(l_max).enumerate() {
        let (kernel, channel) = (row / parameters.d_model, row % parameters.d_model);
        let system = System::of(parameters, kernel, channel);
        let (spectrum, sums) = system.spectrum_and_sums(&of_spectrum(weights), l_max);
        taps.extend(of_taps(spectrum, l_max));
        system.slopes(&sums, parameters, [kernel, channel], &mut grads);
    }
    (taps, grads)
}

/// `d/d re - i d/d im` of every number of the spectrum.
fn of_spectrum(weights: &[f64]) -> Vec<Complex> {
    let l_max = weights.len();
    let mut points: Vec<Complex64> = weights.iter().map(|w| Complex64::new(*w, 0.0)).collect();
    FftPlanner::new().plan_fft_inverse(l_max).process(&mut points);
    let count = |j: usize| if j == 0 || 2 * j == l_max { 1.0 } else { 2.0 } / l_max as f64;
    (0..=l_max / 2).map(|j| real(count(j)) * Complex { re: points[j].re, im: points[j].im }).collect()
}

fn of_taps(spectrum: Vec<Complex>, l_max: usize) -> Vec<f64> {
    let point = |j: usize| match j <= l_max / 2 {
        true => Complex64::new(spectrum[j].re, spectrum[j].im),
        false => Complex64::new(spectrum[l_max - j].re, -spectrum[l_max - j].im),
    };
    let mut points: Vec<Complex64> = (0..l_max).map(point).collect();
    FftPlanner::new().plan_fft_inverse(l_max).process(&mut points);
    points.into_iter().map(|point| point.re / l_max as f64).collect()
}

/// One kernel's system, all of its conjugate pairs whole. `s` is the root of the step: `s A s`, `s B` and `C~ s` are in its units.
struct System {
    s: Vec<f64>,
    a: Matrix,
    b: Vec<Complex>,
    c: Vec<Complex>,
    p: Vec<Vec<Complex>>,
}

/// Sums over the frequencies, by the numbers in units of the step.
struct Sums {
    a: Vec<Vec<Complex>>,
    b: Vec<Complex>,
    c: Vec<Complex>,
}

impl System {
    fn of(parameters: &Parameters, kernel: usize, channel: usize) -> Self {
        let system = parameters.continuous(kernel, channel);
        let dense = system.dense();
        let dt = parameters.steps(channel);
        let s: Vec<f64> = dt.iter().map(|dt| dt.sqrt()).collect();
        let p = system.p.iter().map(|p| complete(p)).collect();
        Self { s: [s.clone(), s].concat(), a: dense.a, b: dense.b, c: dense.c, p }
    }

    fn spectrum_and_sums(&self, grads: &[Complex], l_max: usize) -> (Vec<Complex>, Sums) {
        let n = self.s.len();
        let long = |x: &[Complex]| x.iter().zip(&self.s).map(|(x, s)| real(*s) * *x).collect::<Vec<_>>();
        let (b, c) = (long(&self.b), long(&self.c));
        let zero = || vec![real(0.0); n];
        let mut sums = Sums { a: vec![zero(); n], b: zero(), c: zero() };
        let mut spectrum = Vec::new();
        for (j, grad) in grads.iter().enumerate() {
            let (sin, cos) = (PI * j as f64 / l_max as f64).sin_cos();
            let (turn, cos) = (Complex { re: cos, im: sin }, real(cos));
            let m = Matrix::new(n, |i, k| {
                let whole = -(cos * real(self.s[i] * self.s[k]) * self.a.rows[i][k]);
                if i == k { whole + Complex { re: 0.0, im: 2.0 * sin } } else { whole }
            });
            let x = m.solve(std::slice::from_ref(&b)).swap_remove(0);
            let y = m.transpose().solve(std::slice::from_ref(&c)).swap_remove(0);
            spectrum.push(turn * c.iter().zip(&x).map(|(c, x)| *c * *x).sum::<Complex>());
            let e = *grad * turn;
            for i in 0..n {
                sums.b[i] += e * y[i];
                sums.c[i] += e * x[i];
                let left = e * cos * y[i];
                sums.a[i].iter_mut().zip(&x).for_each(|(to, x)| *to += left * *x);
            }
        }
        (spectrum, sums)
    }

    /// Adds the gradients of one kernel to those of the lists.
    fn slopes(&self, sums: &Sums, of: &Parameters, [kernel, channel]: [usize; 2], grads: &mut [Vec<f64>]) {
        let (n, places) = (self.s.len(), of.places(kernel, channel));
        let pairs = n / 2;
        let long = |i: usize, k: usize| real(self.s[i] * self.s[k]) * sums.a[i][k];
        let both = |of: &dyn Fn(usize) -> Complex, i: usize| of(i) + of(i + pairs).conj();
        let mut add = |list: usize, at: usize, value: f64| grads[list][at] += value;
        for i in 0..pairs {
            let a = both(&|i| long(i, i), i);
            add(1, places.system + i, -a.re * places.decay(of, i));
            add(2, places.system + i, -a.im);
            let b = both(&|i| real(self.s[i]) * sums.b[i], i);
            add(3, places.system + i, b.re);
            add(4, places.system + i, -b.im);
            let c = both(&|i| real(self.s[i]) * sums.c[i], i);
            add(5, places.own + i, c.re);
            add(6, places.own + i, -c.im);
            for (r, p) in self.p.iter().enumerate() {
                let of_p = |i: usize| {
                    let row: Complex = (0..n).map(|k| long(i, k) * p[k].conj()).sum();
                    let column: Complex = (0..n).map(|k| p[k] * long(k, i)).sum();
                    -(row + column.conj())
                };
                let p = both(&of_p, i);
                add(7, places.row(r) + i, p.re);
                add(8, places.row(r) + i, -p.im);
            }
        }
        for i in 0..n {
            let through_a: Complex = (0..n)
                .map(|k| {
                    real(self.s[k]) * (sums.a[i][k] * self.a.rows[i][k] + sums.a[k][i] * self.a.rows[k][i])
                })
                .sum();
            let of_s = through_a + sums.b[i] * self.b[i] + sums.c[i] * self.c[i];
            add(0, places.step(i % pairs), 0.5 * self.s[i] * of_s.re);
        }
    }
}
