//! One run's settings as types. No defaults here: every field comes from the schema, and a test keeps both equal.

use serde::{Deserialize, Serialize};

use super::{
    BlockOrder, CausalMonarchSettings, ChannelGate, ChannelMixerKind, H3Settings, HyenaSettings, M2Settings,
    MixerName, ModelInit, MonarchSettings, Norm, Permutation, Pool, Position, S4Settings, S4dSettings,
};

/// Everything that one run needs to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// What is learned.
    pub task: TaskSettings,
    /// The stack around the mixer.
    pub model: ModelSettings,
    /// The sequence mixer and its settings.
    pub mixer: MixerSettings,
    /// The optimiser.
    pub optim: OptimSettings,
    /// The training loop.
    pub train: TrainSettings,
    /// Sequence length, in tokens.
    pub seq_len: usize,
    /// Seed of weights, data order and dropout.
    pub seed: u64,
}

impl RunConfig {
    /// The name of the run's mixer.
    pub fn mixer_name(&self) -> MixerName {
        match self.mixer {
            MixerSettings::Attention(_) => MixerName::Attention,
            MixerSettings::S4d(_) => MixerName::S4d,
            MixerSettings::S4(_) => MixerName::S4,
            MixerSettings::H3(_) => MixerName::H3,
            MixerSettings::Hyena(_) => MixerName::Hyena,
            MixerSettings::M2(_) => MixerName::M2,
            MixerSettings::Monarch(_) => MixerName::Monarch,
            MixerSettings::CausalMonarch(_) => MixerName::CausalMonarch,
        }
    }
}

/// Section `[task]`, with the section of the task that it names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum TaskSettings {
    /// The embedded digits, which have no section.
    Digits {
        /// Empty, because they are embedded.
        path: String,
    },
    /// Associative recall, which reads no files.
    Mqar {
        /// Empty, because there are none.
        path: String,
        /// Section `[task.mqar]`.
        mqar: MqarSettings,
    },
    /// Digits of 28 x 28.
    Mnist {
        /// The folder of the four files; empty for `$SUBQUAD_DATA/mnist`.
        path: String,
        /// Section `[task.mnist]`.
        mnist: MnistSettings,
    },
    /// The next byte of a text.
    Bytes {
        /// The text; empty for the embedded one.
        path: String,
        /// Section `[task.bytes]`.
        bytes: BytesSettings,
    },
    /// The hidden bytes of a text.
    MaskedBytes {
        /// The text; empty for the embedded one.
        path: String,
        /// Section `[task.masked_bytes]`.
        masked_bytes: MaskedBytesSettings,
    },
    /// Noise, some tokens later, which reads no files.
    Delay {
        /// Empty, because there are none.
        path: String,
        /// Section `[task.delay]`.
        delay: DelaySettings,
    },
    /// The latest noise, at the end, which reads no files.
    Reconstruct {
        /// Empty, because there are none.
        path: String,
        /// Section `[task.reconstruct]`.
        reconstruct: ReconstructSettings,
    },
}

impl TaskSettings {
    /// Where the task's data are; empty for its own place.
    pub fn path(&self) -> &str {
        match self {
            Self::Digits { path }
            | Self::Mqar { path, .. }
            | Self::Mnist { path, .. }
            | Self::Bytes { path, .. }
            | Self::MaskedBytes { path, .. }
            | Self::Delay { path, .. }
            | Self::Reconstruct { path, .. } => path,
        }
    }
}

/// Section `[task.mqar]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MqarSettings {
    /// Number of tokens.
    pub vocab: usize,
    /// Pairs of key and value, as a number.
    pub n_pairs: usize,
    /// How soon queries come.
    pub power: f64,
    /// Whether random tokens stand between the queries.
    pub random_non_queries: bool,
    /// Training examples in an epoch; 0: all fresh.
    pub train_examples: usize,
    /// Test examples of each condition.
    pub test_examples: usize,
    /// Test conditions besides that of training, each `<length>x<pairs>`.
    pub test_conditions: Vec<String>,
}

/// Section `[task.mnist]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MnistSettings {
    /// The order of pixels.
    pub permutation: Permutation,
    /// Training images; 0: all.
    pub train_examples: usize,
    /// Test images; 0: all.
    pub test_examples: usize,
}

/// Section `[task.bytes]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BytesSettings {
    /// Test windows at most; 0: all.
    pub test_examples: usize,
}

