//! Whole models: their parts, and that every combination keeps the contract.
#![allow(clippy::unwrap_used)]

mod checkpoint_numbers;
mod checkpoints;
mod classifier;
mod config;
mod contract;
mod dropout;
mod files;
mod flops;
mod groups;
mod last_norm;
mod parts;
mod presets;
mod published;
mod refusals;
mod released;
mod s4_classifiers;
mod slices;
mod stepping;
mod structure;

use burn::tensor::{Device, Int, Tensor, TensorData};
use subquad_attention::AttentionConfig;
use subquad_model::{
    ChannelMixerConfig, Encoder, Head, Input, MixerConfig, ModelConfig, NormKind, Pattern, SequenceModel,
    Structure,
};
use subquad_monarch::{
    BlockDiagonalMlpConfig, CausalMonarchConfig, CausalMonarchForm, DenseMlpConfig, HyenaConfig,
    LearnedMonarchConfig, M2Config, MonarchMlpConfig, SwigluConfig,
};
use subquad_s4::{H3Config, S4Config, S4dConfig};
use subquad_testkit::{cpu, seeded, seeded_tensor, with_seed};

const D_MODEL: usize = 8;
const D_STATE: usize = 4;
const D_HIDDEN: usize = 12;
const BATCH: usize = 2;
const SEQ: usize = 9;
const FEATURES: usize = 3;
const VOCAB: usize = 7;
const CLASSES: usize = 5;

fn attention(causal: bool) -> MixerConfig {
    MixerConfig::Attention(AttentionConfig::new(D_MODEL).with_n_heads(2).with_causal(causal))
}

fn s4d(causal: bool) -> MixerConfig {
    MixerConfig::S4d(S4dConfig::new(D_MODEL).with_d_state(D_STATE).with_bidirectional(!causal))
}

fn s4(causal: bool) -> MixerConfig {
    MixerConfig::S4(S4Config::new(D_MODEL, SEQ).with_d_state(D_STATE).with_bidirectional(!causal))
}

/// This mixer is only causal.
fn h3() -> MixerConfig {
    MixerConfig::H3(H3Config::new(D_MODEL).with_d_state(D_STATE).with_head_dim(2))
}

/// This mixer is only causal.
fn hyena() -> MixerConfig {
    MixerConfig::Hyena(HyenaConfig::new(D_MODEL, SEQ).with_filter_order(6))
}

fn m2(causal: bool) -> MixerConfig {
    m2_of(causal, SEQ)
}

fn m2_of(causal: bool, l_max: usize) -> MixerConfig {
    MixerConfig::M2(M2Config::new(D_MODEL, l_max).with_filter_order(6).with_bidirectional(!causal))
}

/// This mixer is only causal.
fn causal_monarch(l_max: usize, form: CausalMonarchForm) -> CausalMonarchConfig {
    let config = CausalMonarchConfig::new(D_MODEL, l_max).with_n_heads(2).with_form(form);
    match form {
        CausalMonarchForm::Blocks => config,
        CausalMonarchForm::Sandwich => config.with_filter_order(6),
    }
}

/// Learned Monarch matrices, causal or not, without gates: gates make products of three numbers that start small, so a
/// layer with nothing around it would hardly give more than its biases.
fn monarchs(causal: bool) -> Vec<MixerConfig> {
    let of = |form| MixerConfig::CausalMonarch(causal_monarch(SEQ, form).with_gated(false));
    match causal {
        true => [CausalMonarchForm::Blocks, CausalMonarchForm::Sandwich].map(of).into(),
        false => vec![MixerConfig::Monarch(LearnedMonarchConfig::new(D_MODEL, SEQ).with_gated(false))],
    }
}

/// The mixers that may be causal or not.
fn mixers(causal: bool) -> [MixerConfig; 3] {
    [attention(causal), s4d(causal), m2(causal)]
}

fn dense() -> ChannelMixerConfig {
    ChannelMixerConfig::Dense(DenseMlpConfig::new(D_MODEL, D_HIDDEN))
}

