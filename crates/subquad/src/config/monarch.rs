//! Sections `[mixer.monarch]` and `[mixer.causal_monarch]` as types. Their words are the layers' own.

use serde::{Deserialize, Serialize};
use subquad_backend::pointwise::Activation;
use subquad_monarch::{CausalMonarchForm, SequenceInit};

/// Section `[mixer.monarch]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MonarchSettings {
    /// Longest sequence, in tokens, as a number.
    pub l_max: usize,
    /// Tokens of a block; 0: near the square root of `l_max`.
    pub block: usize,
    /// Groups of features with matrices of their own.
    pub n_heads: usize,
    /// What happens to every number between the matrices.
    pub activation: Activation,
    /// Where the factors start.
    pub init: SequenceInit,
    /// Whether projections, a short convolution and gates stand around the matrices.
    pub gated: bool,
}

/// Section `[mixer.causal_monarch]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CausalMonarchSettings {
    /// How the matrix is kept from looking ahead.
    pub form: CausalMonarchForm,
    /// Longest sequence, in tokens, as a number.
    pub l_max: usize,
    /// Tokens of a block; 0: near the square root of `l_max`.
    pub block: usize,
    /// Groups of features with matrices of their own.
    pub n_heads: usize,
    /// Whether projections, a short convolution and gates stand around the matrix.
    pub gated: bool,
    /// Hidden width of the filter network of a sandwich.
    pub filter_order: usize,
    /// Width of its positional features.
    pub emb_dim: usize,
    /// Frequency of its sine activations.
    pub sine_frequency: f64,
    /// Learning rate of the filter network.
    pub filter_lr: f64,
    /// Weight decay of the filter network.
    pub filter_weight_decay: f64,
    /// Learning rate of the positional features.
    pub position_lr: f64,
}
