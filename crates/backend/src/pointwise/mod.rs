//! Pointwise tails: one pass over memory, all threads, gradients by recomputation from the input.
//!
//! ```text
//! gelu(x)      = x Phi(x)                  exact (error function), Hendrycks, Gimpel 2016
//! glu([a, b])  = a sigmoid(b)              Dauphin et al. 2016; halves of the last axis
//! geglu([a, b]) = gelu(a) b                Shazeer 2020, in the order of M2's channel mixer
//! ```

mod activation;
#[doc(hidden)]
pub mod reference;
mod row;

use std::f64::consts::FRAC_1_SQRT_2;

use burn::tensor::Tensor;
use burn::tensor::activation::{relu, sigmoid, tanh};
use rayon::prelude::*;

use crate::Form;
use crate::kernel::{Array, CpuKernel, Saved, Unwritten, View, apply};
use crate::simd::{Simd, WithSimd};
use crate::{maths, simd};

pub use activation::Activation;
pub use row::{activate_row, glu_row};

/// `activation` of every element.
pub fn activate<const D: usize>(x: Tensor<D>, activation: Activation, form: Form) -> Tensor<D> {
    match (form, activation) {
        (_, Activation::Identity) => x,
        (Form::Fused, _) => apply(Activate(activation), [x.into()]),
        (Form::Portable, Activation::Gelu) => portable_gelu(x),
        (Form::Portable, Activation::Silu) => x.clone() * sigmoid(x),
        (Form::Portable, Activation::Relu) => relu(x),
        (Form::Portable, Activation::Tanh) => tanh(x),
        (Form::Portable, Activation::Sigmoid) => sigmoid(x),
    }
}

/// Exact GELU of every element.
pub fn gelu<const D: usize>(x: Tensor<D>, form: Form) -> Tensor<D> {
    activate(x, Activation::Gelu, form)
}

/// The first half of the last axis times the sigmoid of the second: `[.., 2 n]` to `[.., n]`.
///
/// # Panics
/// If the last axis is odd.
pub fn glu<const D: usize>(x: Tensor<D>, form: Form) -> Tensor<D> {
    match form {
        Form::Portable => {
            let (a, b) = halves(x);
            a * sigmoid(b)
        }
        Form::Fused => gated(x, SigmoidOfSecond),
    }
}

/// The GELU of the first half of the last axis times the second: `[.., 2 n]` to `[.., n]`.
///
/// # Panics
/// If the last axis is odd.
pub fn geglu<const D: usize>(x: Tensor<D>, form: Form) -> Tensor<D> {
    match form {
        Form::Portable => {
            let (a, b) = halves(x);
            portable_gelu(a) * b
        }
        Form::Fused => gated(x, GeluOfFirst),
    }
}

/// burn's own `gelu` has the slope of the tanh approximation on GPUs: exact values, gradients off by up to 6e-4.
fn portable_gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let phi = ((x.clone() * FRAC_1_SQRT_2).erf() + 1.0) * 0.5;
    x * phi
}

fn gated<const D: usize>(x: Tensor<D>, gate: impl Gate) -> Tensor<D> {
    half_of_last_axis(&x);
    apply(Gated(gate), [x.into()])
}

fn halves<const D: usize>(x: Tensor<D>) -> (Tensor<D>, Tensor<D>) {
    let half = half_of_last_axis(&x);
    (x.clone().narrow(D - 1, 0, half), x.narrow(D - 1, half, half))
}

fn half_of_last_axis<const D: usize>(x: &Tensor<D>) -> usize {
    let last = x.dims()[D - 1];
    assert!(last.is_multiple_of(2), "a gate needs two halves, got a last axis of {last}");
    last / 2
}

/// Elements that one thread takes at a time. Large enough to hide the cost of a task, small enough for the cache.
const CHUNK: usize = 1 << 13;

#[derive(Debug)]
struct Activate(Activation);

impl CpuKernel for Activate {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let mut y = inputs[0].data.to_vec();
        y.par_chunks_mut(CHUNK).for_each(|y| simd::dispatch(Values(self.0, y)));
        Array::new(y, inputs[0].shape)
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let mut dx = saved.grad.data.to_vec();
        let chunks = dx.par_chunks_mut(CHUNK).zip(saved.inputs[0].data.par_chunks(CHUNK));
        chunks.for_each(|(dx, x)| simd::dispatch(TimesSlopes(self.0, dx, x)));
        vec![Some(Array::new(dx, saved.grad.shape))]
    }
}

