//! The kernel on the CPU: one thread per channel, frequencies in blocks, only the inputs kept.

use std::sync::Arc;

use burn::tensor::Tensor;
use rayon::prelude::*;
use rustfft::num_complex::Complex32;
use subquad_backend::fft;
use subquad_backend::fft_conv::rows_by_channel;
use subquad_backend::kernel::{Array, CpuKernel, Operand, Saved, View, apply};

use super::Factors;
use super::exact::{Exact, Frequencies};
use super::roots::Roots;
use super::row::{Row, Sizes};

pub(super) fn kernel(
    Factors { a, left, right, kernels }: Factors,
    Exact { frequencies, spectra }: Exact,
    l_max: usize,
) -> Tensor<3> {
    let (lefts, rights) = (left.re.dims()[0], right.re.dims()[0]);
    let parts = vec![a.re.unsqueeze_dim(0), a.im.unsqueeze_dim(0), left.re, left.im, right.re, right.im];
    let sizes = Sizes { pairs: parts[0].dims()[2], kernels, lefts, rights, l_max };
    let (kernel, factors) = (DplrKernel { sizes, frequencies }, Tensor::cat(parts, 0).into());
    apply(kernel, std::iter::once(factors).chain(spectra.map(Operand::from)))
}

/// Inputs: `[2 + 2 lefts + 2 rights, d_model, pairs]`, real and imaginary parts of `a`, of the left factors and of the right; then,
/// if there are any, the spectra at the frequencies that are computed elsewhere, `[kernels, d_model, 2 most]`.
#[derive(Debug)]
struct DplrKernel {
    sizes: Sizes,
    frequencies: Arc<Frequencies>,
}

impl CpuKernel for DplrKernel {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let Sizes { kernels, l_max, .. } = self.sizes;
        let [_, d_model, _] = inputs[0].dims();
        let (roots, plan) = (Roots::new(l_max), fft::plan(l_max));
        let mut taps = vec![0.0; kernels * d_model * l_max];
        rows_by_channel(taps.chunks_mut(l_max), d_model).into_par_iter().enumerate().for_each_init(
            || Row::new(self.sizes, &roots, &plan),
            |row, (channel, taps)| {
                row.load(&rows(&inputs[0], channel));
                let exact = inputs.get(1).map(|exact| rows(exact, channel)).unwrap_or_default();
                row.taps(self.frequencies.channel(channel), &exact, taps);
            },
        );
        Array::new(taps, [kernels, d_model, l_max])
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let Sizes { kernels, l_max, .. } = self.sizes;
        let [_, d_model, _] = saved.inputs[0].dims();
        let (roots, plan) = (Roots::new(l_max), fft::plan(l_max));
        let grad = |channel: usize| {
            move |kernel: usize| &saved.grad.data[(kernel * d_model + channel) * l_max..][..l_max]
        };
        let grads: Vec<[Vec<f32>; 2]> = (0..d_model)
            .into_par_iter()
            .map_init(
                || Row::new(self.sizes, &roots, &plan),
                |row, channel| {
                    row.load(&rows(&saved.inputs[0], channel));
                    let grads: Vec<&[f32]> = (0..kernels).map(grad(channel)).collect();
                    let (factors, exact) = row.grads(self.frequencies.channel(channel), &grads);
                    [factors, padded(exact, self.frequencies.most())]
                },
            )
            .collect();
        let of = |(i, input): (usize, &View<'_>)| Some(by_part(input.shape, &grads, i));
        saved.inputs.iter().enumerate().map(of).collect()
    }
}

/// Real and imaginary parts of the gradients of every kernel's spectrum, `d/d re - i d/d im`: `[kernels][2 most]`.
fn padded(exact: Vec<Vec<Complex32>>, most: usize) -> Vec<f32> {
    let mut all = vec![0.0; exact.len() * 2 * most];
    for (row, grads) in all.chunks_exact_mut((2 * most).max(1)).zip(exact) {
        let (re, im) = row.split_at_mut(most);
        for (i, grad) in grads.into_iter().enumerate() {
            (re[i], im[i]) = (grad.re, -grad.im);
        }
    }
    all
}

/// Gradient `i` of every channel in the shape of the input: `[parts, d_model, width]`; zeros for parts beyond it.
pub(super) fn by_part(shape: &[usize], grads: &[[Vec<f32>; 2]], i: usize) -> Array {
    let (d_model, width) = (shape[1], shape[2]);
    let mut all = vec![0.0; shape.iter().product()];
    for (at, row) in all.chunks_exact_mut(width).enumerate() {
        let (part, channel) = (at / d_model, at % d_model);
        if let Some(grad) = grads[channel][i].get(part * width..(part + 1) * width) {
            row.copy_from_slice(grad);
        }
    }
    Array::new(all, shape)
}

/// All parts of one channel.
pub(super) fn rows<'a>(input: &View<'a>, channel: usize) -> Vec<&'a [f32]> {
    let [_, d_model, pairs] = input.dims();
    input.data.chunks_exact(pairs).skip(channel).step_by(d_model).collect()
}
