//! The key-value cache.

use burn::tensor::{Device, Tensor};
use subquad_mixer::MixerState;

/// Keys and values of every token seen so far; keys are kept already rotated by their position.
///
/// A new token copies the cache. Its query reads all of it anyway, so this costs a constant factor, and a cache that
/// is never written in place can be cloned freely (branching from a prompt) and differentiated.
#[derive(Debug, Clone)]
pub struct AttentionState {
    /// `[batch, heads, seq, d_head]`
    pub(crate) k: Tensor<4>,
    /// `[batch, heads, seq, d_head]`
    pub(crate) v: Tensor<4>,
}

impl AttentionState {
    pub(crate) fn empty(batch: usize, n_heads: usize, d_head: usize, device: &Device) -> Self {
        let nothing = Tensor::zeros([batch, n_heads, 0, d_head], device);
        Self { k: nothing.clone(), v: nothing }
    }

    /// Tokens seen so far.
    pub fn seq(&self) -> usize {
        self.k.dims()[2]
    }

    /// Keys of every token so far, `[batch, heads, seq, d_head]`.
    pub fn keys(&self) -> Tensor<4> {
        self.k.clone()
    }

    /// Values of every token so far, `[batch, heads, seq, d_head]`.
    pub fn values(&self) -> Tensor<4> {
        self.v.clone()
    }

    /// # Panics
    /// If the new tokens are of another batch size.
    pub(crate) fn append(self, k: Tensor<4>, v: Tensor<4>) -> Self {
        let ([kept, ..], [got, ..]) = (self.k.dims(), k.dims());
        assert_eq!(kept, got, "the state is for a batch of {kept}, got a batch of {got}");
        Self { k: Tensor::cat(vec![self.k, k], 2), v: Tensor::cat(vec![self.v, v], 2) }
    }
}

impl MixerState for AttentionState {
    fn floats(&self) -> usize {
        let [_, n_heads, seq, d_head] = self.k.dims();
        2 * n_heads * seq * d_head
    }
}
