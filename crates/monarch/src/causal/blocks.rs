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

use super::{MatrixState, rows};
use crate::history::{append, copied};
use crate::matrix::pad;
use crate::sequence::{Entries, Lines, product};
use crate::stepper::{Factor, RowBlocks};

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

impl Blocks {
    fn block(&self) -> usize {
        self.own.dims()[2]
    }

    /// A copy of the present weights for decoding over slices.
    pub(super) fn rows(&self) -> RowBlocks {
        let factor = |factor: &Param<Tensor<4>>| Factor::new(factor.val());
        RowBlocks { own: factor(&self.own), summary: factor(&self.summary), earlier: factor(&self.earlier) }
    }

    /// `[batch, seq, d_model]` to the same.
    pub(super) fn forward(&self, x: Tensor<3>, form: Form) -> Tensor<3> {
        let [_, seq, _] = x.dims();
        self.mix(None, x, form).0.narrow(1, 0, seq)
    }

    /// A chunk that comes after the state.
    pub(super) fn chunk(&self, x: Tensor<3>, state: &mut MatrixState, form: Form) -> Tensor<3> {
        let ([_, seq, _], before, earlier) = (x.dims(), rows(&state.inputs), rows(&state.summaries));
        let x = append(state.inputs.take(), x, 1);
        let (y, all) = self.mix(state.summaries.take(), x.clone(), form);

        let open = (before + seq) % self.block();
        let whole = before + seq - open;
        state.summaries = (earlier + whole > 0).then(|| all.narrow(1, 0, earlier + whole));
        state.inputs = (open > 0).then(|| copied(&x, whole..whole + open));
        y.narrow(1, before, seq)
    }

    /// Returns the outputs of the blocks that `x` fills, which follow those of `past`, and the summaries of all of
    /// them, `past` included.
    fn mix(&self, past: Option<Tensor<3>>, x: Tensor<3>, form: Form) -> (Tensor<3>, Tensor<3>) {
        let ([_, seq, _], block) = (x.dims(), self.block());
        let (first, count) = (rows(&past) / block, seq.div_ceil(block));
        let x = pad(x, count * block);
        let blocks = |factor: &Param<Tensor<4>>| factor.val().narrow(1, first, count);
        let summary = product(x.clone(), blocks(&self.summary), Lines::Within, Entries::All, form);
        let own = product(x, blocks(&self.own), Lines::Within, Entries::Lower(0), form);
        let all = append(past, summary, 1);
        let earlier = self.earlier.val().narrow(2, first, count).narrow(3, 0, first + count);
        // Row `i` is block `first + i`, and sees the blocks before it.
        let entries = Entries::Lower(first as i64 - 1);
        (own + product(all.clone(), earlier, Lines::Across, entries, form), all)
    }

    /// One token, `[batch, 1, d_model]`: it reads a row of its own block, and one number of each earlier block.
    pub(super) fn step(&self, x: Tensor<3>, state: &mut MatrixState, form: Form) -> Tensor<3> {
        let (block, place) = (self.block(), rows(&state.inputs));
        let earlier = rows(&state.summaries) / block;
        let x = append(state.inputs.take(), x, 1);
        let blocks = |factor: &Param<Tensor<4>>| factor.val().narrow(1, earlier, 1);
        let own = blocks(&self.own).narrow(2, place, 1).narrow(3, 0, place + 1);
        let mut y = product(x.clone(), own, Lines::Within, Entries::All, form);
        if let Some(summaries) = &state.summaries {
            let [batch, _, d_model] = summaries.dims();
            let read = summaries.clone().reshape([batch, earlier, block, d_model]).narrow(2, place, 1);
            let row = self.earlier.val().narrow(1, place, 1).narrow(2, earlier, 1).narrow(3, 0, earlier);
            y = y + product(read.squeeze_dim(2), row, Lines::Within, Entries::All, form);
        }
        if place + 1 == block {
            let summary = product(x, blocks(&self.summary), Lines::Within, Entries::All, form);
            state.summaries = Some(append(state.summaries.take(), summary, 1));
        } else {
            state.inputs = Some(x);
        }
        y
    }
}
