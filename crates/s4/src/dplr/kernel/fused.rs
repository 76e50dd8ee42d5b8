//! The kernel on the CPU: a thread a channel, frequencies in blocks, nothing kept but the inputs.

use burn::tensor::Tensor;
use rayon::prelude::*;
use subquad_backend::fft;
use subquad_backend::kernel::{Array, CpuKernel, Saved, View, apply};

use super::Factors;
use super::roots::Roots;
use super::row::{Row, Sizes};

pub(super) fn kernel(Factors { a, left, right, kernels }: Factors, l_max: usize) -> Tensor<3> {
    let (lefts, rights) = (left.re.dims()[0], right.re.dims()[0]);
    let parts = vec![a.re.unsqueeze_dim(0), a.im.unsqueeze_dim(0), left.re, left.im, right.re, right.im];
    let sizes = Sizes { pairs: parts[0].dims()[2], kernels, lefts, rights, l_max };
    apply(DplrKernel { sizes }, [Tensor::cat(parts, 0).into()])
}

/// Input: `[2 + 2 lefts + 2 rights, d_model, pairs]`, real and imaginary parts of `a`, of the left factors and of the right.
#[derive(Debug)]
struct DplrKernel {
    sizes: Sizes,
}

impl CpuKernel for DplrKernel {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let Sizes { kernels, l_max, .. } = self.sizes;
        let [_, d_model, _] = inputs[0].dims();
        let (roots, plan) = (Roots::new(l_max), fft::plan(l_max));
        let mut taps = vec![0.0; kernels * d_model * l_max];
        by_channel(&mut taps, d_model, l_max).into_par_iter().enumerate().for_each_init(
            || Row::new(self.sizes, &roots, &plan),
            |row, (channel, taps)| {
                row.load(&rows(&inputs[0], channel));
                row.taps(taps);
            },
        );
        Array::new(taps, [kernels, d_model, l_max])
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let Sizes { kernels, l_max, pairs, .. } = self.sizes;
        let [_, d_model, _] = saved.inputs[0].dims();
        let (roots, plan) = (Roots::new(l_max), fft::plan(l_max));
        let grad = |channel: usize| {
            move |kernel: usize| &saved.grad.data[(kernel * d_model + channel) * l_max..][..l_max]
        };
        let grads: Vec<Vec<f32>> = (0..d_model)
            .into_par_iter()
            .map_init(
                || Row::new(self.sizes, &roots, &plan),
                |row, channel| {
                    row.load(&rows(&saved.inputs[0], channel));
                    let grads: Vec<&[f32]> = (0..kernels).map(grad(channel)).collect();
                    row.grads(&grads)
                },
            )
            .collect();
        let mut all = vec![0.0; saved.inputs[0].data.len()];
        for (i, row) in all.chunks_exact_mut(pairs).enumerate() {
            let (part, channel) = (i / d_model, i % d_model);
            row.copy_from_slice(&grads[channel][part * pairs..][..pairs]);
        }
        vec![Some(Array::new(all, saved.inputs[0].shape))]
    }
}

/// The rows of `[kernels, d_model, seq]` grouped by channel.
fn by_channel(values: &mut [f32], d_model: usize, seq: usize) -> Vec<Vec<&mut [f32]>> {
    let mut rows: Vec<Vec<&mut [f32]>> = (0..d_model).map(|_| Vec::new()).collect();
    for (i, row) in values.chunks_mut(seq).enumerate() {
        rows[i % d_model].push(row);
    }
    rows
}

/// All parts of one channel.
fn rows<'a>(input: &View<'a>, channel: usize) -> Vec<&'a [f32]> {
    let [_, d_model, pairs] = input.dims();
    input.data.chunks_exact(pairs).skip(channel).step_by(d_model).collect()
}
