//! The words of the keys that choose one of a few, as types.

use serde::{Deserialize, Serialize};

/// `task.mnist.permutation`: the order of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permutation {
    /// Row by row.
    None,
    /// By the reversed bits of their numbers.
    BitReversal,
    /// One random order.
    Random,
}

/// `model.channel_mixer`: the part of a block that mixes channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelMixerKind {
    /// Dense matrices.
    Dense,
    /// Block-diagonal matrices.
    BlockDiagonal,
    /// Monarch matrices of two factors.
    Monarch,
    /// Nothing.
    None,
}

/// `model.channel_gate`: what stands between the layers of the channel mixer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelGate {
    /// What was published with these matrices.
    Auto,
    /// A gate.
    On,
    /// A GELU alone.
    Off,
}

/// `model.block`: where norms and residual connections stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockOrder {
    /// Norms in front of mixers.
    PreNorm,
    /// Norms behind residual connections.
    PostNorm,
    /// As in M2-BERT: none of both around the sequence mixer.
    M2Bert,
}

/// `model.init`: how dense layers and tables start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelInit {
    /// As each layer's own.
    Layers,
    /// Small normal numbers.
    Normal,
}

/// `model.norm`: what every norm is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// Layer norm.
    Layer,
    /// Nothing.
    None,
}

/// `model.pool`: where the one answer about a sequence is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pool {
    /// As suits the task's answers.
    Auto,
    /// The mean over tokens.
    Mean,
    /// The last token.
    Last,
}

/// `mixer.m2.conv`: the transforms of the long convolutions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conv {
    /// Fast Fourier transforms.
    Fft,
    /// Products with Monarch matrices.
    Monarch,
}

/// `mixer.attention.position`: how attention knows positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// Rotary embedding.
    Rope,
    /// Scores that fall with the distance.
    Alibi,
    /// Not at all.
    None,
}
