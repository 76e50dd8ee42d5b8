//! Products of block-diagonal factors for one row at a time, over plain slices: a block-diagonal matrix has one factor, a Monarch
//! matrix several with a transposition before and between them.

use burn::tensor::Tensor;
use subquad_backend::floats;
use subquad_backend::simd::{self, Lockstep};

use crate::matrix::shape::MonarchShape;

/// A linear layer of such factors. It allocates nothing.
#[derive(Debug)]
pub struct RowFactors {
    factors: Vec<Factor>,
    /// `[d_output]`; empty without a bias.
    bias: Vec<f32>,
    d_input: usize,
    d_output: usize,
    /// What is written last is read as this many rows and transposed; 1 leaves it as it is.
    last_rows: usize,
}

/// Blocks on a diagonal.
#[derive(Debug)]
struct Factor {
    /// `[blocks, outputs of a block, inputs of a block]`
    weight: Vec<f32>,
    dims: [usize; 3],
    /// The input is read as this many rows and transposed first; 1 leaves it as it is.
    rows: usize,
}

impl Factor {
    fn new(weight: Tensor<3>, rows: usize) -> Self {
        let dims = weight.dims();
        Self { weight: floats(weight), dims, rows }
    }

    fn d_input(&self) -> usize {
        self.dims[0] * self.dims[2]
    }

    fn d_output(&self) -> usize {
        self.dims[0] * self.dims[1]
    }

    #[inline(always)]
    fn apply(&self, x: &[f32], y: &mut [f32]) {
        let [_, out, width] = self.dims;
        let blocks = self.weight.chunks_exact(out * width).lockstep(x.chunks_exact(width));
        for ((weight, x), y) in blocks.lockstep(y.chunks_exact_mut(out)) {
            for (row, y) in weight.chunks_exact(width).lockstep(y) {
                *y = simd::dot(row, x);
            }
        }
    }
}

impl RowFactors {
    /// One factor.
    pub(crate) fn new(factors: Vec<Tensor<3>>, bias: Option<Tensor<1>>, widths: [usize; 2]) -> Self {
        let factors = factors.into_iter().map(|factor| Factor::new(factor, 1)).collect();
        Self::of(factors, bias, widths, 1)
    }

    /// Those of a Monarch matrix.
    pub(crate) fn of_monarch(
        factors: Vec<Tensor<3>>,
        bias: Option<Tensor<1>>,
        widths: [usize; 2],
        shape: &MonarchShape,
    ) -> Self {
        let rows = |t: usize, factor: &Tensor<3>| match t {
            0 if shape.pre_permute => shape.first_read(),
            0 => 1,
            // The index of what the factor before wrote, read as (r, l), becomes (l, r).
            _ => factor.dims()[2],
        };
        let factors = factors.into_iter().enumerate().map(|(t, factor)| {
            let rows = rows(t, &factor);
            Factor::new(factor, rows)
        });
        Self::of(factors.collect(), bias, widths, shape.first_written())
    }

    fn of(
        factors: Vec<Factor>,
        bias: Option<Tensor<1>>,
        [d_input, d_output]: [usize; 2],
        last_rows: usize,
    ) -> Self {
        Self { factors, bias: bias.map_or_else(Vec::new, floats), d_input, d_output, last_rows }
    }

    pub(crate) fn d_output(&self) -> usize {
        self.d_output
    }

    /// Length of the scratch space: the widest row between factors, twice.
    pub(crate) fn scratch_len(&self) -> usize {
        2 * self.widest()
    }

    fn widest(&self) -> usize {
        self.factors.iter().map(|factor| factor.d_input().max(factor.d_output())).max().unwrap_or(0)
    }

    /// `x`, `[d_input]`, to `y`, `[d_output]`.
    pub(crate) fn apply(&self, x: &[f32], scratch: &mut [f32], y: &mut [f32]) {
        assert_eq!(x.len(), self.d_input, "input of a linear layer");
        let (now, next) = scratch.split_at_mut(self.widest());
        now[..x.len()].copy_from_slice(x);
        now[x.len()..].fill(0.0);
        for factor in &self.factors {
            let (read, wrote) = (factor.d_input(), factor.d_output());
            transpose(&now[..read], factor.rows, &mut next[..read]);
            simd::run(
                #[inline(always)]
                || factor.apply(&next[..read], &mut now[..wrote]),
            );
        }
        let last = self.factors.last().map_or(0, Factor::d_output);
        transpose(&now[..last], self.last_rows, &mut next[..last]);
        y.copy_from_slice(&next[..self.d_output]);
        simd::add(y, &self.bias);
    }
}

/// `x` as `[rows, columns]` to `[columns, rows]`.
fn transpose(x: &[f32], rows: usize, y: &mut [f32]) {
    let columns = x.len() / rows;
    if rows == 1 || columns == 1 {
        return y.copy_from_slice(x);
    }
    for (column, y) in y.chunks_exact_mut(rows).enumerate() {
        y.iter_mut().lockstep(x[column..].iter().step_by(columns)).for_each(|(y, x)| *y = *x);
    }
}