/// Section `[task.masked_bytes]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaskedBytesSettings {
    /// Share of the positions that training asks for.
    pub mask_share: f64,
    /// Share of the positions that tests ask for.
    pub test_mask_share: f64,
    /// Test windows at most; 0: all.
    pub test_examples: usize,
}

/// Section `[task.delay]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DelaySettings {
    /// How many tokens ago, as a number.
    pub lag: usize,
    /// Highest frequency of the noise, as a share of the Nyquist frequency.
    pub bandwidth: f64,
    /// Test examples.
    pub test_examples: usize,
}

/// Section `[task.reconstruct]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReconstructSettings {
    /// How many of the latest inputs, as a number.
    pub window: usize,
    /// Highest frequency of the noise, as a share of the Nyquist frequency.
    pub bandwidth: f64,
    /// Test examples.
    pub test_examples: usize,
}

/// Section `[model]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSettings {
    /// Width of the residual stream.
    pub d_model: usize,
    /// Number of blocks.
    pub n_layers: usize,
    /// Whether position t sees only positions up to t.
    pub causal: bool,
    /// The part of a block that mixes channels.
    pub channel_mixer: ChannelMixerKind,
    /// What stands between its layers.
    pub channel_gate: ChannelGate,
    /// Hidden width of the channel mixer.
    pub d_hidden: usize,
    /// Blocks of the channel mixer; 0: near the square root of each width.
    pub n_blocks: usize,
    /// What every norm is.
    pub norm: Norm,
    /// Whether a mixer's output is added to its input.
    pub residual: bool,
    /// Where the one answer about a sequence is read.
    pub pool: Pool,
    /// Share of activations dropped in training.
    pub dropout: f64,
    /// Where norms and residual connections stand.
    pub block: BlockOrder,
    /// Whether a norm stands in front of the head of a pre-norm model.
    pub last_norm: bool,
    /// What every norm adds to the variance.
    pub norm_eps: f64,
    /// Learned positions, as a number; 0: none.
    pub positions: usize,
    /// Whether a norm stands behind the inputs' vectors.
    pub embedding_norm: bool,
    /// Whether a linear layer, GELU and a norm stand in front of the head.
    pub head_transform: bool,
    /// Whether the head shares the table of tokens.
    pub tied_head: bool,
    /// How dense layers and tables start.
    pub init: ModelInit,
}

/// The run's section of `[mixer]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MixerSettings {
    /// Section `[mixer.attention]`.
    Attention(AttentionSettings),
    /// Section `[mixer.s4d]`.
    S4d(S4dSettings),
    /// Section `[mixer.s4]`.
    S4(S4Settings),
    /// Section `[mixer.h3]`.
    H3(H3Settings),
    /// Section `[mixer.hyena]`.
    Hyena(HyenaSettings),
    /// Section `[mixer.m2]`.
    M2(M2Settings),
    /// Section `[mixer.monarch]`.
    Monarch(MonarchSettings),
    /// Section `[mixer.causal_monarch]`.
    CausalMonarch(CausalMonarchSettings),
}

/// Section `[mixer.attention]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttentionSettings {
    /// Number of heads.
    pub n_heads: usize,
    /// Heads of keys and values, as a number.
    pub n_kv_heads: usize,
    /// How far tokens see, themselves included; 0: no limit.
    pub window: usize,
    /// How attention knows positions.
    pub position: Position,
    /// Base of the rotary wavelengths.
    pub rope_base: f64,
    /// Share of each head that is turned.
    pub rope_fraction: f64,
    /// Bound of the scores; 0: none.
    pub softcap: f64,
    /// Whether queries and keys are normed.
    pub qk_norm: bool,
    /// Share of attention weights dropped in training.
    pub dropout: f64,
}

/// Section `[optim]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimSettings {
    /// Peak learning rate.
    pub lr: f64,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// Share of the steps over which the learning rate climbs to its peak.
    pub warmup: f64,
    /// Largest global norm of the gradient; 0 clips nothing.
    pub clip: f64,
}

/// Section `[train]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainSettings {
    /// Optimiser steps.
    pub steps: usize,
    /// Sequences a step.
    pub batch: usize,
    /// Steps between rows of the training loss.
    pub log_every: usize,
    /// Steps between evaluations; 0 evaluates only at the end.
    pub eval_every: usize,
    /// Steps between checkpoints; 0 writes one only when the run is asked to stop.
    pub checkpoint_every: usize,
}
