//! The options of a model: section `[model]` of a config.

use serde::{Deserialize, Serialize};
use subquad_mixer::{Choice, Options, Refusal};
use subquad_monarch::{BlockDiagonalMlpConfig, DenseMlpConfig, MonarchMlpConfig, SwigluConfig};
use subquad_options::{OptionType, Pattern, range};

use crate::config::left_out;
use crate::{BlockOrder, ChannelMixerConfig, Encoder, Head, HeadTransform, ModelConfig, NormKind, Structure};

/// Everything about a model except its sequence mixer, its input and its output.
#[derive(Options, Clone, Debug, PartialEq)]
pub struct ModelOptions {
    /// Width of the residual stream.
    #[config(default = 64)]
    #[option(range = 1..=8192)]
    pub d_model: usize,
    /// Blocks, each a sequence mixer and a channel mixer.
    #[config(default = 2)]
    #[option(range = 1..=64)]
    pub n_layers: usize,
    /// Whether position t sees only positions up to t. False lets the mixer look both ways.
    #[config(default = true)]
    pub causal: bool,
    /// The part of a block that mixes channels.
    #[option(flatten)]
    pub channel: ChannelOptions,
    /// What every norm is: layer norm, or nothing.
    #[config(default = "NormKind::Layer")]
    pub norm: NormKind,
    /// Whether a mixer's output is added to its input. False: the output replaces the input.
    #[config(default = true)]
    pub residual: bool,
    /// Where the answer for a whole sequence is read: from the mean over tokens, or from the last token. "auto" is
    /// the mean for classes and the last token for reals. Only for tasks with one answer per sequence.
    #[config(default = "Pool::Auto")]
    pub pool: Pool,
    /// Share of activations dropped in training; 0 drops none.
    #[config(default = 0.0)]
    #[option(range = range::DROPPED)]
    pub dropout: f64,
    /// What published models differ in.
    #[option(flatten)]
    pub structure: Structure,
}

/// The channel mixer of every block.
#[derive(Options, Clone, Debug, PartialEq)]
pub struct ChannelOptions {
    /// The part of a block that mixes channels: two layers of dense, block-diagonal or Monarch matrices, or none. swiglu is
    /// dense with a SiLU gate and without biases, as in LLaMA. A pattern alternates over the blocks.
    #[config(default = "ChannelMixerName::Dense.into()")]
    pub channel_mixer: Pattern<ChannelMixerName>,
    /// What is between the two layers of the channel mixer: a GELU gate, for which the first layer is twice as wide and has no
    /// bias, or only a GELU. "auto" is a gate for block_diagonal and none for dense and monarch, each as published. swiglu
    /// always has its own gate.
    #[config(default = "ChannelGate::Auto")]
    pub channel_gate: ChannelGate,
    /// Hidden width of the channel mixer, after the gate.
    #[config(default = 128)]
    #[option(range = 1..=65536)]
    pub d_hidden: usize,
    /// Number of blocks of the block_diagonal channel mixer, or of both factors of each monarch matrix; widths are padded to a
    /// multiple. 0 (only for monarch) chooses a number near the square root of each width, which costs least.
    #[config(default = 4)]
    #[option(range = 0..=1024)]
    pub n_blocks: usize,
}

/// The kind of matrices of a channel mixer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Choice)]
#[serde(rename_all = "snake_case")]
pub enum ChannelMixerName {
    /// Dense matrices.
    Dense,
    /// Dense matrices around a SiLU gate, without biases.
    Swiglu,
    /// Block-diagonal matrices.
    BlockDiagonal,
    /// Monarch matrices of two factors.
    Monarch,
    /// No channel mixer.
    None,
}

impl ChannelMixerName {
    /// Each name with one line about it, for a list.
    pub const SUMMARIES: [(Self, &str); 5] = [
        (Self::Dense, "two dense layers: time grows with the square of the width"),
        (
            Self::Swiglu,
            "two dense layers around a SiLU gate, without biases, as in LLaMA: 1.5 times the weights",
        ),
        (Self::BlockDiagonal, "two block-diagonal layers: the same, divided by the number of blocks"),
        (Self::Monarch, "two layers of Monarch matrices: width^1.5 with model.n_blocks = 0"),
        (Self::None, "no channel mixer: a block is only its sequence mixer"),
    ];

    fn has_choice_of_gate(self) -> bool {
        match self {
            Self::Dense | Self::BlockDiagonal | Self::Monarch => true,
            Self::Swiglu | Self::None => false,
        }
    }

    /// Whether it has this size.
    fn has(self, size: &str) -> bool {
        match self {
            Self::BlockDiagonal | Self::Monarch => true,
            Self::Dense | Self::Swiglu => size == "d_hidden",
            Self::None => false,
        }
    }
}

/// What is between the layers of a channel mixer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Choice)]
#[serde(rename_all = "snake_case")]
pub enum ChannelGate {
    /// What was published with these matrices.
    Auto,
    /// A gate.
    On,
    /// Only a GELU.
    Off,
}

/// Where the single output for a sequence is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Choice)]
#[serde(rename_all = "snake_case")]
pub enum Pool {
    /// What suits the task: see [`ModelOptions`].
    Auto,
    /// The mean over tokens.
    Mean,
    /// The last token.
    Last,
}

impl ModelOptions {
    /// The model with these sequence mixers, encoder and head.
    pub fn model<C>(&self, mixer: Pattern<C>, encoder: Encoder, head: Head) -> ModelConfig<C> {
        ModelConfig {
            d_model: self.d_model,
            n_layers: self.n_layers,
            mixer,
            channel_mixer: self.channel.configs(self.d_model),
            norm: self.norm,
            residual: self.residual,
            encoder,
            head,
            structure: self.structure,
        }
    }

