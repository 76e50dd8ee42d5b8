//! The mean of the squares of all elements: `subquad bench` differentiates it, so it must cost next to nothing
//! compared with a layer.
//!
//! ```text
//! m = 1/n sum of x_i^2        dm/dx_i = 2 x_i / n
//! ```

use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::Form;
use crate::kernel::{Array, CpuKernel, Saved, Unwritten, View, apply};
use crate::simd::{self, Lockstep};

/// # Shapes
/// - `x`: any, with at least one element
/// - output: `[1]`
pub fn mean_square<const D: usize>(x: Tensor<D>, form: Form) -> Tensor<1> {
    match form {
        Form::Portable => x.square().mean(),
        Form::Fused => apply(MeanSquare, [x.into()]),
    }
}

/// Elements that one thread takes at a time. A constant, so that the sum does not depend on the number of threads.
const CHUNK: usize = 1 << 14;

#[derive(Debug)]
struct MeanSquare;

impl CpuKernel for MeanSquare {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let x = inputs[0].data;
        let parts: Vec<f32> = x.par_chunks(CHUNK).map(sum_of_squares).collect();
        // There may be thousands of chunks, and f32 would lose digits of their sum.
        let sum: f64 = parts.into_iter().map(f64::from).sum();
        Array::new(vec![(sum / x.len() as f64) as f32], [1])
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let x = saved.inputs[0];
        let slope = 2.0 * saved.grad.data[0] / x.data.len() as f32;
        let mut dx = Unwritten::new(x.data.len());
        let chunks = dx.parts(CHUNK).into_par_iter().zip(x.data.par_chunks(CHUNK));
        chunks.for_each(|(dx, x)| scale(dx.zeros(), x, slope));
        vec![Some(Array::new(dx.into_vec(), x.shape))]
    }
}

fn sum_of_squares(x: &[f32]) -> f32 {
    simd::run(
        #[inline(always)]
        || simd::sum(x, |x| x * x),
    )
}

fn scale(dx: &mut [f32], x: &[f32], slope: f32) {
    simd::run(
        #[inline(always)]
        || dx.iter_mut().lockstep(x).for_each(|(dx, x)| *dx = slope * x),
    );
}
