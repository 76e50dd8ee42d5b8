//! What an [`Attention`] layer is made of, and which of these choices go together.

use burn::config::Config;
use burn::nn::LinearConfig;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};
use subquad_backend::Form;

use crate::Attention;

/// How a layer knows the order of its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// Queries and keys are rotated by their position ([`Rotary`](crate::Rotary)).
    Rope,
    /// Not at all: for models that add positions to the tokens themselves.
    None,
}

/// Builds an [`Attention`] layer: `AttentionConfig::new(64).with_n_heads(4).init(&device)`.
#[derive(Config, Debug)]
pub struct AttentionConfig {
    /// Width of input and output.
    pub d_model: usize,
    /// Heads that share the width. 4 is the usual choice for the small widths of this workspace.
    #[config(default = 4)]
    pub n_heads: usize,
    /// Whether a token sees only itself and the past; otherwise it sees every token, and there is no `step`.
    #[config(default = true)]
    pub causal: bool,
    /// How the layer knows the order of its tokens.
    #[config(default = "Position::Rope")]
    pub position: Position,
    /// Only with [`Position::Rope`]: the slowest pair of features turns once in about `2 pi rope_base` tokens.
    #[config(default = 10000.0)]
    pub rope_base: f64,
}

impl AttentionConfig {
    /// Whether the layer can be built.
    ///
    /// # Errors
    /// If the heads cannot share the width, or rotary positions have nothing to turn.
    pub fn check(&self) -> Result<(), AttentionConfigError> {
        let Self { d_model, n_heads, position, rope_base, .. } = *self;
        if d_model == 0 {
            return Err(AttentionConfigError::NoWidth);
        }
        if n_heads == 0 || !d_model.is_multiple_of(n_heads) {
            return Err(AttentionConfigError::UnevenHeads { d_model, n_heads });
        }
        match position {
            Position::Rope => check_rope(d_model / n_heads, rope_base),
            Position::None => Ok(()),
        }
    }

    /// The layer, with burn's initial weights for linear layers: uniform within `1 / sqrt(d_model)`.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> Attention {
        self.check().unwrap_or_else(|error| panic!("AttentionConfig: {error}"));
        Attention {
            qkv: LinearConfig::new(self.d_model, 3 * self.d_model).init(device),
            output: LinearConfig::new(self.d_model, self.d_model).init(device),
            n_heads: self.n_heads,
            causal: self.causal,
            position: self.position,
            rope_base: self.rope_base,
            form: Form::for_device(device),
        }
    }
}

fn check_rope(d_head: usize, rope_base: f64) -> Result<(), AttentionConfigError> {
    if !d_head.is_multiple_of(2) {
        return Err(AttentionConfigError::OddHead { d_head });
    }
    if !(rope_base.is_finite() && rope_base > 0.0) {
        return Err(AttentionConfigError::RopeBase { rope_base });
    }
    Ok(())
}

/// Why an [`AttentionConfig`] describes no layer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AttentionConfigError {
    /// There are no features.
    #[error("d_model must be at least 1, got 0")]
    NoWidth,
    /// The width is no multiple of the number of heads.
    #[error("{n_heads} heads cannot share d_model = {d_model} equally; choose a divisor of {d_model}")]
    UnevenHeads {
        /// Width of the layer.
        d_model: usize,
        /// Heads asked for.
        n_heads: usize,
    },
    /// Rotary positions turn pairs of features.
    #[error(
        "position = rope turns pairs of features, but a head has {d_head}; choose n_heads so that d_model / n_heads is even"
    )]
    OddHead {
        /// Width of a head.
        d_head: usize,
    },
    /// No angle comes from such a base.
    #[error("rope_base must be a positive number, got {rope_base}")]
    RopeBase {
        /// The base asked for.
        rope_base: f64,
    },
}
