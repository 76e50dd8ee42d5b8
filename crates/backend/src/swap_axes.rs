//! `[batch, seq, channels]` to `[batch, channels, seq]` and back, with the values moved.
//!
//! burn's `swap_dims` only makes a view, which the next operation that needs rows copies number by number on one
//! thread.

use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::Form;
use crate::kernel::{Array, CpuKernel, Saved, Unwritten, View, apply};
use crate::linear::transpose::transpose;

/// Swaps the last two axes.
pub fn swap_axes(x: Tensor<3>, form: Form) -> Tensor<3> {
    match form {
        Form::Portable => x.swap_dims(1, 2),
        Form::Fused => apply(SwapAxes, [x.into()]),
    }
}

/// Rows of the result that one thread makes at a time: four cache lines of each row that it reads.
const ROWS: usize = 64;

#[derive(Debug)]
struct SwapAxes;

impl CpuKernel for SwapAxes {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        swapped(&inputs[0])
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        vec![Some(swapped(&saved.grad))]
    }
}

fn swapped(x: &View<'_>) -> Array {
    let [batch, rows, cols] = x.dims();
    let (mut out, matrix) = (Unwritten::new(x.data.len()), (rows * cols).max(1));
    out.parts(matrix).into_par_iter().zip(x.data.par_chunks(matrix)).for_each(|(out, x)| {
        out.parts(ROWS * rows).into_par_iter().enumerate().for_each(|(strip, out)| {
            let out = out.zeros();
            transpose(&x[strip * ROWS..], cols, [rows, out.len() / rows], out, rows);
        });
    });
    Array::new(out.into_vec(), [batch, cols, rows])
}
