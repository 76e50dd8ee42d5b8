//! The published model's config.

use serde::Deserialize;
use subquad_mixer::published::{Case, CaseError};

use crate::M2BertConfig;

/// Keys of the published config. Absent keys are as in pretraining of the 80M model; keys that only say how it was
/// trained or initialised are read and not used.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Options {
    pub(super) batch: Option<usize>,
    pub(super) length: Option<usize>,
    vocab_size: usize,
    hidden_size: usize,
    num_hidden_layers: usize,
    intermediate_size: Option<usize>,
    max_position_embeddings: usize,
    type_vocab_size: usize,
    pad_token_id: usize,
    long_conv_l_max: usize,
    hyena_filter_order: usize,
    hyena_emb_dim: usize,
    hyena_w: f64,
    hyena_w_mod: f64,
    hyena_training_additions: bool,
    monarch_mlp_nblocks: usize,
    use_positional_encodings: bool,
    bidirectional: bool,
    residual_long_conv: bool,
    use_glu_mlp: bool,
    use_monarch_mlp: bool,
    monarch_mixer_sequence_mixing: bool,
    hidden_act: String,
    layer_norm_eps: f64,
    #[serde(rename = "num_attention_heads")]
    _heads: usize,
    #[serde(rename = "attention_probs_dropout_prob")]
    _attention_dropout: f64,
    #[serde(rename = "hidden_dropout_prob")]
    _dropout: f64,
    #[serde(rename = "hyena_filter_dropout")]
    _filter_dropout: f64,
    #[serde(rename = "hyena_wd")]
    _filter_decay: f64,
    #[serde(rename = "hyena_lr_pos_emb")]
    _position_lr: f64,
    #[serde(rename = "long_conv_kernel_learning_rate")]
    _filter_lr: Option<f64>,
    #[serde(rename = "initializer_range")]
    _deviation: f64,
}

impl Default for Options {
    fn default() -> Self {
        let published = M2BertConfig::base_80m();
        Self {
            batch: None,
            length: None,
            vocab_size: published.vocab,
            hidden_size: published.d_model,
            num_hidden_layers: published.n_layers,
            intermediate_size: None,
            max_position_embeddings: published.l_max,
            type_vocab_size: published.token_types,
            pad_token_id: 0,
            long_conv_l_max: published.l_max,
            hyena_filter_order: published.filter_order,
            hyena_emb_dim: published.emb_dim,
            hyena_w: published.sine_frequency,
            hyena_w_mod: published.sine_factor,
            hyena_training_additions: published.input_norm,
            monarch_mlp_nblocks: published.n_blocks,
            use_positional_encodings: true,
            bidirectional: true,
            residual_long_conv: true,
            use_glu_mlp: true,
            use_monarch_mlp: true,
            monarch_mixer_sequence_mixing: true,
            hidden_act: "gelu".into(),
            layer_norm_eps: 1e-12,
            _heads: 12,
            _attention_dropout: 0.0,
            _dropout: 0.1,
            _filter_dropout: 0.0,
            _filter_decay: published.filter_weight_decay,
            _position_lr: 1e-5,
            _filter_lr: None,
            _deviation: 0.02,
        }
    }
}

impl Options {
    /// The options of `case`.
    pub(super) fn of(case: &Case) -> Result<Self, CaseError> {
        let options: Self = case.parse_config()?;
        let foreign = [
            ("bidirectional = false", !options.bidirectional),
            ("residual_long_conv = false", !options.residual_long_conv),
            ("use_glu_mlp = false", !options.use_glu_mlp),
            ("use_monarch_mlp = false", !options.use_monarch_mlp),
            ("monarch_mixer_sequence_mixing = false", !options.monarch_mixer_sequence_mixing),
            ("hidden_act other than gelu", options.hidden_act != "gelu"),
            ("layer_norm_eps other than 1e-12", options.layer_norm_eps != 1e-12),
        ];
        match foreign.into_iter().find(|(_, found)| *found) {
            Some((what, _)) => Err(CaseError::Unsupported { layer: case.layer.clone(), what: what.into() }),
            None => Ok(options),
        }
    }

    pub(super) fn model(&self) -> M2BertConfig {
        let positions = if self.use_positional_encodings { self.max_position_embeddings } else { 0 };
        M2BertConfig::new(self.hidden_size)
            .with_n_layers(self.num_hidden_layers)
            .with_vocab(self.vocab_size)
            .with_l_max(self.long_conv_l_max)
            .with_positions(Some(positions))
            .with_token_types(self.type_vocab_size)
            .with_padding(Some(self.pad_token_id))
            .with_d_hidden(self.intermediate_size)
            .with_n_blocks(self.monarch_mlp_nblocks)
            .with_filter_order(self.hyena_filter_order)
            .with_emb_dim(self.hyena_emb_dim)
            .with_sine_frequency(self.hyena_w)
            .with_sine_factor(self.hyena_w_mod)
            .with_input_norm(self.hyena_training_additions)
    }
}
