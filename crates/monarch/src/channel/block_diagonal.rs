//! Monarch Mixer's channel mixer.

use burn::config::Config;
use burn::tensor::Device;
use subquad_mixer::Refusal;

use super::{BlockDiagonalMlp, Mlp, expanded, narrow_widths};
use crate::BlockDiagonalLinearConfig;

/// Config of a [`BlockDiagonalMlp`].
///
/// Fu et al. 2023, <https://arxiv.org/abs/2310.12109>, section 4. There is no permutation between the layers, so in the
/// gated form with 4 blocks, output block 0 reads input blocks 0 and 2, and output block 3 reads 1 and 3; in the plain
/// form each block reads only its own.
#[derive(Config, Debug)]
pub struct BlockDiagonalMlpConfig {
    /// Width of input and output.
    pub d_model: usize,
    /// Hidden width, after the gate; M2-BERT has `4 * d_model`.
    pub d_hidden: usize,
    /// Blocks of both layers: 4 as in M2-BERT. Parameters fall in proportion.
    #[config(default = 4)]
    pub n_blocks: usize,
    /// Whether there is a gate between the layers, as in M2-BERT, for which the first layer is twice as wide.
    #[config(default = true)]
    pub gated: bool,
}

impl BlockDiagonalMlpConfig {
    /// Whether the layer can be built.
    ///
    /// # Errors
    /// The first of the [refusals](Self::refusals).
    pub fn check(&self) -> Result<(), Refusal> {
        Refusal::first(self.refusals())
    }

    /// Everything that keeps the layer from being built: a size of 0, or more blocks than channels.
    pub fn refusals(&self) -> Vec<Refusal> {
        let no_blocks = Refusal::when(self.n_blocks == 0, &["n_blocks"], || {
            "n_blocks = 0 cuts monarch matrices near the square root of their width, which block_diagonal ones cannot be; \
             choose at least 1"
                .into()
        });
        no_blocks.into_iter().chain(narrow_widths(self.d_model, self.d_hidden, self.n_blocks)).collect()
    }

    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> BlockDiagonalMlp {
        self.check().unwrap_or_else(|e| panic!("BlockDiagonalMlpConfig: {e}"));
        Mlp::new(self.layers().map(|layer| layer.init(device)), self.gated, device)
    }

    /// Number of parameters of both layers, including biases and padding.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn n_parameters(&self) -> usize {
        self.layers().iter().map(BlockDiagonalLinearConfig::n_parameters).sum()
    }

    /// Floating point operations of both layers for one token: two for each weight. Biases, GELU and gate are not counted.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn flops(&self) -> usize {
        self.layers().iter().map(BlockDiagonalLinearConfig::flops).sum()
    }

    /// `[n_blocks, outputs of a block, inputs of a block]` of both layers.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn weight_shapes(&self) -> [[usize; 3]; 2] {
        self.layers().map(|layer| layer.weight_shape())
    }

    pub(crate) fn layers(&self) -> [BlockDiagonalLinearConfig; 2] {
        let Self { d_model, d_hidden, n_blocks, gated } = *self;
        [
            BlockDiagonalLinearConfig::new(d_model, expanded(d_hidden, gated), n_blocks).with_bias(!gated),
            BlockDiagonalLinearConfig::new(d_hidden, d_model, n_blocks),
        ]
    }
}
