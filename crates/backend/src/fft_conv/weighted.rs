//! Convolution of real rows by complex transforms of `n >= seq` points, half of what zero padding takes.
//!
//! Each row is weighted before its transform: `X_j = sum over t of x_t g^t e^{-2 pi i t j / n}` with
//! `g = e^{i pi / 2n}`, so that `g^n = i`. A product of such spectra is a product of polynomials modulo `x^n - i`: what
//! falls at time `t + n` comes back to `t` times `i`, what falls at `t - n` times `-i`. Rows and kernels are real, so the
//! real part at `t` is the linear convolution, untouched by what wraps around. This is the right-angle convolution of
//! Crandall and Fagin 1994, "Discrete weighted transforms and large-integer arithmetic", Section 3.

use std::collections::BTreeMap;
use std::f64::consts::FRAC_PI_2;
use std::ops::Range;
use std::slice;
use std::sync::Arc;

use rustfft::num_complex::Complex;

use crate::fft::{Plan, Table, made_once, plan};
use crate::simd::{self, Lockstep, Pairs};

/// A spectrum, or the points that become one.
pub(super) type Points = [Complex<f32>];

/// The transforms of one length.
pub(super) struct Transform {
    plan: Plan,
    len: usize,
    weights: Weights,
}

impl Transform {
    /// For rows of `seq` values and lags up to `seq - 1` either way. Made once per process and length.
    pub(super) fn of(seq: usize) -> Arc<Self> {
        static TRANSFORMS: Table<Arc<Transform>> = Table::new(BTreeMap::new());
        let n = smooth_at_least(seq);
        made_once(&TRANSFORMS, n, || Arc::new(Self::new(n)))
    }

    fn new(n: usize) -> Self {
        Self { plan: plan(n), len: n, weights: Weights::new(n) }
    }

    /// The number of points of a spectrum.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Points that [`spectrum`](Self::spectrum) and [`invert`](Self::invert) need to work in.
    pub(super) fn scratch_len(&self) -> usize {
        self.plan.scratch_len()
    }

    /// The spectrum of a row of at most `n` values at times 0, 1, .., into `points`.
    pub(super) fn spectrum(&self, row: &[f32], points: &mut Points, scratch: &mut Points) {
        self.weigh(row, 1.0, points);
        self.plan.forward.process_with_scratch(points, scratch);
    }

    /// The spectrum of a kernel with taps at lags 0, 1, .. and `reverse` taps at lags -1, -2, .., each times `scale`.
    pub(super) fn kernel_spectrum(
        &self,
        taps: &[f32],
        reverse: &[f32],
        scale: f32,
        points: &mut Points,
        scratch: &mut Points,
    ) {
        self.weigh(taps, scale, points);
        self.add_reverse(reverse, scale, points);
        self.plan.forward.process_with_scratch(points, scratch);
    }

    /// The product's polynomial, unscaled and still weighted, in place of its spectrum.
    pub(super) fn invert(&self, points: &mut Points, scratch: &mut Points) {
        self.plan.inverse.process_with_scratch(points, scratch);
    }

    /// `points_t = scale row_t g^t`, zero beyond the row.
    fn weigh(&self, row: &[f32], scale: f32, points: &mut Points) {
        let (head, tail) = points.split_at_mut(row.len());
        simd::run(
            #[inline(always)]
            || {
                for (times, weights) in self.weights.at(0..row.len()) {
                    let weights = weights.times(scale);
                    for ((point, x), low) in
                        head[times.clone()].iter_mut().lockstep(&row[times]).lockstep(weights.low())
                    {
                        let w = weights.at(low);
                        *point = Complex::new(x * w.re, x * w.im);
                    }
                }
            },
        );
        tail.fill(Complex::default());
    }

    /// Adds `scale` times values at times -1, -2, ..: `-i` times the value, at the end.
    fn add_reverse(&self, row: &[f32], scale: f32, points: &mut Points) {
        let n = self.len;
        simd::run(
            #[inline(always)]
            || {
                for (times, weights) in self.weights.at(n - row.len()..n) {
                    let (row, weights) = (&row[n - times.end..n - times.start], weights.times(scale));
                    for ((point, x), low) in
                        points[times].iter_mut().lockstep(row.iter().rev()).lockstep(weights.low())
                    {
                        let w = weights.at(low);
                        *point = Complex::new(point.re + x * w.im, point.im - x * w.re);
                    }
                }
            },
        );
    }

    /// Values at times 0, 1, .. of inverted `points`, times `scale`: `row_t = scale Re(points_t g^-t)`.
    pub(super) fn read(&self, points: &Points, scale: f32, row: &mut [f32]) {
        simd::run(
            #[inline(always)]
            || {
                for (times, weights) in self.weights.at(0..row.len()) {
                    let (row, weights) = (&mut row[times.clone()], weights.times(scale));
                    for ((value, x), low) in row.iter_mut().lockstep(&points[times]).lockstep(weights.low()) {
                        let w = weights.at(low);
                        *value = x.re * w.re + x.im * w.im;
                    }
                }
            },
        );
    }

