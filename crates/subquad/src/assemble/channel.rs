//! Channel mixers.

use subquad_model::ChannelMixerConfig;
use subquad_monarch::{BlockDiagonalMlpConfig, DenseMlpConfig, MonarchMlpConfig};

use super::unless_zero;
use crate::config::{ChannelGate, ChannelMixerKind, ModelSettings};

pub(super) fn mixer(model: &ModelSettings) -> ChannelMixerConfig {
    let ModelSettings { d_model, d_hidden, n_blocks, .. } = *model;
    match model.channel_mixer {
        ChannelMixerKind::Dense => {
            let config = DenseMlpConfig::new(d_model, d_hidden);
            let gated = gated(model, config.gated);
            ChannelMixerConfig::Dense(config.with_gated(gated))
        }
        ChannelMixerKind::BlockDiagonal => {
            let config = BlockDiagonalMlpConfig::new(d_model, d_hidden).with_n_blocks(n_blocks);
            let gated = gated(model, config.gated);
            ChannelMixerConfig::BlockDiagonal(config.with_gated(gated))
        }
        ChannelMixerKind::Monarch => {
            let config = MonarchMlpConfig::new(d_model, d_hidden).with_n_blocks(unless_zero(n_blocks));
            let gated = gated(model, config.gated);
            ChannelMixerConfig::Monarch(config.with_gated(gated))
        }
        ChannelMixerKind::None => ChannelMixerConfig::None,
    }
}

/// `auto` is what the layer's own config says.
fn gated(model: &ModelSettings, auto: bool) -> bool {
    match model.channel_gate {
        ChannelGate::Auto => auto,
        ChannelGate::On => true,
        ChannelGate::Off => false,
    }
}
