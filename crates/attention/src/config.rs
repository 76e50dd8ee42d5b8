//! What an [`Attention`] layer consists of, and which of these choices go together.

use burn::config::Config;
use burn::module::Param;
use burn::nn::LinearConfig;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use subquad_backend::Form;
use subquad_mixer::{Choice, Flops, Options, Refusal, SequenceMixerConfig};
use subquad_options::range::{self, LONGEST_SEQ};

use crate::Attention;
use crate::dot_product::SOFTCAPS;

/// How a layer knows the order of its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Choice)]
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
#[derive(Config, Options, Debug)]
pub struct AttentionConfig {
    /// Width of input and output.
    #[option(given, range = 1..)]
    pub d_model: usize,
    /// Heads that share the width; must divide d_model.
    #[config(default = 4)]
    #[option(range = 1..=1024)]
    pub n_heads: usize,
    /// Heads of keys and values; must divide n_heads. With fewer, the cache is smaller: grouped-query attention, or
    /// multi-query attention with 1.
    #[option(range = 1..=1024, none = "n_heads")]
    pub n_kv_heads: Option<usize>,
    /// Whether a token sees only itself and the past; otherwise it sees every token, and there is no `step`.
    #[config(default = true)]
    #[option(given)]
    pub causal: bool,
    /// A token sees only tokens fewer than this many positions away, itself included; 0: no limit.
    #[option(range = 1..=LONGEST_SEQ, none = 0)]
    pub window: Option<usize>,
    /// How attention knows positions: rotary embedding, scores that fall with the distance (ALiBi), or not at all.
    #[config(default = "Position::Rope")]
    pub position: Position,
    /// Base of the rotary wavelengths, in tokens: the slowest pair of features turns once in about 2 pi rope_base tokens. 10000
    /// as published. Only with rope.
    #[config(default = 10000.0)]
    #[option(range = range::POSITIVE)]
    pub rope_base: f64,
    /// Share of each head that rope turns: its first features, in whole pairs; the rest carries no positions. Only
    /// with rope.
    #[config(default = 1.0)]
    #[option(range = range::SHARE)]
    pub rope_fraction: f64,
    /// Scores are squeezed into (-softcap, softcap) by tanh; 0 squeezes nothing.
    #[option(range = SOFTCAPS, none = 0.0)]
    pub softcap: Option<f64>,
    /// Root-mean-square norm of each head's queries and keys, with learned gains.
    #[config(default = false)]
    pub qk_norm: bool,
    /// Share of attention weights dropped in training; 0 drops none.
    #[config(default = 0.0)]
    #[option(range = range::DROPPED)]
    pub dropout: f64,
}

impl AttentionConfig {
    /// Whether the layer can be built.
    ///
    /// # Errors
    /// The first of the [refusals](Self::refusals).
    pub fn check(&self) -> Result<(), Refusal> {
        Refusal::first(self.refusals())
    }

    /// Everything that keeps the layer from being built: a number out of its range, heads that do not divide the width
    /// or the keys, rotary positions that turn no feature, or a rotary setting without rotary positions.
    pub fn refusals(&self) -> Vec<Refusal> {
        self.refused_by(|| {
            let rules = [self.uneven_heads(), self.uneven_kv_heads(), self.odd_head(), self.nothing_turned()];
            let idle = [self.idle("rope_base"), self.idle("rope_fraction")];
            rules.into_iter().chain(idle).flatten().collect()
        })
    }

    /// How many numbers the layer learns, without building it. The config must pass [`check`](Self::check).
    pub fn n_parameters(&self) -> usize {
        let (n_kv_heads, d_head) = (self.kv_heads(), self.d_head());
        let outputs = (self.n_heads + 2 * n_kv_heads) * d_head + self.d_model;
        (self.d_model + 1) * outputs + if self.qk_norm { 2 * d_head } else { 0 }
    }

