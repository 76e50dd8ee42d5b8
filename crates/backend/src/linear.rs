//! A linear layer on every token: `y = x W + b`.
//!
//! The fused form starts every row from the bias and lets the product add to it, and its gradients multiply operands where
//! they lie: no pass for the bias, no transposed copies.

use burn::nn::Linear;
use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::Form;
use crate::kernel::{Array, CpuKernel, Saved, View, apply};
use crate::matmul::{Matrix, MatrixMut};
use crate::simd;

/// # Shapes
/// - `x`: `[.., d_input]`
/// - output: `[.., d_output]`
///
/// # Panics
/// If the last axis of `x` is not the layer's.
pub fn linear<const D: usize>(layer: &Linear, x: Tensor<D>, form: Form) -> Tensor<D> {
    let (width, [d_input, _]) = (x.dims()[D - 1], layer.weight.dims());
    assert_eq!(width, d_input, "a linear layer of {d_input} inputs got {width}");
    match (form, &layer.bias) {
        (Form::Portable, _) => layer.forward(x),
        (Form::Fused, None) => apply(Product, [x.into(), layer.weight.val().into()]),
        (Form::Fused, Some(bias)) => apply(Product, [x.into(), layer.weight.val().into(), bias.val().into()]),
    }
}

/// Tokens that one thread multiplies at a time in the forward pass.
const ROWS: usize = 256;
/// Parts of the sum over tokens that makes the weight's gradient. A constant, so that the order of the sum does not depend on
/// the number of threads.
const PARTS: usize = 8;

/// How a layer's work is shared among threads.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Share {
    /// Each takes some tokens.
    Tokens,
    /// All make one product at a time: few tokens meet so large a weight that the parts of its gradient would outweigh the
    /// tokens.
    Products,
}

impl Share {
    fn of(tokens: usize, d_input: usize, d_output: usize) -> Self {
        match PARTS * d_input * d_output <= tokens * (d_input + d_output) {
            true => Self::Tokens,
            false => Self::Products,
        }
    }

    fn destination<'a>(self, data: &'a mut [f32], rows: usize, cols: usize) -> MatrixMut<'a> {
        let matrix = MatrixMut::new(data, rows, cols, cols);
        match self {
            Self::Tokens => matrix,
            Self::Products => matrix.on_all_threads(),
        }
    }
}

/// Inputs: `x [.., d_input]`, `weight [d_input, d_output]` and, if there is one, `bias [d_output]`.
#[derive(Debug)]
struct Product;

impl CpuKernel for Product {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let [d_input, d_output] = inputs[1].dims();
        let mut shape = inputs[0].shape.to_vec();
        *shape.last_mut().expect("a linear layer's input has axes") = d_output;
        let mut y = vec![0.0; shape.iter().product()];
        let tokens = y.len() / d_output;
        let share = Share::of(tokens, d_input, d_output);
        let at_once = if share == Share::Tokens { ROWS } else { tokens.max(1) };
        let chunks = y.par_chunks_mut(at_once * d_output).zip(inputs[0].data.par_chunks(at_once * d_input));
        chunks.for_each(|(y, x)| rows(y, x, inputs, share));
        Array::new(y, shape)
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let ([d_input, d_output], x) = (saved.inputs[1].dims(), saved.inputs[0]);
        let tokens = x.data.len() / d_input;
        let share = Share::of(tokens, d_input, d_output);
        let part = if share == Share::Tokens { tokens.div_ceil(PARTS) } else { tokens.max(1) };
        let mut dx = vec![0.0; x.data.len()];
        let chunks = dx
            .par_chunks_mut(part * d_input)
            .zip(x.data.par_chunks(part * d_input))
            .zip(saved.grad.data.par_chunks(part * d_output));
        let parts: Vec<ParameterGrads> =
            chunks.map(|((dx, x), dy)| part_grads(dx, x, dy, saved, share)).collect();
        let total = parts.into_iter().reduce(ParameterGrads::plus);
        let total = total.unwrap_or_else(|| ParameterGrads::zero(d_input, d_output));
        let mut grads = vec![
            saved.wanted[0].then(|| Array::new(dx, x.shape)),
            saved.wanted[1].then(|| Array::new(total.weight, [d_input, d_output])),
        ];
        grads.extend(saved.wanted.get(2).map(|wanted| wanted.then(|| Array::new(total.bias, [d_output]))));
        grads
    }
}

fn rows(y: &mut [f32], x: &[f32], inputs: &[View<'_>], share: Share) {
    let [d_input, d_output] = inputs[1].dims();
    if let Some(bias) = inputs.get(2) {
        y.chunks_mut(d_output).for_each(|y| y.copy_from_slice(bias.data));
    }
    let count = y.len() / d_output;
    let x = Matrix::new(x, count, d_input, d_input);
    let weight = Matrix::new(inputs[1].data, d_input, d_output, d_output);
    share.destination(y, count, d_output).add_product(1.0, x, weight);
}

struct ParameterGrads {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl ParameterGrads {
    fn zero(d_input: usize, d_output: usize) -> Self {
        Self { weight: vec![0.0; d_input * d_output], bias: vec![0.0; d_output] }
    }

    fn plus(mut self, other: Self) -> Self {
        simd::add(&mut self.weight, &other.weight);
        simd::add(&mut self.bias, &other.bias);
        self
    }
}

/// `dx = dy W^T`, `dW = x^T dy`, `db = sum of dy`, over some rows.
fn part_grads(dx: &mut [f32], x: &[f32], dy: &[f32], saved: &Saved<'_>, share: Share) -> ParameterGrads {
    let [d_input, d_output] = saved.inputs[1].dims();
    let count = dy.len() / d_output;
    let dy_rows = Matrix::new(dy, count, d_output, d_output);
    if saved.wanted[0] {
        let weight = Matrix::new(saved.inputs[1].data, d_input, d_output, d_output);
        share.destination(dx, count, d_input).set_product(1.0, dy_rows, weight.transposed());
    }
    let mut weight = vec![0.0; d_input * d_output];
    if saved.wanted[1] {
        let x = Matrix::new(x, count, d_input, d_input).transposed();
        share.destination(&mut weight, d_input, d_output).set_product(1.0, x, dy_rows);
    }
    let mut bias = vec![0.0; d_output];
    if saved.wanted.get(2) == Some(&true) {
        simd::run(
            #[inline(always)]
            || dy.chunks(d_output).for_each(|dy| simd::add(&mut bias, dy)),
        );
    }
    ParameterGrads { weight, bias }
}
