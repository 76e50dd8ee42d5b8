//! The fused form: transforms of half the padded length, a thread a channel, gradients by recomputing the spectra.
//!
//! The kernel's spectrum is computed once a channel and the whole batch runs under it. The backward pass keeps only
//! `u` and the kernels: with `G`, `U`, `K` the spectra of the output's gradient, the input and the kernel,
//! `du` comes from `G conj K` and `dk` from `sum over the batch of G conj U`, both in one pass.

use burn::tensor::Tensor;
use rayon::prelude::*;
use rustfft::num_complex::Complex;

use super::weighted::Transform;
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
        let transform = Transform::of(seq);
        let mut y = vec![0.0; batch * channels * seq];
        by_channel(&mut y, channels, seq).into_par_iter().enumerate().for_each_init(
            || Workspace::new(&transform),
            |work, (channel, rows)| {
                work.load_kernel(inputs, channel);
                for (b, row) in rows.into_iter().enumerate() {
                    work.convolve(line(&inputs[0], b * channels + channel), row);
                }
            },
        );
        Array::new(y, [batch, channels, seq])
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let [_, channels, seq] = saved.inputs[0].dims();
        let transform = Transform::of(seq);
        let mut grads: Vec<Vec<f32>> = saved.inputs.iter().map(|input| vec![0.0; input.data.len()]).collect();
        let (du, kernels) = grads.split_at_mut(1);
        let rows = by_channel(&mut du[0], channels, seq);
        rows.into_par_iter().zip(by_kernel(kernels, channels)).enumerate().for_each_init(
            || Workspace::new(&transform),
            |work, (channel, (rows, taps))| work.channel_grads(saved, channel, rows, taps),
        );
        let grads = grads.into_iter().zip(saved.inputs).zip(saved.wanted);
        grads.map(|((grad, input), wanted)| wanted.then(|| Array::new(grad, input.shape))).collect()
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

/// The taps of each channel: of its kernel and, if two-sided, of the reverse one.
fn by_kernel(kernels: &mut [Vec<f32>], channels: usize) -> Vec<Vec<&mut [f32]>> {
    let mut taps: Vec<Vec<&mut [f32]>> = (0..channels).map(|_| Vec::new()).collect();
    for kernel in kernels {
        let len = kernel.len() / channels;
        taps.iter_mut().zip(kernel.chunks_mut(len)).for_each(|(taps, row)| taps.push(row));
    }
    taps
}

fn line<'a>(view: &View<'a>, row: usize) -> &'a [f32] {
    let len = *view.shape.last().expect("a convolution's inputs have axes");
    &view.data[row * len..(row + 1) * len]
}

/// At most `count` of the values: taps beyond the sequence are not used.
fn within(row: &[f32], count: usize) -> &[f32] {
    &row[..row.len().min(count)]
}

/// One thread's buffers.
struct Workspace<'a> {
    transform: &'a Transform,
    u: Vec<Complex<f32>>,
    grad: Vec<Complex<f32>>,
    kernel: Vec<Complex<f32>>,
    sum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
}

impl<'a> Workspace<'a> {
    fn new(transform: &'a Transform) -> Self {
        let points = |count| vec![Complex::default(); count];
        let n = transform.len();
        let scratch = points(transform.scratch_len());
        Self { transform, u: points(n), grad: points(n), kernel: points(n), sum: points(n), scratch }
    }

    /// The spectrum of a channel's kernel, with the transforms' 1/n in it.
    fn load_kernel(&mut self, inputs: &[View<'_>], channel: usize) {
        let [_, _, seq] = inputs[0].dims();
        let taps = within(line(&inputs[1], channel), seq);
        let reverse = inputs.get(2).map_or(&[][..], |reverse| within(line(reverse, channel), seq - 1));
        let scale = 1.0 / self.transform.len() as f32;
        self.transform.kernel_spectrum(taps, reverse, scale, &mut self.kernel, &mut self.scratch);
    }

    fn convolve(&mut self, row: &[f32], out: &mut [f32]) {
        self.transform.spectrum(row, &mut self.u, &mut self.scratch);
        simd::complex_mul(&mut self.u, &self.kernel);
        self.transform.invert(&mut self.u, &mut self.scratch);
        self.transform.read(&self.u, 1.0, out);
    }

    /// Fills the rows of `du` and the taps' gradients of one channel.
    fn channel_grads(
        &mut self,
        saved: &Saved<'_>,
        channel: usize,
        rows: Vec<&mut [f32]>,
        taps: Vec<&mut [f32]>,
    ) {
        let [_, channels, seq] = saved.inputs[0].dims();
        self.load_kernel(saved.inputs, channel);
        self.sum.fill(Complex::default());
        for (b, row) in rows.into_iter().enumerate() {
            let at = b * channels + channel;
            self.transform.spectrum(line(&saved.grad, at), &mut self.grad, &mut self.scratch);
            if saved.wanted[1..].contains(&true) {
                self.transform.spectrum(line(&saved.inputs[0], at), &mut self.u, &mut self.scratch);
                simd::complex_add_mul_conj(&mut self.sum, &self.grad, &self.u);
            }
            if saved.wanted[0] {
                self.input_grad(row);
            }
        }
        self.tap_grads(taps, seq);
    }

    fn input_grad(&mut self, row: &mut [f32]) {
        simd::complex_mul_conj(&mut self.grad, &self.kernel);
        self.transform.invert(&mut self.grad, &mut self.scratch);
        self.transform.read(&self.grad, 1.0, row);
    }

    /// Taps beyond the sequence are not used: their gradient stays zero.
    fn tap_grads(&mut self, taps: Vec<&mut [f32]>, seq: usize) {
        self.transform.invert(&mut self.sum, &mut self.scratch);
        let scale = 1.0 / self.transform.len() as f32;
        let reads = [(Transform::read as fn(&_, &_, _, &mut _), seq), (Transform::read_reverse, seq - 1)];
        for (taps, (read, used)) in taps.into_iter().zip(reads) {
            let used = taps.len().min(used);
            read(self.transform, &self.sum, scale, &mut taps[..used]);
        }
    }
}
