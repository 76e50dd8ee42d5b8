//! What an [`Attention`] layer is made of, and which of these choices go together.

use burn::config::Config;
use burn::module::Param;
use burn::nn::LinearConfig;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use subquad_backend::Form;

use crate::Attention;
use crate::dot_product::is_softcap;

/// How a layer knows the order of its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// Queries and keys are rotated by their position ([`Rotary`](crate::Rotary)).
    Rope,
    /// Scores fall with the distance, for each head at its own rate ([`alibi_slopes`](crate::alibi_slopes)).
    Alibi,
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
    /// Heads of keys and values, each serving `n_heads / n_kv_heads` heads of queries: a smaller cache. A divisor of
    /// `n_heads`; none: as many as `n_heads`.
    pub n_kv_heads: Option<usize>,
    /// Whether a token sees only itself and the past; otherwise it sees every token, and there is no `step`.
    #[config(default = true)]
    pub causal: bool,
    /// A token sees only tokens less than this many positions away, itself included. At least 1; none: no limit.
    pub window: Option<usize>,
    /// How the layer knows the order of its tokens.
    #[config(default = "Position::Rope")]
    pub position: Position,
    /// Only with [`Position::Rope`]: the slowest pair of features turns once in about `2 pi rope_base` tokens.
    #[config(default = 10000.0)]
    pub rope_base: f64,
    /// Only with [`Position::Rope`]: the leading part of each head that is turned, rounded down to whole pairs. In (0, 1].
    #[config(default = 1.0)]
    pub rope_fraction: f64,
    /// Scores are squeezed into (-softcap, softcap); none: as they are.
    pub softcap: Option<f64>,
    /// Whether the queries and keys of each head are scaled to a root mean square of 1, times learned gains.
    #[config(default = false)]
    pub qk_norm: bool,
    /// Probability that an attention weight is dropped, in [0, 1). Only
    /// [`forward_train`](subquad_mixer::SequenceMixer::forward_train) drops any.
    #[config(default = 0.0)]
    pub dropout: f64,
}

impl AttentionConfig {
    /// Whether the layer can be built.
    ///
    /// # Errors
    /// If the heads cannot share the width or the keys, a number is out of its range, rotary positions have nothing to
    /// turn, or a choice about them is made without them.
    pub fn check(&self) -> Result<(), AttentionConfigError> {
        self.check_heads()?;
        self.check_rules()?;
        match self.position {
            Position::Rope => self.check_rope(),
            Position::Alibi | Position::None => self.check_no_rope(),
        }
    }

    /// How many numbers the layer learns, without building it. The config must pass [`check`](Self::check).
    pub fn n_parameters(&self) -> usize {
        let (n_kv_heads, d_head) = (self.n_kv_heads.unwrap_or(self.n_heads), self.d_model / self.n_heads);
        let outputs = (self.n_heads + 2 * n_kv_heads) * d_head + self.d_model;
        (self.d_model + 1) * outputs + if self.qk_norm { 2 * d_head } else { 0 }
    }

