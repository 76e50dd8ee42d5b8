//! Rows cut into one batch of rows a block, and put together again. A block's share of a width it does not fill is zero
//! on the way in and dropped on the way out.
//!
//! The matrix products themselves are cheap; as burn operations these copies, on one thread, take most of the time.

use burn::tensor::Tensor;
use rayon::prelude::*;
use subquad_backend::Form;
use subquad_backend::kernel::{Array, CpuKernel, Saved, View, apply};

/// `[rows, width]` to `[n_blocks, rows, share]`, where `share * n_blocks >= width`.
pub(super) fn split(x: Tensor<2>, n_blocks: usize, share: usize, form: Form) -> Tensor<3> {
    let [rows, width] = x.dims();
    match form {
        Form::Portable => pad(x, n_blocks * share).reshape([rows, n_blocks, share]).swap_dims(0, 1),
        Form::Fused => apply(Split { n_blocks, share, width }, [x.into()]),
    }
}

/// `[n_blocks, rows, share]` to `[rows, width]`, where `share * n_blocks >= width`.
pub(super) fn join(y: Tensor<3>, width: usize, form: Form) -> Tensor<2> {
    let [n_blocks, rows, share] = y.dims();
    match form {
        Form::Portable => y.swap_dims(0, 1).reshape([rows, n_blocks * share]).narrow(1, 0, width),
        Form::Fused => apply(Join { n_blocks, share, width }, [y.into()]),
    }
}

/// Zeros to the right, up to `width`.
fn pad(x: Tensor<2>, width: usize) -> Tensor<2> {
    let [rows, d_input] = x.dims();
    if width == d_input {
        return x;
    }
    let zeros = Tensor::zeros([rows, width - d_input], &x.device());
    Tensor::cat(vec![x, zeros], 1)
}

#[derive(Debug)]
struct Split {
    n_blocks: usize,
    share: usize,
    width: usize,
}

impl CpuKernel for Split {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        split_rows(inputs[0].data, self.width, self.n_blocks, self.share)
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        vec![Some(join_rows(saved.grad.data, self.width, self.n_blocks, self.share))]
    }
}

#[derive(Debug)]
struct Join {
    n_blocks: usize,
    share: usize,
    width: usize,
}

impl CpuKernel for Join {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        join_rows(inputs[0].data, self.width, self.n_blocks, self.share)
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        vec![Some(split_rows(saved.grad.data, self.width, self.n_blocks, self.share))]
    }
}

/// Rows that one thread takes at a time.
const ROWS: usize = 64;

fn split_rows(x: &[f32], width: usize, n_blocks: usize, share: usize) -> Array {
    let rows = x.len() / width;
    let mut out = vec![0.0; n_blocks * rows * share];
    out.par_chunks_mut(rows * share).enumerate().for_each(|(block, out)| {
        let (from, to) = columns(block, share, width);
        let chunks = out.par_chunks_mut(ROWS * share).zip(x.par_chunks(ROWS * width));
        chunks.for_each(|(out, x)| {
            for (out, x) in out.chunks_mut(share).zip(x.chunks(width)) {
                out[..to - from].copy_from_slice(&x[from..to]);
            }
        });
    });
    Array::new(out, [n_blocks, rows, share])
}

fn join_rows(blocks: &[f32], width: usize, n_blocks: usize, share: usize) -> Array {
    let rows = blocks.len() / (n_blocks * share);
    let mut out = vec![0.0; rows * width];
    out.par_chunks_mut(ROWS * width).enumerate().for_each(|(chunk, out)| {
        for (i, out) in out.chunks_mut(width).enumerate() {
            for block in 0..n_blocks {
                let (from, to) = columns(block, share, width);
                let row = &blocks[(block * rows + chunk * ROWS + i) * share..][..share];
                out[from..to].copy_from_slice(&row[..to - from]);
            }
        }
    });
    Array::new(out, [rows, width])
}

/// What a block reads or writes of a row: none of it, if the blocks before it already cover the row.
fn columns(block: usize, share: usize, width: usize) -> (usize, usize) {
    ((block * share).min(width), ((block + 1) * share).min(width))
}