    /// Everything that does not go together, for sequences of up to `longest` tokens, including what the channel mixer refuses.
    pub fn refusals(&self, longest: usize) -> Vec<Refusal> {
        self.refused_by(|| {
            let own = [self.few_positions(longest), self.idle_last_norm(), self.idle_gate()];
            let norms = [self.idle_order(), self.idle_eps(), self.idle_norm("embedding_norm")];
            let sizes = [self.idle_size("d_hidden"), self.idle_size("n_blocks")];
            let rules = own.into_iter().chain(norms).chain(sizes).flatten();
            let channel = self.channel.configs(self.d_model);
            let name = format!("channel_mixer = {}", self.channel.channel_mixer.to_value().quoted());
            let left_out = left_out(("channel_mixer", &name), &channel, self.n_layers);
            rules
                .chain(left_out)
                .chain(channel.parts().iter().flat_map(ChannelMixerConfig::refusals))
                .collect()
        })
    }

    fn few_positions(&self, longest: usize) -> Option<Refusal> {
        let positions = self.structure.positions?;
        Refusal::when(positions < longest, &["positions"], || {
            format!(
                "{positions} learned positions are too few for the longest sequence, {longest} tokens; raise them or use \
                 \"longest\""
            )
        })
    }

    /// Only pre_norm has a last norm: blocks of other orders end with norms.
    fn idle_last_norm(&self) -> Option<Refusal> {
        let Structure { order, last_norm, .. } = self.structure;
        if last_norm || order == BlockOrder::PreNorm {
            return self.idle_norm("last_norm");
        }
        let block = subquad_options::word(&order);
        Some(Refusal::new(
            format!(
                "last_norm = false does nothing with block = \"{block}\", whose blocks end with norms; leave it at true"
            ),
            &["last_norm", "block"],
        ))
    }

    /// Refuses an order without effect: without norms, pre_norm and post_norm are the same.
    fn idle_order(&self) -> Option<Refusal> {
        (self.structure.order == BlockOrder::PostNorm).then(|| self.idle_norm("block"))?
    }

    /// Refuses an eps without norms; the head's transform always has one.
    fn idle_eps(&self) -> Option<Refusal> {
        (self.structure.head_transform == HeadTransform::None).then(|| self.idle_norm("norm_eps"))?
    }

    fn idle_norm(&self, option: &'static str) -> Option<Refusal> {
        (self.norm == NormKind::None).then(|| self.idle(option, "with norm = \"none\"", &[option, "norm"]))?
    }

    /// Refuses a choice of gate for a channel mixer that leaves none.
    fn idle_gate(&self) -> Option<Refusal> {
        let why = match self.channel.channel_mixer.parts() {
            [ChannelMixerName::Swiglu] => "with channel_mixer = \"swiglu\", which always has a SiLU gate",
            [ChannelMixerName::None] => "without a channel mixer",
            parts if parts.iter().any(|name| name.has_choice_of_gate()) => return None,
            _ => "with channel mixers that leave no choice of it",
        };
        self.idle("channel_gate", why, &["channel_gate", "channel_mixer"])
    }

    /// Refuses sizes that the channel mixer does not have.
    fn idle_size(&self, option: &'static str) -> Option<Refusal> {
        let mixer = &self.channel.channel_mixer;
        let why = || format!("with channel_mixer = {}", mixer.to_value().quoted());
        let idle = !mixer.parts().iter().any(|name| name.has(option));
        idle.then(|| self.idle(option, &why(), &[option, "channel_mixer"]))?
    }

    /// Refuses a value that is not the default and changes nothing.
    fn idle(&self, option: &'static str, why: &str, fields: &[&'static str]) -> Option<Refusal> {
        let value =
            |of: &Self| of.to_values().into_iter().find(|(name, _)| *name == option).map(|(_, value)| value);
        let (set, default) = (value(self)?, value(&Self::default())?);
        Refusal::when(set != default, fields, || {
            format!("{option} = {} does nothing {why}; leave it at {}", set.quoted(), default.quoted())
        })
    }
}

impl ChannelOptions {
    fn configs(&self, d_model: usize) -> Pattern<ChannelMixerConfig> {
        self.channel_mixer.map(|name| self.config(*name, d_model))
    }

    fn config(&self, name: ChannelMixerName, d_model: usize) -> ChannelMixerConfig {
        let Self { d_hidden, n_blocks, .. } = *self;
        match name {
            ChannelMixerName::Dense => {
                let config = DenseMlpConfig::new(d_model, d_hidden);
                let gated = self.is_gated(config.gated);
                ChannelMixerConfig::Dense(config.with_gated(gated))
            }
            ChannelMixerName::Swiglu => ChannelMixerConfig::Swiglu(SwigluConfig::new(d_model, d_hidden)),
            ChannelMixerName::BlockDiagonal => {
                let config = BlockDiagonalMlpConfig::new(d_model, d_hidden).with_n_blocks(n_blocks);
                let gated = self.is_gated(config.gated);
                ChannelMixerConfig::BlockDiagonal(config.with_gated(gated))
            }
            ChannelMixerName::Monarch => {
                let n_blocks = (n_blocks > 0).then_some(n_blocks);
                let config = MonarchMlpConfig::new(d_model, d_hidden).with_n_blocks(n_blocks);
                let gated = self.is_gated(config.gated);
                ChannelMixerConfig::Monarch(config.with_gated(gated))
            }
            ChannelMixerName::None => ChannelMixerConfig::None,
        }
    }

    /// `auto` is the default of the layer's own config.
    fn is_gated(&self, auto: bool) -> bool {
        match self.channel_gate {
            ChannelGate::Auto => auto,
            ChannelGate::On => true,
            ChannelGate::Off => false,
        }
    }
}
