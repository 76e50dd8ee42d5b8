//! Short causal convolution of every channel by itself (depthwise), as in M2 and Hyena.
//!
//! ```text
//! y_t = bias + sum over j < width of w_j x_{t - (width - 1) + j}        the last tap is the present
//! ```

use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::Form;
use crate::kernel::{Array, CpuKernel, Saved, Unwritten, View, apply};
use crate::linear::sums::grads_by_chunk;
use crate::linear::transpose::transposed;
use crate::simd;

/// # Shapes
/// - `x`: `[batch, seq, channels]`
/// - `weight`: `[channels, width]`
/// - `bias`: `[channels]`
/// - output: `[batch, seq, channels]`
///
/// # Panics
/// If the channels differ.
pub fn short_conv(x: Tensor<3>, weight: Tensor<2>, bias: Tensor<1>, form: Form) -> Tensor<3> {
    let ([_, _, channels], [rows, _]) = (x.dims(), weight.dims());
    assert!(
        channels == rows && bias.dims() == [channels],
        "a short convolution needs one kernel and one bias per channel"
    );
    match form {
        Form::Portable => portable(x, weight, bias),
        Form::Fused => apply(ShortConv, [x.into(), weight.into(), bias.into()]),
    }
}

/// Shifted multiply-adds: the input moved `width - 1 - j` tokens later, times tap `j`.
fn portable(x: Tensor<3>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<3> {
    let ([batch, seq, channels], [_, width]) = (x.dims(), weight.dims());
    let past = Tensor::zeros([batch, width - 1, channels], &x.device());
    let padded = Tensor::cat(vec![past, x], 1);
    let bias = bias.unsqueeze::<3>();
    (0..width).fold(bias.expand([batch, seq, channels]), |y, j| {
        let tap = weight.clone().narrow(1, j, 1).reshape([1, 1, channels]);
        y + padded.clone().narrow(1, j, seq) * tap
    })
}

/// Inputs: `x [batch, seq, channels]`, `weight [channels, width]`, `bias [channels]`.
#[derive(Debug)]
struct ShortConv;

impl CpuKernel for ShortConv {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let [batch, seq, channels] = inputs[0].dims();
        let taps = transposed(inputs[1].data, inputs[1].dims());
        let mut y = Unwritten::new(inputs[0].data.len());
        let sequences =
            y.parts(seq * channels).into_par_iter().zip(inputs[0].data.par_chunks(seq * channels));
        sequences.for_each(|(y, x)| {
            let y = y.zeros();
            simd::run(
                #[inline(always)]
                || convolve(y, x, &taps, inputs[2].data),
            )
        });
        Array::new(y.into_vec(), [batch, seq, channels])
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let [batch, seq, channels] = saved.inputs[0].dims();
        let [_, width] = saved.inputs[1].dims();
        let taps = transposed(saved.inputs[1].data, [channels, width]);
        let (dx, sums) = grads_by_chunk(
            [saved.inputs[0].data, saved.grad.data],
            seq * channels,
            (width + 1) * channels,
            #[inline(always)]
            |dx, x, dy, sums| sequence_grads(dx, x, dy, &taps, sums),
        );
        let (by_taps, by_bias) = sums.split_at(width * channels);
        vec![
            saved.wanted[0].then(|| Array::new(dx, [batch, seq, channels])),
            saved.wanted[1].then(|| Array::new(transposed(by_taps, [width, channels]), [channels, width])),
            saved.wanted[2].then(|| Array::new(by_bias.to_vec(), [channels])),
        ]
    }
}

/// `taps` are a row of channels a tap, so that the inner loops run over neighbours.
#[inline(always)]
fn convolve(y: &mut [f32], x: &[f32], taps: &[f32], bias: &[f32]) {
    let channels = bias.len();
    for (t, y) in y.chunks_mut(channels).enumerate() {
        y.copy_from_slice(bias);
        for (tap, at) in present_taps(taps.len() / channels, t, channels) {
            simd::add_product(y, &taps[tap..tap + channels], &x[at..at + channels]);
        }
    }
}

/// Where the taps that meet a token at time `t` begin, each with where that token does.
#[inline(always)]
fn present_taps(width: usize, t: usize, channels: usize) -> impl Iterator<Item = (usize, usize)> {
    let lag = move |j: usize| width - 1 - j;
    (0..width).filter(move |j| lag(*j) <= t).map(move |j| (j * channels, (t - lag(j)) * channels))
}

/// Adds the gradients of the taps, laid out as they are, then of the bias, to `sums`.
#[inline(always)]
fn sequence_grads(dx: &mut [f32], x: &[f32], dy: &[f32], taps: &[f32], sums: &mut [f32]) {
    let (by_taps, by_bias) = sums.split_at_mut(taps.len());
    let channels = by_bias.len();
    for (t, dy) in dy.chunks(channels).enumerate() {
        simd::add(by_bias, dy);
        for (tap, at) in present_taps(taps.len() / channels, t, channels) {
            simd::add_product(&mut dx[at..at + channels], &taps[tap..tap + channels], dy);
            simd::add_product(&mut by_taps[tap..tap + channels], dy, &x[at..at + channels]);
        }
    }
}
