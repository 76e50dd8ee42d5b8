//! Pointwise tails: one pass over memory, all threads, gradients by recomputation from the input.
//!
//! ```text
//! gelu(x)      = x Phi(x)                  exact (error function), Hendrycks, Gimpel 2016
//! glu([a, b])  = a sigmoid(b)              Dauphin et al. 2016; halves of the last axis
//! geglu([a, b]) = gelu(a) b                Shazeer 2020, in the order of M2's channel mixer
//! swiglu([a, b]) = a sigmoid(a) b          Shazeer 2020, in the order of LLaMA's channel mixer
//! ```

mod activation;
#[doc(hidden)]
pub mod reference;

use std::f64::consts::FRAC_1_SQRT_2;
use std::marker::PhantomData;

use burn::tensor::Tensor;
use burn::tensor::activation::{relu, sigmoid, tanh};
use rayon::prelude::*;

use crate::Form;
use crate::kernel::{Array, CpuKernel, Saved, Unwritten, View, apply};
use crate::simd::functions::{gelu_with_slope, sigmoid as sigmoid_of, sigmoid_with_slope, silu_with_slope};
use crate::simd::{self, Lockstep, Simd, WithSimd, load, save};

pub use activation::Activation;

/// `activation` of every element.
pub fn activate<const D: usize>(x: Tensor<D>, activation: Activation, form: Form) -> Tensor<D> {
    match (form, activation) {
        (_, Activation::Identity) => x,
        (Form::Fused, _) => apply(Activate(activation), [x.into()]),
        (Form::Portable, Activation::Gelu) => portable_gelu(x),
        (Form::Portable, Activation::Silu) => portable_silu(x),
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

/// The SiLU of the first half of the last axis times the second: `[.., 2 n]` to `[.., n]`.
///
/// # Panics
/// If the last axis is odd.
pub fn swiglu<const D: usize>(x: Tensor<D>, form: Form) -> Tensor<D> {
    match form {
        Form::Portable => {
            let (a, b) = halves(x);
            portable_silu(a) * b
        }
        Form::Fused => gated(x, SiluOfFirst),
    }
}

/// [`activate`] of one token's numbers, in place, over slices: it allocates nothing and stays on its thread.
pub fn activate_row(x: &mut [f32], activation: Activation) {
    simd::dispatch(Values(activation, x));
}

/// [`glu`] of one token's numbers, in the same way.
///
/// # Panics
/// If `x` is not twice as long as `y`.
pub fn glu_row(x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), 2 * y.len(), "a gate makes one number of two");
    if !y.is_empty() {
        gate_rows::<SigmoidOfSecond>(y, x, x.len() / 2);
    }
}

/// burn's own `gelu` has the slope of the tanh approximation on GPUs: exact values, gradients off by up to 6e-4.
fn portable_gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let phi = ((x.clone() * FRAC_1_SQRT_2).erf() + 1.0) * 0.5;
    x * phi
}

fn portable_silu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.clone() * sigmoid(x)
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
        let mut y = Unwritten::new(inputs[0].data.len());
        let chunks = y.parts(CHUNK).into_par_iter().zip(inputs[0].data.par_chunks(CHUNK));
        chunks.for_each(|(y, x)| simd::dispatch(Values(self.0, y.copied(x))));
        Array::new(y.into_vec(), inputs[0].shape)
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let (x, dy) = (saved.inputs[0].data, saved.grad.data);
        let mut dx = Unwritten::new(dy.len());
        let chunks = dx.parts(CHUNK).into_par_iter().zip(dy.par_chunks(CHUNK)).zip(x.par_chunks(CHUNK));
        chunks.for_each(|((dx, dy), x)| simd::dispatch(TimesSlopes(self.0, dx.copied(dy), x)));
        vec![Some(Array::new(dx.into_vec(), saved.grad.shape))]
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
    fn value<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s;
    /// Derivatives with respect to `a` and `b`.
    fn slopes<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> (S::f32s, S::f32s);
}

#[derive(Debug)]
struct SigmoidOfSecond;

impl Gate for SigmoidOfSecond {
    #[inline(always)]
    fn value<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
        simd.mul_f32s(a, sigmoid_of(simd, b))
    }

    #[inline(always)]
    fn slopes<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> (S::f32s, S::f32s) {
        let (s, slope) = sigmoid_with_slope(simd, b);
        (s, simd.mul_f32s(a, slope))
    }
}

