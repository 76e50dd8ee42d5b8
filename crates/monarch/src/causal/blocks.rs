//! A Monarch matrix of triangular blocks.
//!
//! ```text
//! y[a, b] = sum over b' <= b of D_a[b, b'] x[a, b']  +  sum over a' < a of L_b[a, a'] z[a', b]
//! z[a, b] = sum over b' of R_a[b, b'] x[a, b']              token a m + b: place b of block a
//! ```
//! The second sum is a Monarch matrix whose second factor sees only earlier blocks; the first sum covers the token's
//! own block. The factors are `own` (D), `summary` (R) and `earlier` (L).

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use subquad_backend::Form;

use crate::sequence::{Entries, Lines, pad, product};

/// The three factors.
#[derive(Module, Debug)]
pub(crate) struct Blocks {
    /// `[n_heads, n_blocks, block, block]`: how a token sees its own block.
    pub(crate) own: Param<Tensor<4>>,
    /// `[n_heads, n_blocks, block, block]`: how a block is summarised for later ones.
    pub(crate) summary: Param<Tensor<4>>,
    /// `[n_heads, block, n_blocks, n_blocks]`: how a token sees the summaries of earlier blocks.
    pub(crate) earlier: Param<Tensor<4>>,
}

/// What the blocks remember: as many rows of `d_model` numbers as there were tokens.
#[derive(Debug, Clone, Default)]
pub(super) struct BlocksState {
    /// Summaries of complete blocks: `[batch, blocks * block, d_model]`; `None` before the first is complete.
    told: Option<Tensor<3>>,
    /// Inputs of the block that is not complete yet: `[batch, less than a block, d_model]`; `None` at its beginning.
    open: Option<Tensor<3>>,
}

fn rows(x: &Option<Tensor<3>>) -> usize {
    x.as_ref().map_or(0, |x| x.dims()[1])
}

/// Joins `past`, if there is one, and `x` along the sequence.
fn append(past: Option<Tensor<3>>, x: Tensor<3>) -> Tensor<3> {
    match past {
        Some(past) => Tensor::cat(vec![past, x], 1),
        None => x,
    }
}

impl BlocksState {
    pub(super) fn tokens(&self) -> usize {
        rows(&self.told) + rows(&self.open)
    }

    pub(super) fn floats(&self) -> usize {
        self.tokens() * self.any().map_or(0, |x| x.dims()[2])
    }

    /// One of the state's tensors, if there is one.
    pub(super) fn any(&self) -> Option<&Tensor<3>> {
        self.told.as_ref().or(self.open.as_ref())
    }
}

impl Blocks {
    fn block(&self) -> usize {
        self.own.dims()[2]
    }

    /// `[batch, seq, d_model]` to the same.
    pub(super) fn forward(&self, x: Tensor<3>, form: Form) -> Tensor<3> {
        let [_, seq, _] = x.dims();
        self.mix(None, x, form).0.narrow(1, 0, seq)
    }

    /// A chunk that comes after the state.
    pub(super) fn chunk(&self, x: Tensor<3>, state: &mut BlocksState, form: Form) -> Tensor<3> {
        let ([_, seq, _], before) = (x.dims(), rows(&state.open));
        let told = state.told.take();
        let earlier = rows(&told);
        let x = append(state.open.take(), x);
        let (y, all) = self.mix(told, x.clone(), form);

        let open = (before + seq) % self.block();
        let whole = before + seq - open;
        state.told = (earlier + whole > 0).then(|| all.narrow(1, 0, earlier + whole));
        // Rows are concatenated to make a copy; a view would keep the whole chunk in memory.
        let row = |t: usize| x.clone().narrow(1, t, 1);
        state.open = (open > 0).then(|| Tensor::cat((whole..whole + open).map(row).collect(), 1));
        y.narrow(1, before, seq)
    }

    /// Returns the outputs of the blocks that `x` fills, which follow those of `told`, and the summaries of all of
    /// them, `told` included.
    fn mix(&self, told: Option<Tensor<3>>, x: Tensor<3>, form: Form) -> (Tensor<3>, Tensor<3>) {
        let ([_, seq, _], block) = (x.dims(), self.block());
        let (first, count) = (rows(&told) / block, seq.div_ceil(block));
        let x = pad(x, count * block);
        let blocks = |factor: &Param<Tensor<4>>| factor.val().narrow(1, first, count);
        let summary = product(x.clone(), blocks(&self.summary), Lines::Within, Entries::All, form);
        let own = product(x, blocks(&self.own), Lines::Within, Entries::Lower(0), form);
        let all = append(told, summary);
        let earlier = self.earlier.val().narrow(2, first, count).narrow(3, 0, first + count);
        // Row `i` is block `first + i`, and sees the blocks before it.
        let entries = Entries::Lower(first as i64 - 1);
        (own + product(all.clone(), earlier, Lines::Across, entries, form), all)
    }

    /// One token, `[batch, 1, d_model]`: it reads a row of its own block, and one number of each earlier block.
    pub(super) fn step(&self, x: Tensor<3>, state: &mut BlocksState, form: Form) -> Tensor<3> {
        let (block, place) = (self.block(), rows(&state.open));
        let earlier = rows(&state.told) / block;
        let x = append(state.open.take(), x);
        let blocks = |factor: &Param<Tensor<4>>| factor.val().narrow(1, earlier, 1);
        let own = blocks(&self.own).narrow(2, place, 1).narrow(3, 0, place + 1);
        let mut y = product(x.clone(), own, Lines::Within, Entries::All, form);
        if let Some(told) = &state.told {
            let [batch, _, d_model] = told.dims();
            let told = told.clone().reshape([batch, earlier, block, d_model]).narrow(2, place, 1);
            let row = self.earlier.val().narrow(1, place, 1).narrow(2, earlier, 1).narrow(3, 0, earlier);
            y = y + product(told.squeeze_dim(2), row, Lines::Within, Entries::All, form);
        }
        if place + 1 == block {
            let summary = product(x, blocks(&self.summary), Lines::Within, Entries::All, form);
            state.told = Some(append(state.told.take(), summary));
        } else {
            state.open = Some(x);
        }
        y
    }
}