    /// The layer, with burn's initial weights for linear layers: uniform within `1 / sqrt(d_model)`. Gains start at 1.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> Attention {
        self.check().unwrap_or_else(|error| panic!("AttentionConfig: {error}"));
        let (n_kv_heads, d_head) = (self.kv_heads(), self.d_head());
        let gain = || self.qk_norm.then(|| Param::from_tensor(Tensor::ones([d_head], device)));
        Attention {
            qkv: LinearConfig::new(self.d_model, (self.n_heads + 2 * n_kv_heads) * d_head).init(device),
            output: LinearConfig::new(self.d_model, self.d_model).init(device),
            q_gain: gain(),
            k_gain: gain(),
            config: self.clone(),
            form: Form::for_device(device),
        }
    }

    pub(crate) fn kv_heads(&self) -> usize {
        self.n_kv_heads.unwrap_or(self.n_heads)
    }

    pub(crate) fn d_head(&self) -> usize {
        self.d_model / self.n_heads
    }

    /// The features of a head that rope turns: whole pairs.
    pub(crate) fn d_rot(&self) -> usize {
        // 0.58 of 100 is 57.99999999999999 in f64.
        2 * (self.rope_fraction * self.d_head() as f64 / 2.0 + 1e-9) as usize
    }

    fn uneven_heads(&self) -> Option<Refusal> {
        let Self { d_model, n_heads, .. } = *self;
        Refusal::when(!d_model.is_multiple_of(n_heads), &["n_heads", "d_model"], || {
            format!(
                "{n_heads} heads cannot share d_model = {d_model} equally; choose n_heads among the divisors of {d_model}"
            )
        })
    }

    fn uneven_kv_heads(&self) -> Option<Refusal> {
        let (n_heads, n_kv_heads) = (self.n_heads, self.n_kv_heads?);
        Refusal::when(!n_heads.is_multiple_of(n_kv_heads), &["n_kv_heads", "n_heads"], || {
            format!(
                "n_kv_heads = {n_kv_heads} cannot serve {n_heads} heads equally; choose n_kv_heads among the divisors of \
                 {n_heads}"
            )
        })
    }

    /// Width of a head where rope turns some of it.
    fn turned_head(&self) -> Option<usize> {
        let is_whole = self.d_model.is_multiple_of(self.n_heads);
        (self.position == Position::Rope && is_whole).then(|| self.d_head())
    }

    fn odd_head(&self) -> Option<Refusal> {
        let (Self { d_model, n_heads, rope_fraction, .. }, d_head) = (self, self.turned_head()?);
        let is_odd = *rope_fraction == 1.0 && !d_head.is_multiple_of(2);
        Refusal::when(is_odd, &["n_heads", "d_model", "position"], || {
            format!(
                "rope rotates pairs of features, but d_model = {d_model} gives each of {n_heads} heads {d_head} of them; make \
                 that even, or choose a rope_fraction below 1 or another position"
            )
        })
    }

    fn nothing_turned(&self) -> Option<Refusal> {
        let (rope_fraction, d_head) = (self.rope_fraction, self.turned_head()?);
        let is_nothing = rope_fraction < 1.0 && self.d_rot() == 0;
        Refusal::when(is_nothing, &["rope_fraction", "n_heads", "d_model", "position"], || {
            format!(
                "rope rotates pairs of features, but rope_fraction = {rope_fraction:?} of {d_head} features per head leaves \
                 none; raise it, or choose another position"
            )
        })
    }

    /// Pairs of a query and a key that it sees, [`Rules::sees`](crate::Rules), in a sequence.
    fn pairs(&self, seq_len: usize) -> f64 {
        let seq = seq_len as f64;
        let window = self.window.map_or(seq, |window| seq.min(window as f64));
        // The first tokens have fewer before them than the window holds.
        let past = window * (window + 1.0) / 2.0 + (seq - window) * window;
        if self.causal { past } else { 2.0 * past - seq }
    }

    /// A setting that changes nothing is a mistake in the config.
    fn idle(&self, option: &'static str) -> Option<Refusal> {
        let value = |config: &Self| config.to_values().into_iter().find(|(name, _)| *name == option);
        let (set, default) = (value(self)?.1, value(&Self::new(self.d_model))?.1);
        Refusal::when(self.position != Position::Rope && set != default, &[option, "position"], || {
            format!("{option} = {set} does nothing without position = \"rope\"; leave it at {default}")
        })
    }
}

impl SequenceMixerConfig for AttentionConfig {
    type Mixer = Attention;

    fn refusals(&self) -> Vec<Refusal> {
        self.refusals()
    }

    fn n_parameters(&self) -> usize {
        self.n_parameters()
    }

    fn kept(&self) -> f64 {
        8.0
    }

    /// The projections, and two products of `d_model` terms for each pair of a query and a key that it sees: the scores and the
    /// output, over all heads.
    fn training_flops(&self, seq_len: usize) -> Option<Flops> {
        let projected = (self.n_heads + 2 * self.kv_heads()) * self.d_head();
        let linear = Flops::linear(self.d_model * (projected + self.d_model), seq_len);
        Some(linear + Flops::products(2.0 * 2.0 * self.pairs(seq_len) * self.d_model as f64))
    }

    fn init(&self, device: &Device) -> Attention {
        self.init(device)
    }
}
