//! The sizes that a layer is measured at.

/// Sizes of the input and of what a channel mixer is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// Sequences at once.
    pub batch: usize,
    /// Sequence length, in tokens.
    pub seq_len: usize,
    /// Width of input and output.
    pub d_model: usize,
    /// Hidden width of a channel mixer over its width.
    pub hidden_factor: usize,
    /// Blocks of a block-diagonal layer.
    pub n_blocks: usize,
    /// States a channel of a state space.
    pub d_state: usize,
}

/// States a channel wherever times are taken.
pub(crate) const D_STATE: usize = 64;

impl Sizes {
    /// Hidden width of a channel mixer.
    pub fn d_hidden(&self) -> usize {
        self.hidden_factor * self.d_model
    }

    /// Tokens of the whole batch.
    pub fn tokens(&self) -> usize {
        self.batch * self.seq_len
    }

    /// Floats of the input.
    pub fn elements(&self) -> usize {
        self.tokens() * self.d_model
    }
}
