//! The triangular blocks of a causal Monarch matrix, token by token: see [`Blocks`](crate::causal::blocks::Blocks).

use burn::tensor::Tensor;
use subquad_backend::simd::{self, Counted, Lockstep};

/// Weights of `[n_heads, i, j, k]`, of which a token needs some row.
#[derive(Debug)]
pub(crate) struct Factor {
    values: Vec<f32>,
    dims: [usize; 4],
}

impl Factor {
    pub(crate) fn new(factor: Tensor<4>) -> Self {
        let dims = factor.dims();
        Self { values: subquad_backend::floats(factor), dims }
    }

    /// Adds rows to `y`, `[d_model]`, whose heads are groups of adjacent features: `y += factor[head, i, j, k] rows_k`.
    pub(super) fn add_rows<'a>(
        &self,
        [i, j]: [usize; 2],
        rows: impl Counted<Item = &'a [f32]>,
        y: &mut [f32],
    ) {
        self.add_scaled_rows(1.0, [i, j], rows, y);
    }

    /// Subtracts them.
    pub(super) fn subtract_rows<'a>(
        &self,
        [i, j]: [usize; 2],
        rows: impl Counted<Item = &'a [f32]>,
        y: &mut [f32],
    ) {
        self.add_scaled_rows(-1.0, [i, j], rows, y);
    }

    fn add_scaled_rows<'a>(
        &self,
        scale: f32,
        [i, j]: [usize; 2],
        rows: impl Counted<Item = &'a [f32]>,
        y: &mut [f32],
    ) {
        let [n_heads, count_i, count_j, count_k] = self.dims;
        let width = y.len() / n_heads;
        simd::run(
            #[inline(always)]
            || {
                for (k, row) in (0..count_k).lockstep(rows) {
                    let heads = y.chunks_exact_mut(width).lockstep(row.chunks_exact(width));
                    for (head, (y, row)) in heads.enumerate() {
                        let weight = self.values[((head * count_i + i) * count_j + j) * count_k + k];
                        simd::add_scaled(y, scale * weight, row);
                    }
                }
            },
        );
    }
}

/// The three factors.
#[derive(Debug)]
pub(crate) struct RowBlocks {
    /// `[n_heads, n_blocks, block, block]`
    pub(crate) own: Factor,
    /// `[n_heads, n_blocks, block, block]`
    pub(crate) summary: Factor,
    /// `[n_heads, block, n_blocks, n_blocks]`
    pub(crate) earlier: Factor,
}

impl RowBlocks {
    pub(super) fn block(&self) -> usize {
        self.own.dims[2]
    }
}

/// What they remember.
#[derive(Debug, Clone)]
pub(super) struct BlocksState {
    /// Of complete blocks: `[blocks * block, d_model]`.
    summaries: Rows,
    /// Of the open block: `[tokens, d_model]`.
    inputs: Rows,
}

impl BlocksState {
    pub(super) fn new(
        matrix: &RowBlocks,
        [summaries, inputs]: [Option<Tensor<3>>; 2],
        d_model: usize,
        room: usize,
    ) -> Self {
        let block = matrix.block();
        // A block that this many tokens complete has as many summaries as tokens.
        Self {
            summaries: Rows::new(summaries, d_model, room + block),
            inputs: Rows::new(inputs, d_model, block),
        }
    }

    /// One token, `[d_model]`, to as many numbers.
    pub(super) fn step(&mut self, matrix: &RowBlocks, x: &[f32], y: &mut [f32]) {
        let (block, place) = (matrix.block(), self.inputs.len());
        let open = self.summaries.len() / block;
        self.inputs.push(x);
        y.fill(0.0);
        matrix.own.add_rows([open, place], self.inputs.iter(), y);
        matrix.earlier.add_rows([place, open], self.summaries.every(block, place), y);
        if place + 1 == block {
            for row in 0..block {
                let summary = self.summaries.push_zeros();
                matrix.summary.add_rows([open, row], self.inputs.iter(), summary);
            }
            self.inputs.clear();
        }
    }

    pub(super) fn tokens(&self) -> usize {
        self.summaries.len() + self.inputs.len()
    }

    pub(super) fn floats(&self) -> usize {
        self.summaries.floats() + self.inputs.floats()
    }

    pub(super) fn clear(&mut self) {
        self.summaries.clear();
        self.inputs.clear();
    }
}

/// A growing list of rows of `d_model` numbers.
#[derive(Debug)]
pub(super) struct Rows {
    d_model: usize,
    values: Vec<f32>,
}

impl Rows {
    /// Those of a state, `[1, rows, d_model]`, with room for `more`.
    pub(super) fn new(rows: Option<Tensor<3>>, d_model: usize, more: usize) -> Self {
        let mut values = rows.map_or_else(Vec::new, subquad_backend::floats);
        values.reserve_exact(more * d_model);
        Self { d_model, values }
    }

    pub(super) fn push(&mut self, row: &[f32]) {
        self.values.extend_from_slice(row);
    }

    /// A new row, to be filled.
    fn push_zeros(&mut self) -> &mut [f32] {
        let len = self.values.len();
        self.values.resize(len + self.d_model, 0.0);
        &mut self.values[len..]
    }

    pub(super) fn iter(&self) -> impl Counted<Item = &[f32]> {
        self.values.chunks_exact(self.d_model)
    }

    /// Every `step`th row from row `first` on. Chunks, because `skip` and `step_by` would be calls in the loop over rows.
    pub(super) fn every(&self, step: usize, first: usize) -> impl Counted<Item = &[f32]> {
        let rest = self.values.get(first * self.d_model..).unwrap_or_default();
        rest.chunks(step * self.d_model).map(|rows| &rows[..self.d_model])
    }

    pub(super) fn len(&self) -> usize {
        self.values.len() / self.d_model
    }

    pub(super) fn floats(&self) -> usize {
        self.values.len()
    }

    pub(super) fn clear(&mut self) {
        self.values.clear();
    }
}

/// With the same room: a plain clone would have none, and the next token would have to allocate.
impl Clone for Rows {
    fn clone(&self) -> Self {
        let mut values = Vec::with_capacity(self.values.capacity());
        values.extend_from_slice(&self.values);
        Self { d_model: self.d_model, values }
    }
}