#[derive(Debug)]
struct GeluOfFirst;

impl Gate for GeluOfFirst {
    #[inline(always)]
    fn value<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
        let (value, _) = gelu_with_slope(simd, a);
        simd.mul_f32s(value, b)
    }

    #[inline(always)]
    fn slopes<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> (S::f32s, S::f32s) {
        let (value, slope) = gelu_with_slope(simd, a);
        (simd.mul_f32s(slope, b), value)
    }
}

#[derive(Debug)]
struct SiluOfFirst;

impl Gate for SiluOfFirst {
    #[inline(always)]
    fn value<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> S::f32s {
        let (value, _) = silu_with_slope(simd, a);
        simd.mul_f32s(value, b)
    }

    #[inline(always)]
    fn slopes<S: Simd>(simd: S, a: S::f32s, b: S::f32s) -> (S::f32s, S::f32s) {
        let (value, slope) = silu_with_slope(simd, a);
        (simd.mul_f32s(slope, b), value)
    }
}

#[derive(Debug)]
struct Gated<G>(G);

impl<G: Gate> CpuKernel for Gated<G> {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let (width, shape) = halved(inputs[0].shape);
        let (mut y, rows) = (Unwritten::new(inputs[0].data.len() / 2), rows_per_chunk(width));
        let chunks = y.parts(rows * width).into_par_iter().zip(inputs[0].data.par_chunks(rows * 2 * width));
        chunks.for_each(|(y, x)| gate_rows::<G>(y.zeros(), x, width));
        Array::new(y.into_vec(), shape)
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let (width, _) = halved(saved.inputs[0].shape);
        let (x, dy) = (saved.inputs[0].data, saved.grad.data);
        let (mut dx, rows) = (Unwritten::new(x.len()), rows_per_chunk(width));
        let wide = rows * 2 * width;
        let chunks = dx.parts(wide).into_par_iter().zip(x.par_chunks(wide)).zip(dy.par_chunks(rows * width));
        chunks.for_each(|((dx, x), dy)| {
            simd::dispatch(GateGradients { dx: dx.zeros(), x, dy, width, gate: PhantomData::<G> });
        });
        vec![Some(Array::new(dx.into_vec(), saved.inputs[0].shape))]
    }
}

fn gate_rows<G: Gate>(y: &mut [f32], x: &[f32], width: usize) {
    simd::dispatch(GateValues { y, x, width, gate: PhantomData::<G> });
}

/// Rows of `2 width` numbers in, of `width` out.
struct GateValues<'a, G> {
    y: &'a mut [f32],
    x: &'a [f32],
    width: usize,
    gate: PhantomData<G>,
}

impl<G: Gate> WithSimd for GateValues<'_, G> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (y, x) in self.y.chunks_mut(self.width).lockstep(self.x.chunks(2 * self.width)) {
            let (a, b) = x.split_at(self.width);
            let halves = a.chunks(S::F32_LANES).lockstep(b.chunks(S::F32_LANES));
            for (y, (a, b)) in y.chunks_mut(S::F32_LANES).lockstep(halves) {
                save(simd, y, G::value(simd, load(simd, a), load(simd, b)));
            }
        }
    }
}

struct GateGradients<'a, G> {
    dx: &'a mut [f32],
    x: &'a [f32],
    dy: &'a [f32],
    width: usize,
    gate: PhantomData<G>,
}

impl<G: Gate> WithSimd for GateGradients<'_, G> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let rows = self.dx.chunks_mut(2 * self.width).lockstep(self.x.chunks(2 * self.width));
        for ((dx, x), dy) in rows.lockstep(self.dy.chunks(self.width)) {
            let ((da, db), (a, b)) = (dx.split_at_mut(self.width), x.split_at(self.width));
            let slopes = da.chunks_mut(S::F32_LANES).lockstep(db.chunks_mut(S::F32_LANES));
            let halves = a.chunks(S::F32_LANES).lockstep(b.chunks(S::F32_LANES));
            for (((da, db), (a, b)), dy) in slopes.lockstep(halves).lockstep(dy.chunks(S::F32_LANES)) {
                let (by_a, by_b) = G::slopes(simd, load(simd, a), load(simd, b));
                let dy = load(simd, dy);
                save(simd, da, simd.mul_f32s(dy, by_a));
                save(simd, db, simd.mul_f32s(dy, by_b));
            }
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
