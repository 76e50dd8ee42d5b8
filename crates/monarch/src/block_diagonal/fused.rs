//! The fused form: the micro-kernel reads each block's share of the rows in place and writes it where it belongs.
//!
//! As burn operations, the rows would be cut into one batch of rows per block and put together again, and these copies
//! would take longer than the products.

use std::ops::Range;

use burn::tensor::Tensor;
use rayon::prelude::*;
use subquad_backend::kernel::{Array, CpuKernel, Operand, Saved, Unwritten, View, apply};
use subquad_backend::linear::multiply::{Multiply, Out, Panels, Right, Start};
use subquad_backend::linear::sums::{PARTS, sum_of_parts, sum_of_rows};
use subquad_backend::micro::Scalars;

/// `[rows, d_input]` to `[rows, d_output]`.
pub(super) fn product(
    x: Tensor<2>,
    weight: Tensor<3>,
    bias: Option<Tensor<1>>,
    d_output: usize,
) -> Tensor<2> {
    let inputs: [Operand; 2] = [x.into(), weight.into()];
    match bias {
        None => apply(BlockDiagonal { d_output }, inputs),
        Some(bias) => {
            let [x, weight] = inputs;
            apply(BlockDiagonal { d_output }, [x, weight, bias.into()])
        }
    }
}

/// Inputs: `x [rows, d_input]`, `weight [n_blocks, block_out, block_in]` and, if there is one, `bias [d_output]`.
#[derive(Debug)]
struct BlockDiagonal {
    d_output: usize,
}

/// Number of rows that one thread takes at a time.
const ROWS: usize = 128;

impl CpuKernel for BlockDiagonal {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let Sizes { rows, d_input, d_output, .. } = self.sizes(inputs);
        let blocks = self.sizes(inputs).blocks();
        let turned: Vec<Panels> = blocks.iter().map(|block| block.turned(inputs[1].data)).collect();
        let bias = inputs.get(2).map(|bias| bias.data);
        let mut y = Unwritten::new(rows * d_output);
        let chunks = y.parts(ROWS * d_output).into_par_iter().zip(inputs[0].data.par_chunks(ROWS * d_input));
        chunks.for_each(|(y, x)| {
            let y = y.zeros();
            for (block, turned) in blocks.iter().zip(&turned) {
                block.forward(y, x, turned, bias, [d_input, d_output]);
            }
        });
        Array::new(y.into_vec(), [rows, d_output])
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let (x, weight, dy) = (&saved.inputs[0], &saved.inputs[1], saved.grad.data);
        let sizes = self.sizes(saved.inputs);
        let dx = || Array::new(sizes.input_grad(dy, weight.data), x.shape);
        let dw = || Array::new(sizes.weight_grad(x.data, dy, weight.data.len()), weight.shape);
        let mut grads = vec![saved.wanted[0].then(dx), saved.wanted[1].then(dw)];
        let bias =
            |wanted: &bool| wanted.then(|| Array::new(sum_of_rows(dy, sizes.d_output), [sizes.d_output]));
        grads.extend(saved.wanted.get(2).map(bias));
        grads
    }
}

impl BlockDiagonal {
    fn sizes(&self, inputs: &[View<'_>]) -> Sizes {
        let ([rows, d_input], [n_blocks, block_out, block_in]) = (inputs[0].dims(), inputs[1].dims());
        Sizes { rows, d_input, d_output: self.d_output, n_blocks, block_out, block_in }
    }
}

#[derive(Clone, Copy)]
struct Sizes {
    rows: usize,
    d_input: usize,
    d_output: usize,
    n_blocks: usize,
    block_out: usize,
    block_in: usize,
}

/// One block and its share of the widths.
struct Block {
    /// Where its weight begins.
    weight: usize,
    block_in: usize,
    /// The part of a row that it reads, which is empty if the blocks before it cover the row.
    reads: Range<usize>,
    /// The part of a row that it writes.
    writes: Range<usize>,
}

impl Sizes {
    fn blocks(self) -> Vec<Block> {
        let Self { d_input, d_output, n_blocks, block_out, block_in, .. } = self;
        let share =
            |i: usize, share: usize, width: usize| (i * share).min(width)..((i + 1) * share).min(width);
        let block = |i: usize| Block {
            weight: i * block_out * block_in,
            block_in,
            reads: share(i, block_in, d_input),
            writes: share(i, block_out, d_output),
        };
        (0..n_blocks).map(block).collect()
    }

