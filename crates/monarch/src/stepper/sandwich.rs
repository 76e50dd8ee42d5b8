//! The sandwich of a causal Monarch mixer, token by token: see [`Sandwich`](crate::causal::sandwich::Sandwich).
//!
//! ```text
//! v = (I + across) (I + within) x           every token needs only the tokens before it
//! c = kernel * v                            the kernel is (I + across) (I + within) k
//! (I + across) (I + within) y = c           solved from the first token on
//! ```
//! The step over tensors computes the whole sequence again; this one remembers what it needs of the products in between, three rows
//! a token.

use burn::tensor::Tensor;

use super::filter::{LongPast, LongTaps};
use super::matrix::{Factor, Rows};

/// The two factors and the kernel.
#[derive(Debug)]
pub(crate) struct RowSandwich {
    within: Factor,
    across: Factor,
    kernel: LongTaps,
    block: usize,
}

impl RowSandwich {
    /// Factors of `[n_heads, n_blocks, block, block]` and `[n_heads, block, n_blocks, n_blocks]`, and the kernel by lag,
    /// `[d_model, l_max]`.
    pub(crate) fn new(within: Tensor<4>, across: Tensor<4>, kernel: Tensor<2>) -> Self {
        let [_, _, block, _] = within.dims();
        let (within, across) = (Factor::new(within), Factor::new(across));
        Self { within, across, kernel: LongTaps::new(kernel), block }
    }
}

/// What it remembers.
#[derive(Debug, Clone)]
pub(super) struct SandwichState {
    /// Inputs and outputs of the open block.
    inputs: Rows,
    outputs: Rows,
    /// `(I + within) x`
    summed: Rows,
    /// `v`
    filtered: LongPast,
    /// `(I + within) y`
    solved: Rows,
    /// `[d_model]` each.
    value: Vec<f32>,
    answer: Vec<f32>,
}

impl SandwichState {
    /// Reads the inputs of a state, `[1, tokens, d_model]`, again.
    pub(super) fn new(matrix: &RowSandwich, inputs: Option<Tensor<3>>, d_model: usize, room: usize) -> Self {
        let read = Rows::new(inputs, d_model, 0);
        let room = read.len() + room;
        let rows = |room| Rows::new(None, d_model, room);
        let mut state = Self {
            inputs: rows(matrix.block),
            outputs: rows(matrix.block),
            summed: rows(room),
            filtered: LongPast::new(None, d_model, room, &matrix.kernel),
            solved: rows(room),
            value: vec![0.0; d_model],
            answer: vec![0.0; d_model],
        };
        let mut ignored = vec![0.0; d_model];
        read.iter().for_each(|x| state.step(matrix, x, &mut ignored));
        state
    }

    /// One token, `[d_model]`, to as many numbers.
    pub(super) fn step(&mut self, matrix: &RowSandwich, x: &[f32], y: &mut [f32]) {
        let (block, tokens) = (matrix.block, self.tokens());
        let (open, place) = (tokens / block, tokens % block);
        if place == 0 {
            self.inputs.clear();
            self.outputs.clear();
        }
        self.value.copy_from_slice(x);
        matrix.within.add_rows([open, place], self.inputs.iter(), &mut self.value);
        self.inputs.push(x);
        y.copy_from_slice(&self.value);
        matrix.across.add_rows([place, open], self.summed.every(block, place), y);
        self.summed.push(&self.value);
        self.filtered.push(&matrix.kernel, y);
        self.filtered.filter(&matrix.kernel, &mut self.answer);
        let solved = self.solved.every(block, place);
        matrix.across.subtract_rows([place, open], solved, &mut self.answer);
        self.solved.push(&self.answer);
        matrix.within.subtract_rows([open, place], self.outputs.iter(), &mut self.answer);
        self.outputs.push(&self.answer);
        y.copy_from_slice(&self.answer);
    }

    pub(super) fn tokens(&self) -> usize {
        self.filtered.tokens()
    }

    pub(super) fn floats(&self) -> usize {
        let rows = [&self.inputs, &self.outputs, &self.summed, &self.solved];
        self.filtered.floats() + rows.map(Rows::floats).iter().sum::<usize>()
    }

    pub(super) fn clear(&mut self) {
        let rows = [&mut self.inputs, &mut self.outputs, &mut self.summed, &mut self.solved];
        rows.into_iter().for_each(Rows::clear);
        self.filtered.clear();
    }
}
