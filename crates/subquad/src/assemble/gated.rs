//! Hyena and M2.

use subquad_monarch::{ConvAlgorithm, HyenaConfig, M2Config};

use crate::config::{Conv, HyenaSettings, M2Settings, ModelSettings};

/// A config with what both sections share.
macro_rules! with_shared {
    ($config:expr, $settings:ident) => {
        $config
            .with_filter_order($settings.filter_order)
            .with_emb_dim($settings.emb_dim)
            .with_num_inner($settings.num_inner)
            .with_sine_frequency($settings.sine_frequency)
            .with_share_sine($settings.share_sine)
            .with_modulate($settings.modulate)
            .with_shift($settings.shift)
            .with_normalized($settings.normalized)
            .with_conv(conv($settings.conv))
            .with_short_filter($settings.short_filter)
            .with_dropout($settings.dropout)
            .with_filter_lr($settings.filter_lr)
            .with_filter_weight_decay($settings.filter_weight_decay)
            .with_position_lr($settings.position_lr)
    };
}

fn conv(conv: Conv) -> ConvAlgorithm {
    match conv {
        Conv::Fft => ConvAlgorithm::Fft,
        Conv::Monarch => ConvAlgorithm::Monarch,
    }
}

/// It is causal whatever the model: configs refuse anything else.
pub(super) fn hyena(settings: &HyenaSettings, model: &ModelSettings) -> HyenaConfig {
    with_shared!(HyenaConfig::new(model.d_model, settings.l_max).with_order(settings.order), settings)
}

pub(super) fn m2(settings: &M2Settings, model: &ModelSettings) -> M2Config {
    let config = M2Config::new(model.d_model, settings.l_max)
        .with_bidirectional(!model.causal)
        .with_residual(settings.residual)
        .with_rev_offset(settings.rev_offset)
        .with_input_norm(settings.input_norm);
    with_shared!(config, settings)
}
