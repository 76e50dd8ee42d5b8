//! A linear layer and the cross-entropy of its outputs, as one operation.
//!
//! Rows go chunk by chunk through the layer, the softmax and the gradients, which are made with the loss: neither the logits nor
//! their gradient, each `[rows, classes]`, are ever in memory as a whole, and no product is made twice (as in Liger Kernel,
//! Hsu et al. 2024, <https://arxiv.org/abs/2410.10989>, section 3.2).

use burn::nn::Linear;
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::{Gradients, LogSums, check, cross_entropy};
use crate::kernel::{Array, CpuKernel, Part, Saved, Unwritten, View, apply};
use crate::linear::multiply::{Multiply, Out, Panels, Start, TERMS};
use crate::linear::products::{by_rows, by_rows_into, rows_at_once};
use crate::linear::sums::sum_of_rows;
use crate::linear::transpose::transposed;
use crate::linear::{linear, operands};
use crate::micro::Scalars;
use crate::{Form, simd};

/// How well a model classifies rows.
#[derive(Debug, Clone)]
pub struct Classified {
    /// The mean over rows of the negative log-likelihood of each row's class, `[1]`.
    pub loss: Tensor<1>,
    /// Rows whose class has the largest logit, the first of several that are equal.
    pub correct: usize,
}

/// [`cross_entropy`] of `layer` applied to `x`, and how many rows it classifies correctly.
///
/// # Shapes
/// - `x`: `[rows, d_input]`
/// - `classes`: `[rows]`
///
/// # Panics
/// If `x` is not as wide as the layer reads, there are not as many classes as rows, none, or one of them has no logit.
pub fn linear_cross_entropy(layer: &Linear, x: Tensor<2>, classes: &[i32], form: Form) -> Classified {
    let ([rows, width], [d_input, count]) = (x.dims(), layer.weight.dims());
    assert_eq!(width, d_input, "a linear layer of {d_input} inputs got {width}");
    check(classes, [rows, count]);
    match form {
        Form::Portable => classify(linear(layer, x, form), classes, form),
        Form::Fused => {
            let kernel = LinearCrossEntropy { classes: classes.into(), tracked: x.device().is_autodiff() };
            let found: Tensor<1> = apply(kernel, operands(x, layer));
            let correct: f32 = found.clone().narrow(0, 1, 1).into_scalar();
            Classified { loss: found.narrow(0, 0, 1), correct: correct as usize }
        }
    }
}

/// [`cross_entropy`] of logits, and how many rows they classify correctly.
///
/// # Shapes
/// - `logits`: `[rows, classes]`
/// - `classes`: `[rows]`
///
/// # Panics
/// As [`cross_entropy`].
pub fn classify(logits: Tensor<2>, classes: &[i32], form: Form) -> Classified {
    let best = logits.clone().argmax(1).into_data();
    let correct = best.iter::<i32>().zip(classes).filter(|(best, class)| best == *class).count();
    Classified { loss: cross_entropy(logits, classes, form), correct }
}

/// Inputs: `x [rows, d_input]`, `weight [d_input, classes]` and, if there is one, `bias [classes]`. Output: loss and number of
/// correct rows. Notes, if `tracked`: the gradients of the loss, one after the other, the weight's transposed.
#[derive(Debug)]
struct LinearCrossEntropy {
    classes: Box<[i32]>,
    tracked: bool,
}

impl CpuKernel for LinearCrossEntropy {
    fn forward_and_notes(&self, inputs: &[View<'_>]) -> (Array, Option<Array>) {
        let ([rows, d_input], [_, width]) = (inputs[0].dims(), inputs[1].dims());
        let len = if self.tracked { rows * d_input + d_input * width + width } else { 0 };
        let mut notes = Unwritten::new(len);
        let part = notes.parts(len.max(1)).pop();
        let mut grads = part.map(|part| Grads::new(part, inputs[1].data, [rows, d_input, width]));
        let layer = Layer::new(inputs, [d_input, width]);
        let (mut losses, mut correct) = (vec![0.0; rows], 0);
        let at_once = rows_of_chunk(width);
        let chunks = inputs[0].data.chunks(at_once * d_input).zip(self.classes.chunks(at_once));
        for ((x, classes), losses) in chunks.zip(losses.chunks_mut(at_once)) {
            let mut logits = layer.logits(x);
            correct += Rows { logits: &mut logits, classes, losses, width }.classify(1.0 / rows as f32);
            if let Some(grads) = &mut grads {
                grads.add(x, &logits);
            }
        }
        let sum: f64 = losses.iter().map(|loss| f64::from(*loss)).sum();
        let found = vec![(sum / rows as f64) as f32, correct as f32];
        (Array::new(found, [2]), self.tracked.then(|| Array::new(notes.into_vec(), [len])))
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let ([rows, d_input], [_, width]) = (saved.inputs[0].dims(), saved.inputs[1].dims());
        let notes = saved.notes.expect("the forward pass notes gradients").data;
        let (x, rest) = notes.split_at(rows * d_input);
        let (turned, bias) = rest.split_at(d_input * width);
        let factor = saved.grad.data[0];
        let weight = || transposed(&scaled(turned, factor), [width, d_input]);
        let mut grads = vec![
            saved.wanted[0].then(|| Array::new(scaled(x, factor), [rows, d_input])),
            saved.wanted[1].then(|| Array::new(weight(), [d_input, width])),
        ];
        let bias = |wanted: &bool| wanted.then(|| Array::new(scaled(bias, factor), [width]));
        grads.extend(saved.wanted.get(2).map(bias));
        grads
    }
}

/// Rows whose logits are in memory together: some 2 MiB of them, and whole blocks of the sums over rows.
fn rows_of_chunk(width: usize) -> usize {
    ((1 << 19) / width).next_multiple_of(TERMS).max(TERMS)
}

struct Layer<'a> {
    weight: Panels,
    bias: Option<&'a [f32]>,
    d_input: usize,
    width: usize,
}

