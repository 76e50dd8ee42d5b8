//! How a chunk of tokens reads and writes the state of a diagonal system.

use burn::tensor::Tensor;
use subquad_backend::Form;

use super::discretization::Discrete;
use super::kernel::kernel;
use crate::complex::{Pair, block_len, powers};
use crate::precision::rounded;

impl Discrete {
    /// `a_bar^seq`: `[1, d_model, pairs]`
    fn after(&self, seq: usize) -> Pair<3> {
        let power = self.log_a.clone().map(|part| part * seq as f64).exp();
        power.map(|part| rounded(part, &self.b.re.device()).unsqueeze_dim(0))
    }

    fn a_bar(&self) -> Pair<3> {
        self.after(1)
    }

    /// One token: `s = a_bar s + b_bar u`. `u` is `[batch, d_model]`.
    pub(super) fn advance(&self, state: Pair<3>, u: Tensor<2>) -> Pair<3> {
        let u = u.unsqueeze_dim::<3>(2);
        self.a_bar() * state + self.b.clone().unsqueeze_dim::<3>(0).map(|part| part * u.clone())
    }

    /// What the state adds to the next `seq` outputs: `2 Re(c a_bar^(t + 1) s)`, which is the formula of the kernel
    /// with `c a_bar s` in place of `c`.
    ///
    /// # Shapes
    /// - `c`: `[kernels, d_model, pairs]`
    /// - `state`: `[batch, d_model, pairs]`
    /// - output: `[batch, kernels, d_model, seq]`
    pub(super) fn read(&self, c: Pair<3>, state: Pair<3>, seq: usize, form: Form) -> Tensor<4> {
        let ([kernels, d_model, pairs], [batch, _, _]) = (c.re.dims(), state.re.dims());
        let next = (self.a_bar() * state).unsqueeze_dim::<4>(1);
        let c = c.unsqueeze_dim::<4>(0) * next;
        let rows = c.map(|part| part.reshape([batch * kernels, d_model, pairs]));
        kernel(rows, self.log_a.clone(), seq, form).reshape([batch, kernels, d_model, seq])
    }

    /// The state after a chunk `u` of `[batch, d_model, seq]`: `a_bar^seq s + b_bar sum over j of a_bar^(seq - 1 - j) u_j`.
    pub(super) fn write(&self, state: Pair<3>, u: Tensor<3>) -> Pair<3> {
        let seq = u.dims()[2];
        let decayed = self.after(seq) * state;
        decayed + self.b.clone().unsqueeze_dim(0) * weighted_sum(&self.log_a, u.flip([2]))
    }
}

/// `sum over l of a_bar^l u_l`, in blocks: within a block by one matrix product, then over the blocks.
///
/// # Shapes
/// - `u`: `[batch, d_model, seq]`
/// - output: `[batch, d_model, pairs]`
fn weighted_sum(log_a: &Pair<2>, u: Tensor<3>) -> Pair<3> {
    let ([batch, d_model, seq], device) = (u.dims(), u.device());
    let block = block_len(seq);
    let blocks = seq.div_ceil(block);
    let padding = Tensor::zeros([batch, d_model, blocks * block - seq], &device);
    let u = Tensor::cat(vec![u, padding], 2).reshape([batch, d_model, blocks, block]);
    let inner = powers(log_a, 1, block, &device).map(|part| part.swap_dims(1, 2).unsqueeze_dim::<4>(0));
    let within = inner.map(|part| u.clone().matmul(part)); // [batch, d_model, blocks, pairs]
    let outer = powers(log_a, block, blocks, &device).map(|part| part.swap_dims(1, 2).unsqueeze_dim::<4>(0));
    (within * outer).map(|part| part.sum_dim(2).squeeze_dim(2))
}
