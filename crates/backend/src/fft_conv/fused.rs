//! The fused form: realfft, a thread a channel, gradients by recomputing the spectra.
//!
//! The kernel's spectrum is computed once a channel and the whole batch runs under it. The backward pass keeps only
//! `u` and the kernels: with `G`, `U`, `K` the spectra of the output's gradient, the input and the kernel,
//! `du = irfft(G conj K)` and `dk = irfft(sum over the batch of G conj U)`, both in one pass.

use std::sync::{Arc, Mutex};

use burn::tensor::Tensor;
use rayon::prelude::*;
use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use crate::kernel::{Array, CpuKernel, Saved, View, apply};
use crate::simd;

pub(super) fn causal_conv(u: Tensor<3>, kernel: Tensor<2>) -> Tensor<3> {
    apply(FftConv, [u.into(), kernel.into()])
}

pub(super) fn two_sided_conv(u: Tensor<3>, kernel: Tensor<2>, reverse: Tensor<2>) -> Tensor<3> {
    apply(FftConv, [u.into(), kernel.into(), reverse.into()])
}

/// Inputs: `u [batch, channels, seq]`, `kernel [channels, len]` and, if two-sided, `reverse [channels, len]`.
#[derive(Debug)]
struct FftConv;

impl CpuKernel for FftConv {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let [batch, channels, seq] = inputs[0].dims();
        let plan = Plan::new(seq);
        let mut y = vec![0.0; batch * channels * seq];
        by_channel(&mut y, channels, seq).into_par_iter().enumerate().for_each_init(
            || Workspace::new(&plan),
            |work, (channel, rows)| {
                plan.kernel_spectrum(inputs, channel, work);
                for (b, row) in rows.into_iter().enumerate() {
                    plan.transform(
                        line(&inputs[0], b * channels + channel),
                        &mut work.real,
                        &mut work.u,
                        &mut work.scratch,
                    );
                    simd::complex_mul(&mut work.u, &work.kernel);
                    plan.inverse(&mut work.u, row, &mut work.real, &mut work.scratch);
                }
            },
        );
        Array::new(y, [batch, channels, seq])
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let [batch, channels, seq] = saved.inputs[0].dims();
        let plan = Plan::new(seq);
        let mut du = vec![0.0; batch * channels * seq];
        let kernel_grads: Vec<Vec<f32>> = by_channel(&mut du, channels, seq)
            .into_par_iter()
            .enumerate()
            .map_init(
                || Workspace::new(&plan),
                |work, (channel, rows)| plan.channel_grads(saved, channel, rows, work),
            )
            .collect();
        let mut grads = vec![saved.wanted[0].then(|| Array::new(du, [batch, channels, seq]))];
        for (i, taps) in [(1, Taps::Forward), (2, Taps::Reverse)].into_iter().take(saved.inputs.len() - 1) {
            grads.push(saved.wanted[i].then(|| gather_taps(&kernel_grads, &saved.inputs[i], seq, taps)));
        }
        grads
    }
}

/// The rows of `[batch, channels, seq]` grouped by channel, so that a channel is one thread's work.
fn by_channel(values: &mut [f32], channels: usize, seq: usize) -> Vec<Vec<&mut [f32]>> {
    let mut rows: Vec<Vec<&mut [f32]>> = (0..channels).map(|_| Vec::new()).collect();
    for (i, row) in values.chunks_mut(seq).enumerate() {
        rows[i % channels].push(row);
    }
    rows
}

fn line<'a>(view: &View<'a>, row: usize) -> &'a [f32] {
    let len = *view.shape.last().expect("a convolution's inputs have axes");
    &view.data[row * len..(row + 1) * len]
}

#[derive(Clone, Copy)]
enum Taps {
    /// Lags 0, 1, ..: the front of the circular kernel.
    Forward,
    /// Lags -1, -2, ..: its end, backwards.
    Reverse,
}

fn gather_taps(circular: &[Vec<f32>], kernel: &View<'_>, seq: usize, taps: Taps) -> Array {
    let [channels, len] = kernel.dims();
    let mut grad = vec![0.0; channels * len];
    for (row, circular) in grad.chunks_mut(len).zip(circular) {
        match taps {
            Taps::Forward => row.iter_mut().take(seq).zip(circular).for_each(|(d, s)| *d = *s),
            Taps::Reverse => {
                row.iter_mut().take(seq - 1).zip(circular.iter().rev()).for_each(|(d, s)| *d = *s)
            }
        }
    }
    Array::new(grad, [channels, len])
}

/// The transforms of one length. Planning is cached by the process.
struct Plan {
    n: usize,
    seq: usize,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
}

/// One thread's buffers.
struct Workspace {
    real: Vec<f32>,
    u: Vec<Complex<f32>>,
    grad: Vec<Complex<f32>>,
    kernel: Vec<Complex<f32>>,
    sum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
}

impl Workspace {
    fn new(plan: &Plan) -> Self {
        let spectrum = || vec![Complex::default(); plan.n / 2 + 1];
        let scratch = plan.forward.get_scratch_len().max(plan.inverse.get_scratch_len());
        Self {
            real: vec![0.0; plan.n],
            u: spectrum(),
            grad: spectrum(),
            kernel: spectrum(),
            sum: spectrum(),
            scratch: vec![Complex::default(); scratch],
        }
    }
}

