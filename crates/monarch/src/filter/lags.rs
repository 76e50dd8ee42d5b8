//! From the networks' outputs to the taps of the filter, channel by channel.
//!
//! ```text
//! lag  t        k_t = h_t decay_t (+ bias at t = 0)
//! lag -(t + 1)  r_t = h'_t decay_t
//! ```
//! The bias acts only on the present token, so it is part of lag 0; on its own it would cost a pass over the sequence.

use burn::tensor::Tensor;
use rayon::prelude::*;
use subquad_backend::kernel::{Array, CpuKernel, Part, Saved, Unwritten, View, apply};
use subquad_backend::simd::Lockstep;
use subquad_backend::{simd, transpose};

/// # Shapes
/// - `past` and, if two-sided, `future`: `[seq, d_model]`, the networks' outputs
/// - `decay`: `[seq, d_model]`, without a gradient
/// - `bias`: `[d_model]`
/// - output: `[sides, d_model, seq]`
pub(super) fn fused(
    past: Tensor<2>,
    future: Option<Tensor<2>>,
    decay: Tensor<2>,
    bias: Tensor<1>,
) -> Tensor<3> {
    match future {
        None => apply(Lags, [decay.into(), bias.into(), past.into()]),
        Some(future) => apply(Lags, [decay.into(), bias.into(), past.into(), future.into()]),
    }
}

/// The portable form, of outputs after their decay.
pub(super) fn stacked(past: Tensor<2>, future: Option<Tensor<2>>, bias: Tensor<1>) -> Tensor<3> {
    let [_, d_model] = past.dims();
    let present = past.clone().narrow(0, 0, 1) + bias.unsqueeze::<2>();
    let past = past.slice_assign([0..1, 0..d_model], present);
    Tensor::stack(std::iter::once(past).chain(future).map(Tensor::transpose).collect(), 0)
}

/// Both sides if the first tap that looks ahead looks at the present: it adds to lag 0, and the others move up.
pub(super) fn from_present(lags: Tensor<3>) -> Tensor<3> {
    let ([_, d_model, seq], device) = (lags.dims(), lags.device());
    let side = |i: usize, first: usize, len: usize| lags.clone().narrow(0, i, 1).narrow(2, first, len);
    let present = side(0, 0, 1) + side(1, 0, 1);
    let none = Tensor::zeros([1, d_model, 1], &device);
    let [past, future] = match seq {
        1 => [present, none],
        _ => [[present, side(0, 1, seq - 1)], [side(1, 1, seq - 1), none]]
            .map(|row| Tensor::cat(row.to_vec(), 2)),
    };
    Tensor::cat(vec![past, future], 0)
}

/// Inputs: `decay`, `bias`, `past` and, if two-sided, `future`.
#[derive(Debug)]
struct Lags;

/// Number of tokens that one thread takes at a time.
const TOKENS: usize = 64;

impl CpuKernel for Lags {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let ([seq, d_model], sides) = (inputs[0].dims(), &inputs[2..]);
        let mut out = Unwritten::new(sides.len() * d_model * seq);
        out.parts((d_model * seq).max(1)).into_par_iter().zip(sides).for_each(|(out, side)| {
            decayed_columns(out, side.data, inputs[0].data, [seq, d_model]);
        });
        let mut out = out.into_vec();
        let lag_0 = out.chunks_mut(seq.max(1)).zip(inputs[1].data);
        lag_0.for_each(|(row, bias)| row[0] += bias);
        Array::new(out, [sides.len(), d_model, seq])
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let ([seq, d_model], decay) = (saved.inputs[0].dims(), saved.inputs[0].data);
        let bias = || saved.grad.data.chunks(seq).take(d_model).map(|row| row[0]).collect::<Vec<_>>();
        let mut grads = vec![
            saved.wanted[0].then(|| panic!("the decay is not learned")),
            saved.wanted[1].then(|| Array::new(bias(), [d_model])),
        ];
        let sides = saved.grad.data.par_chunks(seq * d_model).zip(&saved.wanted[2..]);
        grads.par_extend(sides.map(|(grad, wanted)| {
            wanted.then(|| Array::new(decayed_rows(grad, decay, [seq, d_model]), [seq, d_model]))
        }));
        grads
    }
}

/// Number of channels that one thread takes at a time: two cache lines of a token.
const CHANNELS: usize = 32;

/// `(h decay)^T` of `[seq, d_model]`, into `[d_model, seq]`: a thread takes some channels.
fn decayed_columns(out: Part<'_>, h: &[f32], decay: &[f32], [seq, d_model]: [usize; 2]) {
    out.parts(CHANNELS * seq).into_par_iter().enumerate().for_each(|(block, out)| {
        let out = out.zeros();
        let (first, channels) = (block * CHANNELS, out.len() / seq);
        let mut tile = vec![0.0; TOKENS * channels];
        for t in (0..seq).step_by(TOKENS) {
            let tokens = TOKENS.min(seq - t);
            simd::run(
                #[inline(always)]
                || {
                    for (i, tile) in tile.chunks_mut(channels).take(tokens).enumerate() {
                        let at = (t + i) * d_model + first;
                        simd::multiply(tile, &h[at..], &decay[at..]);
                    }
                },
            );
            transpose(&tile, channels, [tokens, channels], &mut out[t..], seq);
        }
    });
}

/// `grad^T decay` of `[d_model, seq]`, as `[seq, d_model]`: a thread takes some tokens.
fn decayed_rows(grad: &[f32], decay: &[f32], [seq, d_model]: [usize; 2]) -> Vec<f32> {
    let mut whole = Unwritten::new(seq * d_model);
    whole.parts(TOKENS * d_model).into_par_iter().enumerate().for_each(|(block, out)| {
        let out = out.zeros();
        let (first, tokens) = (block * TOKENS, out.len() / d_model);
        transpose(&grad[first..], seq, [d_model, tokens], out, d_model);
        simd::run(
            #[inline(always)]
            || {
                for (out, decay) in out.iter_mut().lockstep(&decay[first * d_model..]) {
                    *out *= decay;
                }
            },
        );
    });
    whole.into_vec()
}
