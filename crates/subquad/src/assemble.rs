//! Settings from a config onto the layers' own configs: one place for each layer.

mod channel;
mod gated;
mod monarch;
mod state_space;

use subquad_attention::AttentionConfig;
use subquad_data::{
    BytesConfig, DelayConfig, InputKind, MaskedBytesConfig, MnistConfig, MqarConfig, ReconstructConfig,
    TargetKind, Task, TaskConfig,
};
use subquad_model::{
    DropoutSites, Encoder, Head, HeadTransform, Init, MixerConfig, ModelConfig, NormKind, Structure,
};
use subquad_train::TrainConfig;

use crate::config::{
    AttentionSettings, BlockOrder, DelaySettings, MaskedBytesSettings, MixerSettings, MnistSettings,
    ModelInit, ModelSettings, MqarSettings, Norm, Permutation, Pool, Position, ReconstructSettings,
    RunConfig, TaskSettings,
};

/// The task of a run, with its options.
pub fn task(settings: &TaskSettings) -> TaskConfig {
    match settings {
        TaskSettings::Digits { path: _ } => TaskConfig::Digits,
        TaskSettings::Mqar { path: _, mqar } => TaskConfig::Mqar(self::mqar(mqar)),
        TaskSettings::Mnist { path, mnist } => TaskConfig::Mnist(self::mnist(path, mnist)),
        TaskSettings::Bytes { path, bytes } => {
            TaskConfig::Bytes(BytesConfig { path: path.into(), test_examples: bytes.test_examples })
        }
        TaskSettings::MaskedBytes { path, masked_bytes } => {
            TaskConfig::MaskedBytes(self::masked_bytes(path, masked_bytes))
        }
        TaskSettings::Delay { path: _, delay } => TaskConfig::Delay(self::delay(delay)),
        TaskSettings::Reconstruct { path: _, reconstruct } => {
            TaskConfig::Reconstruct(self::reconstruct(reconstruct))
        }
    }
}

fn masked_bytes(path: &str, settings: &MaskedBytesSettings) -> MaskedBytesConfig {
    let MaskedBytesSettings { mask_share, test_mask_share, test_examples } = *settings;
    MaskedBytesConfig { path: path.into(), mask_share, test_mask_share, test_examples }
}

fn delay(settings: &DelaySettings) -> DelayConfig {
    let DelaySettings { lag, bandwidth, test_examples } = *settings;
    DelayConfig { lag, bandwidth, test_examples }
}

fn reconstruct(settings: &ReconstructSettings) -> ReconstructConfig {
    let ReconstructSettings { window, bandwidth, test_examples } = *settings;
    ReconstructConfig { window, bandwidth, test_examples }
}

fn mqar(settings: &MqarSettings) -> MqarConfig {
    let sizes = settings.test_conditions.iter();
    MqarConfig {
        vocab: settings.vocab,
        n_pairs: settings.n_pairs,
        power: settings.power,
        random_non_queries: settings.random_non_queries,
        train_examples: settings.train_examples,
        test_examples: settings.test_examples,
        test_conditions: sizes.map(|size| size.parse().expect("the key takes sizes alone")).collect(),
    }
}

fn mnist(path: &str, settings: &MnistSettings) -> MnistConfig {
    let permutation = match settings.permutation {
        Permutation::None => subquad_data::Permutation::None,
        Permutation::BitReversal => subquad_data::Permutation::BitReversal,
        Permutation::Random => subquad_data::Permutation::Random,
    };
    MnistConfig {
        path: path.into(),
        permutation,
        train_examples: settings.train_examples,
        test_examples: settings.test_examples,
    }
}

/// The model of a run on its task.
pub fn model(run: &RunConfig, task: &dyn Task) -> ModelConfig {
    model_of(run, task.input(), task.target())
}

/// The model of a run that reads and answers this.
pub fn model_of(run: &RunConfig, input: InputKind, target: TargetKind) -> ModelConfig {
    ModelConfig {
        d_model: run.model.d_model,
        n_layers: run.model.n_layers,
        mixer: mixer(run),
        channel_mixer: channel::mixer(&run.model),
        norm: norm(run.model.norm),
        residual: run.model.residual,
        encoder: encoder(input),
        head: head(target, run.model.pool),
        structure: structure(&run.model),
    }
}

