//! Short causal convolution of every channel by itself (depthwise), as in M2 and Hyena.
//!
//! ```text
//! y_t = bias + sum over j < width of w_j x_{t - (width - 1) + j}        the last tap is the present
//! ```

use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::Form;
use crate::kernel::{Array, CpuKernel, Saved, Unwritten, View, apply};
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
        let taps = taps_first(&inputs[1]);
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
        let taps = taps_first(&saved.inputs[1]);
        let mut dx = Unwritten::new(saved.grad.data.len());
        let per_sequence: Vec<TapGrads> = dx
            .parts(seq * channels)
            .into_par_iter()
            .zip(saved.grad.data.par_chunks(seq * channels))
            .zip(saved.inputs[0].data.par_chunks(seq * channels))
            .map(|((dx, dy), x)| {
                let dx = dx.zeros();
                simd::run(
                    #[inline(always)]
                    || sequence_grads(dx, dy, x, &taps),
                )
            })
            .collect();
        let total = TapGrads::sum(per_sequence, width, channels);
        vec![
            saved.wanted[0].then(|| Array::new(dx.into_vec(), [batch, seq, channels])),
            saved.wanted[1].then(|| Array::new(channels_first(&total.weight), [channels, width])),
            saved.wanted[2].then(|| Array::new(total.bias, [channels])),
        ]
    }
}

/// `[channels, width]` as one row of channels a tap, so that the inner loops run over neighbours.
fn taps_first(weight: &View<'_>) -> Vec<Vec<f32>> {
    let [_, width] = weight.dims();
    (0..width).map(|j| weight.data.iter().skip(j).step_by(width).copied().collect()).collect()
}

fn channels_first(taps: &[Vec<f32>]) -> Vec<f32> {
    (0..taps[0].len()).flat_map(|channel| taps.iter().map(move |tap| tap[channel])).collect()
}

#[inline(always)]
fn convolve(y: &mut [f32], x: &[f32], taps: &[Vec<f32>], bias: &[f32]) {
    let channels = bias.len();
    for (t, y) in y.chunks_mut(channels).enumerate() {
        y.copy_from_slice(bias);
        for (tap, x) in present_taps(taps, x, t, channels) {
            simd::add_product(y, tap, x);
        }
    }
}

/// The taps that meet a token at time `t`, each with that token.
#[inline(always)]
fn present_taps<'a>(
    taps: &'a [Vec<f32>],
    x: &'a [f32],
    t: usize,
    channels: usize,
) -> impl Iterator<Item = (&'a [f32], &'a [f32])> {
    let lag = move |j: usize| taps.len() - 1 - j;
    let meets = (0..taps.len()).filter(move |j| lag(*j) <= t);
    meets.map(move |j| (&taps[j][..], &x[(t - lag(j)) * channels..][..channels]))
}

struct TapGrads {
    weight: Vec<Vec<f32>>,
    bias: Vec<f32>,
}

impl TapGrads {
    fn zero(width: usize, channels: usize) -> Self {
        Self { weight: vec![vec![0.0; channels]; width], bias: vec![0.0; channels] }
    }

    /// In the order of the batch, whatever thread made which.
    fn sum(parts: Vec<Self>, width: usize, channels: usize) -> Self {
        parts.into_iter().fold(Self::zero(width, channels), |mut total, part| {
            for (sum, tap) in total.weight.iter_mut().zip(&part.weight) {
                simd::add(sum, tap);
            }
            simd::add(&mut total.bias, &part.bias);
            total
        })
    }
}

#[inline(always)]
fn sequence_grads(dx: &mut [f32], dy: &[f32], x: &[f32], taps: &[Vec<f32>]) -> TapGrads {
    let (width, channels) = (taps.len(), taps[0].len());
    let mut grads = TapGrads::zero(width, channels);
    for (t, dy) in dy.chunks(channels).enumerate() {
        simd::add(&mut grads.bias, dy);
        for j in (0..width).filter(|j| width - 1 - j <= t) {
            let at = (t - (width - 1 - j)) * channels;
            simd::add_product(&mut dx[at..at + channels], &taps[j], dy);
            simd::add_product(&mut grads.weight[j], dy, &x[at..at + channels]);
        }
    }
    grads
}