    /// The layer, with burn's initial weights for linear layers: uniform within `1 / sqrt(d_model)`. Gains start at 1.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> Attention {
        self.check().unwrap_or_else(|error| panic!("AttentionConfig: {error}"));
        let (n_kv_heads, d_head) = (self.n_kv_heads.unwrap_or(self.n_heads), self.d_model / self.n_heads);
        let gain = || self.qk_norm.then(|| Param::from_tensor(Tensor::ones([d_head], device)));
        Attention {
            qkv: LinearConfig::new(self.d_model, (self.n_heads + 2 * n_kv_heads) * d_head).init(device),
            output: LinearConfig::new(self.d_model, self.d_model).init(device),
            q_gain: gain(),
            k_gain: gain(),
            n_heads: self.n_heads,
            n_kv_heads,
            causal: self.causal,
            window: self.window,
            position: self.position,
            rope_base: self.rope_base,
            d_rot: turned_features(d_head, self.rope_fraction),
            softcap: self.softcap,
            dropout: self.dropout,
            form: Form::for_device(device),
        }
    }

    fn check_heads(&self) -> Result<(), AttentionConfigError> {
        let Self { d_model, n_heads, .. } = *self;
        if d_model == 0 {
            return Err(AttentionConfigError::NoWidth);
        }
        if n_heads == 0 || !d_model.is_multiple_of(n_heads) {
            return Err(AttentionConfigError::UnevenHeads { d_model, n_heads });
        }
        match self.n_kv_heads {
            Some(n_kv_heads) if n_kv_heads == 0 || !n_heads.is_multiple_of(n_kv_heads) => {
                Err(AttentionConfigError::UnevenKvHeads { n_heads, n_kv_heads })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_rules(&self) -> Result<(), AttentionConfigError> {
        if self.window == Some(0) {
            return Err(AttentionConfigError::NoWindow);
        }
        if let Some(softcap) = self.softcap.filter(|&softcap| !is_softcap(softcap)) {
            return Err(AttentionConfigError::Softcap { softcap });
        }
        match (0.0..1.0).contains(&self.dropout) {
            true => Ok(()),
            false => Err(AttentionConfigError::Dropout { dropout: self.dropout }),
        }
    }

    fn check_rope(&self) -> Result<(), AttentionConfigError> {
        let Self { rope_base, rope_fraction, .. } = *self;
        let d_head = self.d_model / self.n_heads;
        if !is_positive(rope_base) {
            return Err(AttentionConfigError::RopeBase { rope_base });
        }
        if !(rope_fraction > 0.0 && rope_fraction <= 1.0) {
            return Err(AttentionConfigError::RopeFraction { rope_fraction });
        }
        if rope_fraction == 1.0 && !d_head.is_multiple_of(2) {
            return Err(AttentionConfigError::OddHead { d_head });
        }
        match turned_features(d_head, rope_fraction) {
            0 => Err(AttentionConfigError::NothingTurned { d_head, rope_fraction }),
            _ => Ok(()),
        }
    }

    /// A number that changes nothing is a mistake of whoever set it.
    fn check_no_rope(&self) -> Result<(), AttentionConfigError> {
        let defaults = Self::new(self.d_model);
        if self.rope_base != defaults.rope_base {
            return Err(AttentionConfigError::OnlyWithRope { option: "rope_base" });
        }
        if self.rope_fraction != defaults.rope_fraction {
            return Err(AttentionConfigError::OnlyWithRope { option: "rope_fraction" });
        }
        Ok(())
    }
}

/// The features of a head that are turned: whole pairs.
fn turned_features(d_head: usize, rope_fraction: f64) -> usize {
    // 0.58 of 100 is 57.99999999999999 in f64.
    2 * (rope_fraction * d_head as f64 / 2.0 + 1e-9) as usize
}

fn is_positive(x: f64) -> bool {
    x.is_finite() && x > 0.0
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
    /// The number of heads is no multiple of the number of key-value heads.
    #[error(
        "n_kv_heads = {n_kv_heads} cannot serve n_heads = {n_heads} equally; choose a divisor of {n_heads}"
    )]
    UnevenKvHeads {
        /// Heads of queries.
        n_heads: usize,
        /// Heads of keys and values asked for.
        n_kv_heads: usize,
    },
    /// Nobody would see anything.
    #[error("window must be at least 1, a token itself, got 0; leave it out for no limit")]
    NoWindow,
    /// Scores cannot be squeezed into such a range.
    #[error(
        "softcap must be a number from 1e-30 to 1e30, got {softcap:?}; leave it out for scores as they are"
    )]
    Softcap {
        /// The cap asked for.
        softcap: f64,
    },
    /// Not a probability that leaves anything.
    #[error("dropout must be at least 0 and less than 1, got {dropout:?}")]
    Dropout {
        /// The rate asked for.
        dropout: f64,
    },
    /// Rotary positions turn pairs of features.
    #[error(
        "position = rope turns pairs of features, but a head has {d_head}; choose n_heads so that d_model / n_heads is even, or a rope_fraction below 1"
    )]
    OddHead {
        /// Width of a head.
        d_head: usize,
    },
    /// No angle comes from such a base.
    #[error("rope_base must be a positive number, got {rope_base:?}")]
    RopeBase {
        /// The base asked for.
        rope_base: f64,
    },
    /// Not a part of a head.
    #[error("rope_fraction must be greater than 0 and at most 1, got {rope_fraction:?}")]
    RopeFraction {
        /// The fraction asked for.
        rope_fraction: f64,
    },
    /// The part of a head that is turned holds no pair.
    #[error(
        "rope_fraction = {rope_fraction:?} of a head of {d_head} features leaves no pair to turn; choose at least 2 / {d_head}, or position = none"
    )]
    NothingTurned {
        /// Width of a head.
        d_head: usize,
        /// The fraction asked for.
        rope_fraction: f64,
    },
    /// A choice about rotary positions in a layer without them.
    #[error("{option} changes nothing without position = rope; leave it out, or choose position = rope")]
    OnlyWithRope {
        /// The option that was set.
        option: &'static str,
    },
}
