//! M2-BERT.
//!
//! ```text
//! h = norm(token + position + type)                      dropout after it
//! for each block:  h = m2(h);  h = norm(block_diagonal_mlp(h) + h)        dropout before the MLP's last layer
//! logits = table norm(gelu(linear(h))) + bias            the table of tokens
//! logits = linear(tanh(linear(h_0)))                     with `classes`: of the first token; dropout after the tanh
//! ```
//! There is no other dropout. The row of the `padding` token gets no gradient where it is read, as with PyTorch's
//! `padding_idx`, but the tied table still learns from the logits.
//!
//! M2 is bidirectional and has its residual filter, which is the only skip around it. Fu et al. 2023,
//! <https://arxiv.org/abs/2310.12109>; sizes and details as in the code published with it,
//! <https://github.com/HazyResearch/m2>. There, all layers start as copies of one; here every layer is drawn separately.

use burn::config::Config;
use subquad_monarch::{BlockDiagonalMlpConfig, M2Config};

use crate::{
    BlockOrder, ChannelMixerConfig, DropoutSites, Encoder, Head, HeadTransform, Init, MixerConfig,
    ModelConfig, NormKind, Structure,
};

/// BERT's value; PyTorch's default is 1e-5.
const NORM_EPS: f64 = 1e-12;

/// Sizes of an M2-BERT; the defaults are those of all published ones.
#[derive(Config, Debug)]
pub struct M2BertConfig {
    /// Width of the residual stream. Published models have 768, 960, 1536 or 1792.
    pub d_model: usize,
    /// Number of blocks.
    #[config(default = 12)]
    pub n_layers: usize,
    /// Number of tokens: BERT's 30522, padded to a multiple of 64.
    #[config(default = 30528)]
    pub vocab: usize,
    /// Longest sequence, in tokens, for the filters and, unless `positions` says otherwise, for the positions.
    #[config(default = 128)]
    pub l_max: usize,
    /// Number of learned positions, if it differs from `l_max`; 0: none.
    #[config(default = "None")]
    pub positions: Option<usize>,
    /// Segments that a token can belong to.
    #[config(default = 2)]
    pub token_types: usize,
    /// The padding token, 0 in BERT: its row gets no gradient where it is read. `None`: all rows do.
    #[config(default = "Some(0)")]
    pub padding: Option<usize>,
    /// Number of classes of whole sequences, predicted by a pooler and a linear layer from the first token. `None`:
    /// logits of every token, as in pretraining.
    #[config(default = "None")]
    pub classes: Option<usize>,
    /// Hidden width of the channel mixers, as a multiple of `d_model`.
    #[config(default = 4)]
    pub expand: usize,
    /// That width itself, if it is not a multiple.
    #[config(default = "None")]
    pub d_hidden: Option<usize>,
    /// Number of blocks of their matrices.
    #[config(default = 4)]
    pub n_blocks: usize,
    /// Width of the networks that draw the filters.
    #[config(default = 128)]
    pub filter_order: usize,
    /// Number of positional features that these read.
    #[config(default = 5)]
    pub emb_dim: usize,
    /// Initial frequency of their sines.
    #[config(default = 10.0)]
    pub sine_frequency: f64,
    /// A further factor on every sine's frequency: `hyena_w_mod` of the published config.
    #[config(default = 1.0)]
    pub sine_factor: f64,
    /// Whether every sequence mixer has a layer norm before it: `hyena_training_additions` of the published config. The
    /// released model of width 768 was trained with it, wider ones without.
    #[config(default = false)]
    pub input_norm: bool,
    /// Largest learning rate of these networks.
    #[config(default = 1e-3)]
    pub filter_lr: f64,
    /// Their weight decay.
    #[config(default = 0.1)]
    pub filter_weight_decay: f64,
}

impl M2BertConfig {
    /// M2-BERT-base: 80,267,328 parameters. The released checkpoint has `input_norm`, and 80,285,760.
    pub fn base_80m() -> Self {
        Self::new(768)
    }

    /// M2-BERT-base, wide enough to match BERT-base: 115,583,616 parameters.
    pub fn base_110m() -> Self {
        Self::new(960)
    }

    /// M2-BERT-large: 259,133,760 parameters.
    pub fn large_260m() -> Self {
        Self::new(1536)
    }

    /// M2-BERT-large, wide enough to match BERT-large: 341,038,144 parameters.
    pub fn large_341m() -> Self {
        Self::new(1792)
    }

    /// A model of bytes and a mask token, for a laptop: it trains in minutes on two cores.
    pub fn small() -> Self {
        Self::new(96)
            .with_n_layers(2)
            .with_vocab(257)
            .with_token_types(0)
            .with_padding(None)
            .with_expand(2)
            .with_filter_order(64)
            .with_filter_weight_decay(0.0)
    }

    /// The model.
    pub fn model(&self) -> ModelConfig {
        ModelConfig {
            d_model: self.d_model,
            n_layers: self.n_layers,
            mixer: MixerConfig::M2(self.mixer()).into(),
            channel_mixer: ChannelMixerConfig::BlockDiagonal(self.channel_mixer()).into(),
            norm: NormKind::Layer,
            residual: true,
            encoder: Encoder::Embedding { vocab: self.vocab },
            head: match self.classes {
                Some(outputs) => Head::First { outputs },
                None => Head::Token { outputs: self.vocab },
            },
            structure: self.structure(),
        }
    }

    pub(crate) fn mixer(&self) -> M2Config {
        M2Config::new(self.d_model, self.l_max)
            .with_filter_order(self.filter_order)
            .with_emb_dim(self.emb_dim)
            .with_sine_frequency(self.sine_frequency)
            .with_sine_factor(self.sine_factor)
            .with_input_norm(self.input_norm)
            .with_bidirectional(true)
            .with_residual(true)
            .with_filter_lr(self.filter_lr)
            .with_filter_weight_decay(self.filter_weight_decay)
    }

    pub(crate) fn channel_mixer(&self) -> BlockDiagonalMlpConfig {
        let d_hidden = self.d_hidden.unwrap_or_else(|| self.expand.saturating_mul(self.d_model));
        BlockDiagonalMlpConfig::new(self.d_model, d_hidden).with_n_blocks(self.n_blocks)
    }

    /// Rows of the table of positions; `None`: no table.
    pub(crate) fn known_positions(&self) -> Option<usize> {
        Some(self.positions.unwrap_or(self.l_max)).filter(|rows| *rows > 0)
    }

    fn structure(&self) -> Structure {
        let tells_tokens = self.classes.is_none();
        Structure {
            order: BlockOrder::M2Bert,
            last_norm: true,
            norm_eps: NORM_EPS,
            positions: self.known_positions(),
            token_types: self.token_types,
            embedding_norm: true,
            head_transform: if tells_tokens { HeadTransform::GeluNorm } else { HeadTransform::Pooler },
            tied_head: tells_tokens,
            init: Init::Normal,
            padding: self.padding,
            dropout: DropoutSites::M2Bert,
        }
    }
}
