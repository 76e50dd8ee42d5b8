//! Convolutions of single rows, for kernels that do more with a row while it is in a core's cache.

use std::sync::Arc;

use rustfft::num_complex::Complex;

use super::weighted::Transform;
use crate::simd;

/// One thread's buffers for convolutions along rows of one length: transforms of half the padded length.
///
/// With `G`, `U`, `K` the spectra of the output's gradient, the input and the kernel, `du` comes from `G conj K` and the
/// kernel's gradient from `sum over rows of G conj U`.
pub struct Convolver {
    transform: Arc<Transform>,
    seq: usize,
    u: Vec<Complex<f32>>,
    grad: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
}

/// One channel's kernel, as a spectrum, and the sum of its gradient.
pub struct Filter {
    /// Includes the transforms' 1/n.
    kernel: Vec<Complex<f32>>,
    sum: Vec<Complex<f32>>,
}

impl Convolver {
    /// For rows of `seq` values, at least one.
    pub fn new(seq: usize) -> Self {
        let transform = Transform::of(seq);
        let points = |count| vec![Complex::default(); count];
        let (n, scratch) = (transform.len(), points(transform.scratch_len()));
        Self { transform, seq, u: points(n), grad: points(n), scratch }
    }

    /// Room for a kernel.
    pub fn filter(&self) -> Filter {
        let points = || vec![Complex::default(); self.transform.len()];
        Filter { kernel: points(), sum: points() }
    }

    /// Makes `filter` the one with these taps at lags `0, 1, ..` and `reverse` taps at lags `-1, -2, ..`, with a gradient of zero.
    /// Taps beyond the row are not used.
    pub fn load(&mut self, filter: &mut Filter, taps: &[f32], reverse: &[f32]) {
        let (taps, reverse) = (&taps[..taps.len().min(self.seq)], &reverse[..self.ahead(reverse.len())]);
        let scale = 1.0 / self.transform.len() as f32;
        self.transform.kernel_spectrum(taps, reverse, scale, &mut filter.kernel, &mut self.scratch);
        filter.sum.fill(Complex::default());
    }

    /// `out = conv(row, filter)`.
    pub fn convolve(&mut self, filter: &Filter, row: &[f32], out: &mut [f32]) {
        self.transform.spectrum(row, &mut self.u, &mut self.scratch);
        simd::complex_mul(&mut self.u, &filter.kernel);
        self.transform.invert(&mut self.u, &mut self.scratch);
        self.transform.read(&self.u, 1.0, out);
    }

    /// From the gradient `dy` of one row's output: adds to the filter's gradient if the row `u` is given, and fills `du` if wanted.
    pub fn grads(&mut self, filter: &mut Filter, u: Option<&[f32]>, dy: &[f32], du: Option<&mut [f32]>) {
        self.transform.spectrum(dy, &mut self.grad, &mut self.scratch);
        if let Some(u) = u {
            self.transform.spectrum(u, &mut self.u, &mut self.scratch);
            simd::complex_add_mul_conj(&mut filter.sum, &self.grad, &self.u);
        }
        if let Some(du) = du {
            simd::complex_mul_conj(&mut self.grad, &filter.kernel);
            self.transform.invert(&mut self.grad, &mut self.scratch);
            self.transform.read(&self.grad, 1.0, du);
        }
    }

    /// Gradients of the taps, after those of all rows. Taps beyond the row are not used: their gradient stays as it is.
    pub fn tap_grads(&mut self, filter: &mut Filter, taps: &mut [f32], reverse: &mut [f32]) {
        self.transform.invert(&mut filter.sum, &mut self.scratch);
        let scale = 1.0 / self.transform.len() as f32;
        let (used, ahead) = (taps.len().min(self.seq), self.ahead(reverse.len()));
        self.transform.read(&filter.sum, scale, &mut taps[..used]);
        self.transform.read_reverse(&filter.sum, scale, &mut reverse[..ahead]);
    }

    /// How many of `taps` can look ahead within a row.
    fn ahead(&self, taps: usize) -> usize {
        taps.min(self.seq - 1)
    }
}

/// The rows of `[batch, channels, seq]` in order, grouped by channel, so that each channel is one thread's work.
pub fn rows_by_channel<R>(rows: impl IntoIterator<Item = R>, channels: usize) -> Vec<Vec<R>> {
    let mut grouped: Vec<Vec<R>> = (0..channels).map(|_| Vec::new()).collect();
    for (i, row) in rows.into_iter().enumerate() {
        grouped[i % channels].push(row);
    }
    grouped
}
