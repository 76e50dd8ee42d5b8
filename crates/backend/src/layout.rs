//! From rows of tokens to rows of channels and back: linear layers work on the one, long convolutions on the other.
//!
//! A swapped view costs nothing by itself, but everything that reads it does, on one thread and a float at a time.

use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::Form;
use crate::kernel::{Array, CpuKernel, Saved, View, apply};
use crate::linear::transpose::transpose;

/// # Shapes
/// - `x`: `[batch, rows, cols]`
/// - output: `[batch, cols, rows]`, in the fused form contiguous
pub fn swap_rows(x: Tensor<3>, form: Form) -> Tensor<3> {
    match form {
        Form::Portable => x.swap_dims(1, 2),
        Form::Fused => apply(SwapRows, [x.into()]),
    }
}

/// Rows of the output that one thread takes at a time: a few cache lines of each row of the input.
const ROWS: usize = 64;

#[derive(Debug)]
struct SwapRows;

impl CpuKernel for SwapRows {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        swapped(&inputs[0])
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        vec![Some(swapped(&saved.grad))]
    }
}

fn swapped(x: &View<'_>) -> Array {
    let [batch, rows, cols] = x.dims();
    let mut out = vec![0.0; x.data.len()];
    let one = (rows * cols).max(1);
    out.par_chunks_mut(one).zip(x.data.par_chunks(one)).for_each(|(out, x)| {
        out.par_chunks_mut(ROWS * rows).enumerate().for_each(|(index, out)| {
            let count = out.len() / rows;
            transpose(&x[index * ROWS..], cols, [rows, count], out, rows);
        });
    });
    Array::new(out, [batch, cols, rows])
}
