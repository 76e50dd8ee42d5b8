//! S4D, S4 and H3.

use subquad_s4::{H3Config, S4Config, S4dConfig};

use super::unless_zero;
use crate::config::{H3Settings, ModelSettings, S4Settings, S4dSettings};

/// A config with what both sections share.
macro_rules! with_shared {
    ($config:expr, $settings:ident, $model:ident) => {
        $config
            .with_init($settings.init)
            .with_d_state($settings.d_state)
            .with_bidirectional(!$model.causal)
            .with_n_ssm(Some($settings.n_ssm))
            .with_dt_min($settings.dt_min)
            .with_dt_max($settings.dt_max)
            .with_dt_tie($settings.dt_tie)
            .with_dt_transform($settings.dt_transform)
            .with_real_transform($settings.real_transform)
            .with_b_clip(($settings.b_clip > 0.0).then_some($settings.b_clip))
            .with_channels($settings.channels)
            .with_activation($settings.activation)
            .with_output($settings.output)
            .with_dropout($settings.activation_dropout)
            .with_tie_dropout($settings.tie_dropout)
            .with_kernel_dropout($settings.kernel_dropout)
            .with_ssm_lr($settings.ssm_lr)
    };
}

pub(super) fn s4d(settings: &S4dSettings, model: &ModelSettings) -> S4dConfig {
    let config = S4dConfig::new(model.d_model).with_discretization(settings.discretization);
    with_shared!(config, settings, model)
}

pub(super) fn s4(settings: &S4Settings, model: &ModelSettings) -> S4Config {
    let config = S4Config::new(model.d_model, settings.l_max).with_rank(unless_zero(settings.rank));
    with_shared!(config, settings, model)
}

/// It is causal whatever the model: configs refuse anything else.
pub(super) fn h3(settings: &H3Settings, model: &ModelSettings) -> H3Config {
    H3Config::new(model.d_model)
        .with_d_state(settings.d_state)
        .with_head_dim(settings.head_dim)
        .with_init(settings.init)
        .with_discretization(settings.discretization)
        .with_n_ssm(unless_zero(settings.n_ssm))
        .with_dt_min(settings.dt_min)
        .with_dt_max(settings.dt_max)
        .with_dt_transform(settings.dt_transform)
        .with_real_transform(settings.real_transform)
        .with_b_clip((settings.b_clip > 0.0).then_some(settings.b_clip))
        .with_train_shift_b(settings.train_shift_b)
        .with_ssm_lr(settings.ssm_lr)
}
