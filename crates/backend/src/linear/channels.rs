//! A linear layer on every token of sequences that lie channel by channel.
//!
//! | | |
//! | --- | --- |
//! | `Y = W^T X + b` | threads take sequences and rows of `Y`, `X` stays in place |
//! | `dX = W dY` | the same with the other operand |
//! | `dW = sum over sequences of X dY^T` | the narrower of `X` and `dY` in panels of its transpose |

use std::ops::Range;

use burn::nn::Linear;
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::multiply::{Multiply, Out, Panels, Right, Start};
use super::operands;
use super::products::rows_at_once;
use super::sums::{PARTS, sum_of_parts};
use super::transpose::transposed;
use crate::kernel::{Array, CpuKernel, Saved, Unwritten, View, apply};
use crate::micro::Scalars;
use crate::{Form, simd};

/// # Shapes
/// - `x`: `[batch, d_input, seq]`
/// - output: `[batch, d_output, seq]`
///
/// # Panics
/// If the second axis of `x` is not the layer's.
pub fn linear_of_channels(layer: &Linear, x: Tensor<3>, form: Form) -> Tensor<3> {
    let ([_, channels, _], [d_input, _]) = (x.dims(), layer.weight.dims());
    assert_eq!(channels, d_input, "a linear layer of {d_input} inputs got {channels}");
    match form {
        Form::Portable => layer.forward(x.swap_dims(1, 2)).swap_dims(1, 2),
        Form::Fused => apply(OfChannels, operands(x, layer)),
    }
}

/// Inputs: `x [batch, d_input, seq]`, `weight [d_input, d_output]` and, if there is one, `bias [d_output]`.
#[derive(Debug)]
struct OfChannels;

impl CpuKernel for OfChannels {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let ([batch, d_input, seq], [_, d_output]) = (inputs[0].dims(), inputs[1].dims());
        // Rows are read in order; columns would cost a cache line per number.
        let weight = transposed(inputs[1].data, [d_input, d_output]);
        let weight = Scalars::rows(&weight, d_input);
        let start = inputs.get(2).map_or(Start::Zeros, |bias| Start::Rows(bias.data));
        let y = product(weight, inputs[0].data, start, [batch, d_input, d_output, seq]);
        Array::new(y, [batch, d_output, seq])
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let (x, weight, dy) = (&saved.inputs[0], &saved.inputs[1], saved.grad.data);
        let ([batch, d_input, seq], [_, d_output]) = (x.dims(), weight.dims());
        let dx = || {
            let weight = Scalars::rows(weight.data, d_output);
            product(weight, dy, Start::Zeros, [batch, d_output, d_input, seq])
        };
        let mut grads = vec![
            saved.wanted[0].then(|| Array::new(dx(), x.shape)),
            saved.wanted[1].then(|| weight_grad(x.data, dy, [batch, d_input, d_output, seq])),
        ];
        let bias = |wanted: &bool| wanted.then(|| bias_grad(dy, d_output, seq));
        grads.extend(saved.wanted.get(2).map(bias));
        grads
    }
}

/// `start + a x` of every sequence, for `a [d_output, d_input]`.
fn product(
    a: Scalars<'_>,
    x: &[f32],
    start: Start<'_>,
    [batch, d_input, d_output, seq]: [usize; 4],
) -> Vec<f32> {
    if batch * d_output * seq == 0 {
        return vec![];
    }
    let (mut y, rows) = (Unwritten::new(batch * d_output * seq), rows_at_once(d_output, batch));
    y.parts(d_output * seq).into_par_iter().zip(x.par_chunks(d_input * seq)).for_each(|(y, x)| {
        y.parts(rows * seq).into_par_iter().enumerate().for_each(|(index, out)| {
            let a = Scalars { data: &a.data[index * rows * a.row..], ..a };
            let start = start.of_rows(index * rows..index * rows + out.len() / seq);
            let b = Right::Rows { data: x, stride: seq };
            Multiply { out: Out::part(out, seq), a, b, terms: d_input, cols: seq, start }.run();
        });
    });
    y.into_vec()
}

impl<'a> Start<'a> {
    fn of_rows(self, rows: Range<usize>) -> Self {
        match self {
            Self::Rows(start) => Self::Rows(&start[rows]),
            Self::Zeros | Self::Columns(_) | Self::Out => self,
        }
    }
}

/// `sum over sequences of x dy^T`: `[d_input, d_output]`.
fn weight_grad(x: &[f32], dy: &[f32], [batch, d_input, d_output, seq]: [usize; 4]) -> Array {
    if d_input > d_output {
        let grad = sum_of_products(x, dy, [batch, d_input, d_output, seq]);
        return Array::new(grad, [d_input, d_output]);
    }
    let grad = sum_of_products(dy, x, [batch, d_output, d_input, seq]);
    Array::new(transposed(&grad, [d_output, d_input]), [d_input, d_output])
}

/// `sum over sequences of a b^T` for `a [rows, seq]` and `b [cols, seq]` of each. Parts of the batch are summed in
/// parallel, and their sums are then added in order.
fn sum_of_products(a: &[f32], b: &[f32], [batch, rows, cols, seq]: [usize; 4]) -> Vec<f32> {
    if batch * seq == 0 {
        return vec![0.0; rows * cols];
    }
    let part = batch.div_ceil(PARTS);
    let at_once = rows_at_once(rows, batch.div_ceil(part));
    let mut parts = Unwritten::new(batch.div_ceil(part) * rows * cols);
    let sequences = a.par_chunks(part * rows * seq).zip(b.par_chunks(part * cols * seq));
    parts.parts(rows * cols).into_par_iter().zip(sequences).for_each(|(sum, (a, b))| {
        let sum = sum.zeros();
        for (index, (a, b)) in a.chunks(rows * seq).zip(b.chunks(cols * seq)).enumerate() {
            let panels = Panels::of_columns(b, [seq, cols]);
            let start = if index == 0 { Start::Zeros } else { Start::Out };
            sum.par_chunks_mut(at_once * cols).zip(a.par_chunks(at_once * seq)).for_each(|(out, a)| {
                let (a, b) = (Scalars::rows(a, seq), panels.all());
                Multiply { out: Out::whole(out, cols), a, b, terms: seq, cols, start }.run();
            });
        }
    });
    sum_of_parts(parts.into_vec(), rows * cols)
}

/// Sum over sequences and tokens.
fn bias_grad(dy: &[f32], d_output: usize, seq: usize) -> Array {
    let mut sums = vec![0.0; d_output];
    if seq > 0 {
        sums.par_iter_mut().enumerate().for_each(|(channel, sum)| {
            for row in dy.chunks(seq).skip(channel).step_by(d_output) {
                *sum += simd::run(
                    #[inline(always)]
                    || simd::sum(row, |x| x),
                );
            }
        });
    }
    Array::new(sums, [d_output])
}
