//! M2-GPT.
//!
//! ```text
//! for each block:  h = h + m2(norm(h));  h = h + block_diagonal_mlp(norm(h))
//! logits = table norm(h) + bias                          the table of tokens
//! ```
//! M2 is causal and has no residual filter: the skip around it takes its place. Fu et al. 2023,
//! <https://arxiv.org/abs/2310.12109>, say that M2-GPT has neither attention nor dense channel mixers; its code and sizes
//! are not public, so the blocks are GPT's. The paper's addition, filters shared by heads, is not implemented.

use burn::config::Config;
use subquad_monarch::{BlockDiagonalMlpConfig, M2Config};

use crate::{
    BlockOrder, ChannelMixerConfig, Encoder, Head, Init, MixerConfig, ModelConfig, NormKind, Structure,
};

/// Sizes of an M2-GPT.
#[derive(Config, Debug)]
pub struct M2GptConfig {
    /// Width.
    pub d_model: usize,
    /// Number of blocks.
    pub n_layers: usize,
    /// Tokens.
    pub vocab: usize,
    /// Longest sequence, in tokens.
    pub l_max: usize,
    /// Whether there are learned positions too; the filters know positions anyway.
    #[config(default = false)]
    pub positions: bool,
    /// Hidden width of the channel mixers, as a multiple of `d_model`.
    #[config(default = 4)]
    pub expand: usize,
    /// Number of blocks of their matrices.
    #[config(default = 4)]
    pub n_blocks: usize,
    /// Width of the networks that draw the filters.
    #[config(default = 64)]
    pub filter_order: usize,
}

impl M2GptConfig {
    /// A model of bytes, for a laptop: it trains in minutes on two cores.
    pub fn small() -> Self {
        Self::new(96, 2, 256, 256)
    }

    /// The model.
    pub fn model(&self) -> ModelConfig {
        let Self { d_model, n_layers, vocab, .. } = *self;
        let mlp = BlockDiagonalMlpConfig::new(d_model, self.expand * d_model).with_n_blocks(self.n_blocks);
        let mixer = M2Config::new(d_model, self.l_max).with_filter_order(self.filter_order);
        ModelConfig {
            d_model,
            n_layers,
            mixer: MixerConfig::M2(mixer).into(),
            channel_mixer: ChannelMixerConfig::BlockDiagonal(mlp).into(),
            norm: NormKind::Layer,
            residual: true,
            encoder: Encoder::Embedding { vocab },
            head: Head::Token { outputs: vocab },
            structure: self.structure(),
        }
    }

    fn structure(&self) -> Structure {
        Structure {
            order: BlockOrder::PreNorm,
            positions: self.positions.then_some(self.l_max),
            tied_head: true,
            init: Init::Normal,
            ..Structure::default()
        }
    }
}
