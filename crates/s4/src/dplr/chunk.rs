//! A chunk of tokens from a state, in blocks: a scan over the states between blocks, and within each block the
//! state's contribution and a short convolution.
//!
//! ```text
//! X_{q+1} = a_bar^T X_q + sum over r < T of a_bar^(T-1-r) b_bar u_{qT+r}        state before block q
//! y_{qT+r} = c a_bar^(r+1) X_q + sum over s <= r of K_{r-s} u_{qT+s}
//! ```
//! The powers are made in f64 and rounded once.

use burn::tensor::{Device, Tensor};
use subquad_backend::Form;
use subquad_backend::fft_conv::causal_conv;

use super::dense::Dense;
use crate::complex::{Pair, block_len};
use crate::precision::rounded;

/// The output of the chunk `u` of `[batch, d_model, seq]` after `state`, `[batch, kernels, d_model, seq]`, and the
/// state after it.
pub(super) fn run(dense: &Dense, u: Tensor<3>, state: Pair<3>, form: Form) -> (Tensor<4>, Pair<3>) {
    let [batch, d_model, seq] = u.dims();
    let tables = Tables::new(dense, seq, &u.device());
    let padded = tables.blocks() * tables.block;
    let padding = Tensor::zeros([batch, d_model, padded - seq], &u.device());
    let u = Tensor::cat(vec![u, padding], 2);
    // States are real rows: `[d_model, batch, n]`.
    let (before, after) = tables.scan(u.clone(), state.joined().swap_dims(0, 1));
    let y = tables.read(before) + tables.within(u, form);
    (y.narrow(3, 0, seq), Pair::parted(after.swap_dims(0, 1)))
}

/// The powers that a chunk of one length needs, in f32.
struct Tables {
    seq: usize,
    block: usize,
    /// `(a_bar^block)^T`: `[d_model, n, n]`, for states that are rows.
    over_block: Tensor<3>,
    /// `(a_bar^rest)^T`, of the tokens after the last whole block; none if there are none.
    over_rest: Option<Tensor<3>>,
    /// `a_bar^r b_bar` for `r < block`: `[d_model, n, block]`.
    written: Tensor<3>,
    /// `c a_bar^(r + 1)` for `r < block`: `[d_model, block kernels, n]`, kernels fastest.
    reading: Tensor<3>,
    /// `c a_bar^r b_bar` for `r < block`: `[kernels, d_model, block]`.
    taps: Tensor<3>,
}

impl Tables {
    fn new(dense: &Dense, seq: usize, device: &Device) -> Self {
        let block = block_len(seq);
        let (mut written, mut reading) = (dense.b_bar.clone(), dense.c.clone());
        let (mut power, mut done) = (dense.a_bar.clone(), 1);
        // Tables double: the second half is the first times a_bar^done. They end at a block, because a block is a
        // power of two.
        while done < block {
            written = Tensor::cat(vec![written.clone(), power.clone().matmul(written)], 2);
            reading = Tensor::cat(vec![reading.clone(), reading.matmul(power.clone())], 1);
            (power, done) = (power.clone().matmul(power), 2 * done);
        }
        let taps = dense.c.clone().matmul(written.clone());
        let reading = reading.matmul(dense.a_bar.clone());
        let rest = seq % block;
        Self {
            seq,
            block,
            over_block: rounded(power, device).swap_dims(1, 2),
            over_rest: (rest > 0).then(|| rounded(dense.power(rest), device).swap_dims(1, 2)),
            written: rounded(written, device),
            reading: rounded(reading, device),
            taps: rounded(taps, device).swap_dims(0, 1),
        }
    }

    /// Blocks, the last of which may be short.
    fn blocks(&self) -> usize {
        self.seq.div_ceil(self.block)
    }

    /// The states before every block, `[d_model, batch blocks, n]` with blocks fastest, and the state after the chunk.
    fn scan(&self, u: Tensor<3>, mut state: Tensor<3>) -> (Tensor<3>, Tensor<3>) {
        let [batch, d_model, _] = u.dims();
        let (block, blocks, rest) = (self.block, self.blocks(), self.seq % self.block);
        let mut before = Vec::with_capacity(blocks);
        let u = u.swap_dims(0, 1);
        for q in 0..blocks {
            before.push(state.clone().unsqueeze_dim::<4>(2));
            let len = if q + 1 == blocks && rest > 0 { rest } else { block };
            let over = if len == block { &self.over_block } else { self.over_rest.as_ref().expect("a rest") };
            let weights = self.written.clone().narrow(2, 0, len).flip([2]).swap_dims(1, 2);
            let read = u.clone().narrow(2, q * block, len).matmul(weights);
            state = state.matmul(over.clone()) + read;
        }
        let n = state.dims()[2];
        (Tensor::cat(before, 2).reshape([d_model, batch * blocks, n]), state)
    }

    /// What the states before the blocks contribute: `[batch, kernels, d_model, blocks block]`.
    fn read(&self, before: Tensor<3>) -> Tensor<4> {
        let [d_model, rows, _] = before.dims();
        let (block, blocks, kernels) = (self.block, self.blocks(), self.taps.dims()[0]);
        let said = before.matmul(self.reading.clone().swap_dims(1, 2)); // [d_model, batch blocks, block kernels]
        let said = said.reshape([d_model, rows / blocks, blocks * block, kernels]);
        said.permute([1, 3, 0, 2])
    }

    /// What the tokens of each block contribute to those after them: `[batch, kernels, d_model, blocks block]`.
    fn within(&self, u: Tensor<3>, form: Form) -> Tensor<4> {
        let [batch, d_model, padded] = u.dims();
        let (block, blocks) = (self.block, self.blocks());
        let kernels = self.taps.dims()[0];
        let u = u.reshape([batch, d_model, blocks, block]).swap_dims(1, 2).reshape([
            batch * blocks,
            d_model,
            block,
        ]);
        let taps = self.taps.clone().reshape([kernels * d_model, block]);
        let y = causal_conv(u.repeat_dim(1, kernels), taps, form);
        let y = y.reshape([batch, blocks, kernels * d_model, block]).swap_dims(1, 2);
        y.reshape([batch, kernels, d_model, padded])
    }
}
