//! The memory of an S4D layer, and how a chunk of tokens reads and writes it.

use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_mixer::MixerState;

use crate::complex::{Pair, block_len, powers};
use crate::discretization::Discrete;
use crate::kernel::kernel;

/// Complex state of every channel and pair.
#[derive(Debug, Clone)]
pub struct S4dState {
    /// Real part, `[batch, d_model, d_state / 2]`.
    pub re: Tensor<3>,
    /// Imaginary part, the same shape.
    pub im: Tensor<3>,
}

impl MixerState for S4dState {
    fn floats(&self) -> usize {
        let [_, d_model, pairs] = self.re.dims();
        2 * d_model * pairs
    }
}

impl From<Pair<3>> for S4dState {
    fn from(Pair { re, im }: Pair<3>) -> Self {
        Self { re, im }
    }
}

impl From<S4dState> for Pair<3> {
    fn from(S4dState { re, im }: S4dState) -> Self {
        Self { re, im }
    }
}

impl Discrete {
    fn a_bar(&self) -> Pair<3> {
        self.log_a.clone().exp().unsqueeze_dim(0)
    }

    /// One token: `s = a_bar s + b_bar u`. `u` is `[batch, d_model]`.
    pub(crate) fn advance(&self, state: Pair<3>, u: Tensor<2>) -> Pair<3> {
        let u = u.unsqueeze_dim::<3>(2);
        self.a_bar() * state + self.b.clone().unsqueeze_dim::<3>(0).map(|part| part * u.clone())
    }

    /// What the state adds to the next `seq` outputs: `2 Re(c a_bar^(t + 1) s)`, which is the formula of the kernel with
    /// `c a_bar s` in the place of `c`. `c` is `[1, d_model, pairs]`; the output is `[batch, d_model, seq]`.
    pub(crate) fn read(&self, c: Pair<3>, state: Pair<3>, seq: usize, form: Form) -> Tensor<3> {
        kernel(c * self.a_bar() * state, self.log_a.clone(), seq, form)
    }

    /// The state after a chunk `u` of `[batch, d_model, seq]`: `a_bar^seq s + b_bar sum over j of a_bar^(seq - 1 - j) u_j`.
    pub(crate) fn write(&self, state: Pair<3>, u: Tensor<3>) -> Pair<3> {
        let seq = u.dims()[2];
        let decayed = self.log_a.clone().map(|part| part * seq as f64).exp().unsqueeze_dim(0) * state;
        decayed + self.b.clone().unsqueeze_dim(0) * weighted_sum(&self.log_a, u.flip([2]))
    }
}

/// `sum over l of a_bar^l u_l`, in blocks: within a block by one matrix product, then over the blocks.
///
/// # Shapes
/// - `u`: `[batch, d_model, seq]`
/// - output: `[batch, d_model, pairs]`
fn weighted_sum(log_a: &Pair<2>, u: Tensor<3>) -> Pair<3> {
    let [batch, d_model, seq] = u.dims();
    let block = block_len(seq);
    let blocks = seq.div_ceil(block);
    let padding = Tensor::zeros([batch, d_model, blocks * block - seq], &u.device());
    let u = Tensor::cat(vec![u, padding], 2).reshape([batch, d_model, blocks, block]);
    let inner = powers(log_a, 1, block).map(|part| part.swap_dims(1, 2).unsqueeze_dim::<4>(0));
    let within = inner.map(|part| u.clone().matmul(part)); // [batch, d_model, blocks, pairs]
    let outer = powers(log_a, block, blocks).map(|part| part.swap_dims(1, 2).unsqueeze_dim::<4>(0));
    (within * outer).map(|part| part.sum_dim(2).squeeze_dim(2))
}