fn swiglu() -> ChannelMixerConfig {
    ChannelMixerConfig::Swiglu(SwigluConfig::new(D_MODEL, D_HIDDEN))
}

fn block_diagonal() -> ChannelMixerConfig {
    ChannelMixerConfig::BlockDiagonal(BlockDiagonalMlpConfig::new(D_MODEL, D_HIDDEN).with_n_blocks(2))
}

fn monarch_mlp() -> ChannelMixerConfig {
    ChannelMixerConfig::Monarch(MonarchMlpConfig::new(D_MODEL, D_HIDDEN).with_gated(true))
}

fn config(mixer: impl Into<Pattern<MixerConfig>>) -> ModelConfig {
    ModelConfig {
        d_model: D_MODEL,
        n_layers: 2,
        mixer: mixer.into(),
        channel_mixer: dense().into(),
        norm: NormKind::Layer,
        residual: true,
        encoder: Encoder::Linear { features: FEATURES },
        head: Head::Token { outputs: CLASSES },
        structure: Structure::default(),
    }
}

/// Nothing but mixers, one after the other.
fn bare(mixer: impl Into<Pattern<MixerConfig>>) -> ModelConfig {
    ModelConfig {
        channel_mixer: ChannelMixerConfig::None.into(),
        norm: NormKind::None,
        residual: false,
        ..config(mixer)
    }
}

/// Mixers that alternate, and channel mixers that alternate with another period.
fn hybrid(causal: bool, l_max: usize) -> ModelConfig {
    let mixer = Pattern::new(vec![s4d(causal), attention(causal), m2_of(causal, l_max)]).unwrap();
    let channel_mixer = Pattern::new(vec![swiglu(), ChannelMixerConfig::None]).unwrap();
    ModelConfig { n_layers: 5, channel_mixer, ..config(mixer) }
}

/// Every sequence mixer with every channel mixer, on its own, and with others.
fn combinations(causal: bool) -> Vec<ModelConfig> {
    let of = |mixer: MixerConfig| {
        let with = |channel_mixer: ChannelMixerConfig| ModelConfig {
            channel_mixer: channel_mixer.into(),
            ..config(mixer.clone())
        };
        [with(dense()), with(swiglu()), with(block_diagonal()), with(monarch_mlp()), bare(mixer.clone())]
    };
    // Two blocks of only Hyena multiply so many small numbers that a token may count for next to nothing.
    let hyenas = causal.then(|| of(hyena())).into_iter().flatten().filter(|config| config.residual);
    let others = [s4(causal)].into_iter().chain(causal.then(h3)).chain(monarchs(causal));
    let alternating = [hybrid(causal, SEQ), ModelConfig { n_layers: 3, ..hybrid(causal, SEQ) }];
    mixers(causal).into_iter().chain(others).flat_map(of).chain(hyenas).chain(alternating).collect()
}

/// Builds under the lock of burn's generator, which belongs to the process.
fn build(config: &ModelConfig, seed: u64) -> SequenceModel {
    with_seed(&cpu(), seed, || config.init_seeded(seed, &cpu()))
}

/// Loading draws some of the numbers that it replaces, which must not come between those of [`build`].
fn undisturbed<T>(load: impl FnOnce() -> T) -> T {
    with_seed(&cpu(), 0, load)
}

fn reals(device: &Device) -> Tensor<3> {
    seeded_tensor([BATCH, SEQ, FEATURES], 1, device)
}

fn tokens(device: &Device) -> Tensor<2, Int> {
    let tokens = seeded(BATCH * SEQ, 2).into_iter().map(|v| ((v + 1.0) / 2.0 * VOCAB as f64) as i32);
    Tensor::from_data(TensorData::new(tokens.collect(), [BATCH, SEQ]), device)
}

fn input(encoder: Encoder, device: &Device) -> Input {
    match encoder {
        Encoder::Linear { .. } => Input::Reals(reals(device)),
        Encoder::Embedding { .. } => Input::Tokens(tokens(device)),
    }
}