    fn input_grad(self, dy: &[f32], weight: &[f32]) -> Vec<f32> {
        let Self { rows, d_input, d_output, .. } = self;
        let (mut dx, blocks) = (Unwritten::new(rows * d_input), self.blocks());
        let chunks = dx.parts(ROWS * d_input).into_par_iter().zip(dy.par_chunks(ROWS * d_output));
        chunks.for_each(|(dx, dy)| {
            let dx = dx.zeros();
            blocks.iter().for_each(|block| block.input_grad(dx, dy, weight, [d_input, d_output]));
        });
        dx.into_vec()
    }

    /// Parts of the rows are summed in parallel, and their sums are added in order. The number of parts depends only on
    /// the sizes: at most as many as keep their sums no larger than input and output.
    fn weight_grad(self, x: &[f32], dy: &[f32], weights: usize) -> Vec<f32> {
        let Self { rows, d_input, d_output, block_out, block_in, .. } = self;
        let parts = (rows * (d_input + d_output) / weights).clamp(1, PARTS);
        let (part, blocks) = (rows.div_ceil(parts).max(1), self.blocks());
        let mut sums = vec![0.0; rows.div_ceil(part).max(1) * weights];
        let rows = x.par_chunks(part * d_input).zip(dy.par_chunks(part * d_output));
        sums.par_chunks_mut(weights).zip(rows).for_each(|(sum, (x, dy))| {
            sum.par_chunks_mut(block_out * block_in).zip(&blocks).for_each(|(sum, block)| {
                block.weight_grad(sum, x, dy, [d_input, d_output]);
            });
        });
        sum_of_parts(sums, weights)
    }
}

impl Block {
    fn is_idle(&self) -> bool {
        self.reads.is_empty() || self.writes.is_empty()
    }

    /// The transpose of the block's weight.
    fn turned(&self, weight: &[f32]) -> Panels {
        let outputs = self.writes.len();
        Panels::of_columns(&weight[self.weight..][..outputs * self.block_in], [self.block_in, outputs])
    }

    fn forward(&self, y: &mut [f32], x: &[f32], turned: &Panels, bias: Option<&[f32]>, widths: [usize; 2]) {
        let ([d_input, d_output], outputs) = (widths, self.writes.len());
        let start: Start = bias.map(|bias| &bias[self.writes.clone()]).into();
        match (self.is_idle(), bias) {
            (false, _) => {
                Multiply {
                    out: out(y, self.writes.start, d_output),
                    a: Scalars::rows(&x[self.reads.start..], d_input),
                    b: turned.all(),
                    terms: self.reads.len(),
                    cols: outputs,
                    start,
                }
                .run();
            }
            (true, Some(bias)) => y
                .chunks_mut(d_output)
                .for_each(|y| y[self.writes.clone()].copy_from_slice(&bias[self.writes.clone()])),
            (true, None) => {}
        }
    }

    fn input_grad(&self, dx: &mut [f32], dy: &[f32], weight: &[f32], [d_input, d_output]: [usize; 2]) {
        if self.is_idle() {
            return;
        }
        Multiply {
            out: out(dx, self.reads.start, d_input),
            a: Scalars::rows(&dy[self.writes.start..], d_output),
            b: Right::Rows { data: &weight[self.weight..], stride: self.block_in },
            terms: self.writes.len(),
            cols: self.reads.len(),
            start: Start::Zeros,
        }
        .run();
    }

    fn weight_grad(&self, sum: &mut [f32], x: &[f32], dy: &[f32], [d_input, d_output]: [usize; 2]) {
        if self.is_idle() {
            return;
        }
        Multiply {
            out: Out::rows(sum, self.writes.len(), self.block_in),
            a: Scalars::columns(&dy[self.writes.start..], d_output),
            b: Right::Rows { data: &x[self.reads.start..], stride: d_input },
            terms: x.len() / d_input,
            cols: self.reads.len(),
            start: Start::Zeros,
        }
        .run();
    }
}

/// The columns from `first` on of all rows.
fn out(rows: &mut [f32], first: usize, width: usize) -> Out<'_> {
    let count = rows.len() / width;
    Out::rows(&mut rows[first..], count, width)
}
