//! The Monarch matrices along the sequence.

use subquad_monarch::{CausalMonarchConfig, LearnedMonarchConfig};

use super::unless_zero;
use crate::config::{CausalMonarchSettings, ModelSettings, MonarchSettings};

pub(super) fn learned(settings: &MonarchSettings, model: &ModelSettings) -> LearnedMonarchConfig {
    LearnedMonarchConfig::new(model.d_model, settings.l_max)
        .with_block(unless_zero(settings.block))
        .with_n_heads(settings.n_heads)
        .with_activation(settings.activation)
        .with_init(settings.init)
        .with_gated(settings.gated)
}

pub(super) fn causal(settings: &CausalMonarchSettings, model: &ModelSettings) -> CausalMonarchConfig {
    CausalMonarchConfig::new(model.d_model, settings.l_max)
        .with_form(settings.form)
        .with_block(unless_zero(settings.block))
        .with_n_heads(settings.n_heads)
        .with_gated(settings.gated)
        .with_filter_order(settings.filter_order)
        .with_emb_dim(settings.emb_dim)
        .with_sine_frequency(settings.sine_frequency)
        .with_filter_lr(settings.filter_lr)
        .with_filter_weight_decay(settings.filter_weight_decay)
        .with_position_lr(settings.position_lr)
}