impl<'a> Layer<'a> {
    fn new(inputs: &[View<'a>], [d_input, width]: [usize; 2]) -> Self {
        let weight = Panels::of_rows(inputs[1].data, [d_input, width]);
        Self { weight, bias: inputs.get(2).map(|bias| bias.data), d_input, width }
    }

    fn logits(&self, x: &[f32]) -> Vec<f32> {
        let sizes = [x.len() / self.d_input, self.d_input, self.width];
        by_rows(x, &self.weight, sizes, self.bias.into())
    }
}

struct Rows<'a> {
    logits: &'a mut [f32],
    classes: &'a [i32],
    losses: &'a mut [f32],
    width: usize,
}

impl Rows<'_> {
    /// Writes losses, and gradients over the logits. Returns how many rows are correct.
    fn classify(self, scale: f32) -> usize {
        let Self { logits, classes, losses, width } = self;
        let at_once = super::rows_at_once(width);
        let rows = logits.par_chunks_mut(at_once * width).zip(classes.par_chunks(at_once));
        let rows = rows.zip(losses.par_chunks_mut(at_once));
        rows.map(|((logits, classes), losses)| Rows { logits, classes, losses, width }.on_this_thread(scale))
            .sum()
    }

    fn on_this_thread(self, scale: f32) -> usize {
        let Self { logits, classes, losses, width } = self;
        let rows = || logits.chunks_exact(width).zip(classes).map(|(row, class)| (row, *class as usize));
        let correct = rows().filter(|(row, class)| is_first_largest(row, *class)).count();
        let picked: Vec<f32> = rows().map(|(row, class)| row[class]).collect();
        simd::dispatch(LogSums { logs: losses, logits, width });
        simd::dispatch(Gradients { grads: logits, logs: losses, classes, width, scale });
        losses.iter_mut().zip(picked).for_each(|(loss, picked)| *loss -= picked);
        correct
    }
}

fn is_first_largest(row: &[f32], class: usize) -> bool {
    row[..class].iter().all(|x| *x < row[class]) && row[class..].iter().all(|x| *x <= row[class])
}

/// The gradients of the loss, to which chunks of rows are added.
struct Grads<'a> {
    /// One part a chunk.
    x: std::vec::IntoIter<Part<'a>>,
    /// `[classes, d_input]`: its rows are shared out among the threads.
    weight: &'a mut [f32],
    bias: &'a mut [f32],
    /// The layer's weight.
    turned: Panels,
    d_input: usize,
}

impl<'a> Grads<'a> {
    fn new(part: Part<'a>, weight: &[f32], [rows, d_input, width]: [usize; 3]) -> Self {
        let (x, rest) = part.split_at(rows * d_input);
        let (sum, bias) = rest.split_at(d_input * width);
        Self {
            x: x.parts(rows_of_chunk(width) * d_input).into_iter(),
            weight: sum.zeros(),
            bias: bias.zeros(),
            turned: Panels::of_columns(weight, [width, d_input]),
            d_input,
        }
    }

    /// The next chunk: its inputs, and the gradient of its logits.
    fn add(&mut self, x: &[f32], dlogits: &[f32]) {
        let (d_input, width) = (self.d_input, self.bias.len());
        let sizes = [x.len() / d_input, width, d_input];
        let dx = self.x.next().expect("as many parts as chunks");
        by_rows_into(dx, dlogits, &self.turned, sizes, Start::Zeros);
        let (panels, at_once) = (Panels::of_rows(x, [sizes[0], d_input]), rows_at_once(width, 1));
        self.weight.par_chunks_mut(at_once * d_input).enumerate().for_each(|(index, out)| {
            let a = Scalars::columns(&dlogits[index * at_once..], width);
            let (out, b) = (Out::whole(out, d_input), panels.all());
            Multiply { out, a, b, terms: sizes[0], cols: d_input, start: Start::Out }.run();
        });
        simd::add(self.bias, &sum_of_rows(dlogits, width));
    }
}

/// `values` times `factor`.
fn scaled(values: &[f32], factor: f32) -> Vec<f32> {
    const AT_ONCE: usize = 1 << 14;
    let mut out = Unwritten::new(values.len());
    out.parts(AT_ONCE).into_par_iter().zip(values.par_chunks(AT_ONCE)).for_each(|(out, values)| {
        out.copied(values).iter_mut().for_each(|value| *value *= factor);
    });
    out.into_vec()
}