    /// Values at times -1, -2, .. of inverted `points`, times `scale`: one at `-j` comes back at `n - j` times `-i`, so it is minus
    /// the imaginary part there.
    pub(super) fn read_reverse(&self, points: &Points, scale: f32, row: &mut [f32]) {
        let n = self.len;
        simd::run(
            #[inline(always)]
            || {
                for (times, weights) in self.weights.at(n - row.len()..n) {
                    let (row, weights) = (&mut row[n - times.end..n - times.start], weights.times(scale));
                    for ((value, x), low) in
                        row.iter_mut().rev().lockstep(&points[times]).lockstep(weights.low())
                    {
                        let w = weights.at(low);
                        *value = x.re * w.im - x.im * w.re;
                    }
                }
            },
        );
    }
}

/// `g^t` as products of two factors: those of a long row would have to be read from memory, and would drive the row out of the
/// caches.
struct Weights {
    /// Cosines and sines of `g^t` for `t < BLOCK`.
    low: [[f32; BLOCK]; 2],
    /// `g^t` for every multiple of `BLOCK`.
    high: Vec<Complex<f32>>,
}

/// Times that share their second factor.
const BLOCK: usize = 256;

/// The weights of some times of a block.
struct BlockWeights<'a> {
    low: [&'a [f32]; 2],
    high: Complex<f32>,
}

impl Weights {
    fn new(n: usize) -> Self {
        let angle = |t: usize| FRAC_PI_2 * t as f64 / n as f64;
        let low = [f64::cos, f64::sin].map(|part| std::array::from_fn(|t| part(angle(t)) as f32));
        let high = |t: usize| Complex::new(angle(t).cos() as f32, angle(t).sin() as f32);
        Self { low, high: (0..n).step_by(BLOCK).map(high).collect() }
    }

    /// Those of consecutive times, block by block.
    #[inline(always)]
    fn at(&self, times: Range<usize>) -> impl Iterator<Item = (Range<usize>, BlockWeights<'_>)> {
        let first = times.start / BLOCK;
        (first..times.end.div_ceil(BLOCK)).map(move |block| {
            let start = block * BLOCK;
            let own = times.start.max(start)..times.end.min(start + BLOCK);
            let within = own.start - start..own.end - start;
            let low = [&self.low[0][within.clone()], &self.low[1][within]];
            (own, BlockWeights { low, high: self.high[block] })
        })
    }
}

impl BlockWeights<'_> {
    #[inline(always)]
    fn times(self, scale: f32) -> Self {
        Self { high: self.high * scale, ..self }
    }

    /// The two factors that differ from time to time.
    #[inline(always)]
    fn low(&self) -> Pairs<slice::Iter<'_, f32>, slice::Iter<'_, f32>> {
        self.low[0].iter().lockstep(self.low[1])
    }

    /// The weight whose first factor is this one.
    #[inline(always)]
    fn at(&self, (re, im): (&f32, &f32)) -> Complex<f32> {
        let high = self.high;
        Complex::new(re * high.re - im * high.im, re * high.im + im * high.re)
    }
}

/// The smallest 2^a 3^b 5^c that is at least `least`.
fn smooth_at_least(least: usize) -> usize {
    (least..).find(|n| is_smooth(*n)).expect("powers of two are smooth")
}

fn is_smooth(mut n: usize) -> bool {
    for factor in [2, 3, 5] {
        while n.is_multiple_of(factor) {
            n /= factor;
        }
    }
    n == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transforms_are_smooth_and_no_longer_than_needed() {
        let lengths = [1, 2, 3, 5, 7, 63, 784, 1000, 1023, 1024];
        assert_eq!(lengths.map(smooth_at_least), [1, 2, 3, 5, 8, 64, 800, 1000, 1024, 1024]);
    }

    #[test]
    fn a_row_comes_back_from_its_spectrum_and_the_past_stays_apart_from_the_future() {
        let transform = Transform::of(6);
        let n = transform.len();
        let (mut points, mut scratch) =
            (vec![Complex::default(); n], vec![Complex::default(); transform.scratch_len()]);
        let (taps, reverse) = ([1.0, -2.0, 3.0, 0.5, 0.0, 4.0], [7.0, -1.0, 2.0, 0.25, 5.0]);
        transform.kernel_spectrum(&taps, &reverse, 1.0 / n as f32, &mut points, &mut scratch);
        transform.invert(&mut points, &mut scratch);
        let (mut future, mut past) = ([0.0; 6], [0.0; 5]);
        transform.read(&points, 1.0, &mut future);
        transform.read_reverse(&points, 1.0, &mut past);
        let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(close(&future, &taps) && close(&past, &reverse), "{future:?} {past:?}");
    }
}