fn mixer(run: &RunConfig) -> MixerConfig {
    match &run.mixer {
        MixerSettings::Attention(settings) => MixerConfig::Attention(attention(settings, &run.model)),
        MixerSettings::S4d(settings) => MixerConfig::S4d(state_space::s4d(settings, &run.model)),
        MixerSettings::S4(settings) => MixerConfig::S4(state_space::s4(settings, &run.model)),
        MixerSettings::H3(settings) => MixerConfig::H3(state_space::h3(settings, &run.model)),
        MixerSettings::Hyena(settings) => MixerConfig::Hyena(gated::hyena(settings, &run.model)),
        MixerSettings::M2(settings) => MixerConfig::M2(gated::m2(settings, &run.model)),
        MixerSettings::Monarch(settings) => MixerConfig::Monarch(monarch::learned(settings, &run.model)),
        MixerSettings::CausalMonarch(settings) => {
            MixerConfig::CausalMonarch(monarch::causal(settings, &run.model))
        }
    }
}

fn attention(settings: &AttentionSettings, model: &ModelSettings) -> AttentionConfig {
    let position = match settings.position {
        Position::Rope => subquad_attention::Position::Rope,
        Position::Alibi => subquad_attention::Position::Alibi,
        Position::None => subquad_attention::Position::None,
    };
    AttentionConfig::new(model.d_model)
        .with_n_heads(settings.n_heads)
        .with_n_kv_heads(Some(settings.n_kv_heads))
        .with_causal(model.causal)
        .with_window(unless_zero(settings.window))
        .with_position(position)
        .with_rope_base(settings.rope_base)
        .with_rope_fraction(settings.rope_fraction)
        .with_softcap((settings.softcap > 0.0).then_some(settings.softcap))
        .with_qk_norm(settings.qk_norm)
        .with_dropout(settings.dropout)
}

fn structure(model: &ModelSettings) -> Structure {
    let order = match model.block {
        BlockOrder::PreNorm => subquad_model::BlockOrder::PreNorm,
        BlockOrder::PostNorm => subquad_model::BlockOrder::PostNorm,
        BlockOrder::M2Bert => subquad_model::BlockOrder::M2Bert,
    };
    let init = match model.init {
        ModelInit::Layers => Init::Layers,
        ModelInit::Normal => Init::Normal,
    };
    Structure {
        order,
        last_norm: model.last_norm,
        norm_eps: model.norm_eps,
        positions: unless_zero(model.positions),
        // No task has types of tokens.
        token_types: 0,
        embedding_norm: model.embedding_norm,
        head_transform: match model.head_transform {
            true => HeadTransform::GeluNorm,
            false => HeadTransform::None,
        },
        tied_head: model.tied_head,
        init,
        // No task has a padding token.
        padding: None,
        dropout: DropoutSites::Branches,
    }
}

fn norm(norm: Norm) -> NormKind {
    match norm {
        Norm::Layer => NormKind::Layer,
        Norm::None => NormKind::None,
    }
}

fn encoder(input: InputKind) -> Encoder {
    match input {
        InputKind::Reals { features } => Encoder::Linear { features },
        InputKind::Tokens { vocab } => Encoder::Embedding { vocab },
    }
}

/// Answers at tokens are read where they are asked for.
fn head(target: TargetKind, pool: Pool) -> Head {
    match (target, pool) {
        (TargetKind::Tokens { classes: outputs } | TargetKind::TokenReals { outputs }, _) => {
            Head::Token { outputs }
        }
        (TargetKind::Sequence { classes: outputs }, Pool::Auto | Pool::Mean)
        | (TargetKind::SequenceReals { outputs }, Pool::Mean) => Head::Pool { outputs },
        (TargetKind::SequenceReals { outputs }, Pool::Auto | Pool::Last)
        | (TargetKind::Sequence { classes: outputs }, Pool::Last) => Head::Last { outputs },
    }
}

/// How a run trains.
pub fn training(run: &RunConfig) -> TrainConfig {
    TrainConfig {
        steps: run.train.steps,
        batch: run.train.batch,
        lr: run.optim.lr,
        weight_decay: run.optim.weight_decay,
        warmup: run.optim.warmup,
        clip: (run.optim.clip > 0.0).then_some(run.optim.clip),
        dropout: run.model.dropout,
        log_every: run.train.log_every,
        eval_every: unless_zero(run.train.eval_every),
        checkpoint_every: unless_zero(run.train.checkpoint_every),
        seed: run.seed,
    }
}

/// In configs 0 stands for none.
fn unless_zero(number: usize) -> Option<usize> {
    (number > 0).then_some(number)
}