struct Values<'a>(Activation, &'a mut [f32]);

impl WithSimd for Values<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.0.apply(simd, self.1);
    }
}

struct TimesSlopes<'a>(Activation, &'a mut [f32], &'a [f32]);

impl WithSimd for TimesSlopes<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.0.times_slopes(simd, self.1, self.2);
    }
}

/// A function of the two halves of a row, element by element.
trait Gate: std::fmt::Debug + Send + Sync + 'static {
    fn value(a: f32, b: f32) -> f32;
    /// Derivatives by `a` and by `b`.
    fn slopes(a: f32, b: f32) -> (f32, f32);
}

#[derive(Debug)]
struct SigmoidOfSecond;

impl Gate for SigmoidOfSecond {
    #[inline(always)]
    fn value(a: f32, b: f32) -> f32 {
        a * maths::sigmoid(b)
    }

    #[inline(always)]
    fn slopes(a: f32, b: f32) -> (f32, f32) {
        let s = maths::sigmoid(b);
        (s, a * s * (1.0 - s))
    }
}

#[derive(Debug)]
struct GeluOfFirst;

impl Gate for GeluOfFirst {
    #[inline(always)]
    fn value(a: f32, b: f32) -> f32 {
        maths::gelu(a) * b
    }

    #[inline(always)]
    fn slopes(a: f32, b: f32) -> (f32, f32) {
        (maths::gelu_slope(a) * b, maths::gelu(a))
    }
}

#[derive(Debug)]
struct Gated<G>(G);

impl<G: Gate> CpuKernel for Gated<G> {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let (width, shape) = halved(inputs[0].shape);
        let (mut y, rows) = (Unwritten::new(inputs[0].data.len() / 2), rows_per_chunk(width));
        let chunks = y.parts(rows * width).into_par_iter().zip(inputs[0].data.par_chunks(rows * 2 * width));
        chunks.for_each(|(y, x)| {
            let y = y.zeros();
            simd::run(
                #[inline(always)]
                || values::<G>(y, x, width),
            )
        });
        Array::new(y.into_vec(), shape)
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let (width, _) = halved(saved.inputs[0].shape);
        let (x, dy) = (saved.inputs[0].data, saved.grad.data);
        let (mut dx, rows) = (Unwritten::new(x.len()), rows_per_chunk(width));
        let wide = rows * 2 * width;
        let chunks = dx.parts(wide).into_par_iter().zip(x.par_chunks(wide)).zip(dy.par_chunks(rows * width));
        chunks.for_each(|((dx, x), dy)| {
            let dx = dx.zeros();
            simd::run(
                #[inline(always)]
                || grads::<G>(dx, x, dy, width),
            )
        });
        vec![Some(Array::new(dx.into_vec(), saved.inputs[0].shape))]
    }
}

#[inline(always)]
fn values<G: Gate>(y: &mut [f32], x: &[f32], width: usize) {
    for (y, x) in y.chunks_mut(width).zip(x.chunks(2 * width)) {
        let (a, b) = x.split_at(width);
        for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
            *y = G::value(*a, *b);
        }
    }
}

#[inline(always)]
fn grads<G: Gate>(dx: &mut [f32], x: &[f32], dy: &[f32], width: usize) {
    for ((dx, x), dy) in dx.chunks_mut(2 * width).zip(x.chunks(2 * width)).zip(dy.chunks(width)) {
        let ((da, db), (a, b)) = (dx.split_at_mut(width), x.split_at(width));
        for ((((da, db), a), b), dy) in da.iter_mut().zip(db).zip(a).zip(b).zip(dy) {
            let (by_a, by_b) = G::slopes(*a, *b);
            (*da, *db) = (dy * by_a, dy * by_b);
        }
    }
}

fn rows_per_chunk(width: usize) -> usize {
    (CHUNK / width).max(1)
}

/// Half of the last axis, and the shape with it.
fn halved(shape: &[usize]) -> (usize, Vec<usize>) {
    let mut shape = shape.to_vec();
    let last = shape.last_mut().expect("a gate has at least one axis");
    *last /= 2;
    (*last, shape)
}