impl Plan {
    fn new(seq: usize) -> Self {
        static PLANNER: Mutex<Option<RealFftPlanner<f32>>> = Mutex::new(None);
        let n = transform_len(seq);
        // A planner that a panic left half-way is still a cache of whole plans.
        let mut guard = PLANNER.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let planner = guard.get_or_insert_with(RealFftPlanner::new);
        Self { n, seq, forward: planner.plan_fft_forward(n), inverse: planner.plan_fft_inverse(n) }
    }

    /// Spectrum of `values`, padded with zeros.
    fn transform(
        &self,
        values: &[f32],
        real: &mut [f32],
        spectrum: &mut [Complex<f32>],
        scratch: &mut [Complex<f32>],
    ) {
        real[..values.len()].copy_from_slice(values);
        real[values.len()..].fill(0.0);
        self.forward_in_place(real, spectrum, scratch);
    }

    fn forward_in_place(
        &self,
        real: &mut [f32],
        spectrum: &mut [Complex<f32>],
        scratch: &mut [Complex<f32>],
    ) {
        self.forward.process_with_scratch(real, spectrum, scratch).expect("buffers have the plan's lengths");
    }

    /// The first `out.len()` values of the inverse transform. The 1/n is in the kernel's spectrum.
    fn inverse(
        &self,
        spectrum: &mut [Complex<f32>],
        out: &mut [f32],
        real: &mut [f32],
        scratch: &mut [Complex<f32>],
    ) {
        self.inverse_in_place(spectrum, real, scratch);
        out.copy_from_slice(&real[..out.len()]);
    }

    fn inverse_in_place(
        &self,
        spectrum: &mut [Complex<f32>],
        real: &mut [f32],
        scratch: &mut [Complex<f32>],
    ) {
        // Exactly zero in theory; rounding leaves a little, which the inverse transform refuses.
        spectrum[0].im = 0.0;
        if self.n.is_multiple_of(2) {
            spectrum[self.n / 2].im = 0.0;
        }
        self.inverse.process_with_scratch(spectrum, real, scratch).expect("buffers have the plan's lengths");
    }

    /// Spectrum of the circular kernel over n, into `work.kernel`.
    fn kernel_spectrum(&self, inputs: &[View<'_>], channel: usize, work: &mut Workspace) {
        let scale = 1.0 / self.n as f32;
        work.real.fill(0.0);
        let taps = line(&inputs[1], channel);
        work.real.iter_mut().take(self.seq).zip(taps).for_each(|(d, k)| *d = k * scale);
        if let Some(reverse) = inputs.get(2) {
            let taps = line(reverse, channel);
            work.real.iter_mut().rev().take(self.seq - 1).zip(taps).for_each(|(d, k)| *d = k * scale);
        }
        self.forward_in_place(&mut work.real, &mut work.kernel, &mut work.scratch);
    }

    /// Fills the rows of `du` of one channel and returns the gradient of its circular kernel.
    fn channel_grads(
        &self,
        saved: &Saved<'_>,
        channel: usize,
        rows: Vec<&mut [f32]>,
        work: &mut Workspace,
    ) -> Vec<f32> {
        let [_, channels, _] = saved.inputs[0].dims();
        self.kernel_spectrum(saved.inputs, channel, work);
        work.sum.fill(Complex::default());
        for (b, row) in rows.into_iter().enumerate() {
            let at = b * channels + channel;
            self.transform(line(&saved.grad, at), &mut work.real, &mut work.grad, &mut work.scratch);
            if saved.wanted[1..].contains(&true) {
                self.transform(line(&saved.inputs[0], at), &mut work.real, &mut work.u, &mut work.scratch);
                simd::complex_add_mul_conj(&mut work.sum, &work.grad, &work.u);
            }
            simd::complex_mul_conj(&mut work.grad, &work.kernel);
            self.inverse(&mut work.grad, row, &mut work.real, &mut work.scratch);
        }
        self.inverse_in_place(&mut work.sum, &mut work.real, &mut work.scratch);
        let scale = 1.0 / self.n as f32;
        work.real.iter().map(|g| g * scale).collect()
    }
}

/// The smallest even 2^a 3^b 5^c that holds every lag of `seq` tokens without wrapping: at least `2 seq - 1`.
fn transform_len(seq: usize) -> usize {
    let least = (2 * seq).max(2);
    (least..).step_by(2).find(|n| is_smooth(*n)).expect("powers of two are smooth")
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
    fn transforms_are_even_smooth_and_long_enough() {
        for seq in [1, 2, 3, 5, 63, 64, 65, 1000, 1023] {
            let n = transform_len(seq);
            assert!(n >= 2 * seq - 1 && n.is_multiple_of(2) && is_smooth(n), "seq = {seq}: {n}");
        }
        assert_eq!(transform_len(1024), 2048);
        assert_eq!(transform_len(784), 1600);
    }
}
