//! Training: the optimiser, the loss, what reaches the sink, and that models learn.
#![allow(clippy::unwrap_used)]

mod determinism;
mod evaluation;
mod optimiser;
mod overfit;
mod reals;
mod reports;
mod resume;
mod tasks;
mod weights;

use subquad_attention::AttentionConfig;
use subquad_model::{
    ChannelMixerConfig, Encoder, Head, MixerConfig, ModelConfig, NormKind, SequenceModel, Structure,
};
use subquad_monarch::{
    CausalMonarchConfig, CausalMonarchForm, DenseMlpConfig, LearnedMonarchConfig, M2Config,
};
use subquad_record::Memory;
use subquad_s4::S4dConfig;
use subquad_testkit::{cpu, with_seed};
use subquad_train::{TrainConfig, TrainError, Trained, train};

use tasks::Sequences;

const D_MODEL: usize = 12;

fn attention() -> MixerConfig {
    MixerConfig::Attention(AttentionConfig::new(D_MODEL).with_n_heads(2))
}

/// Attention that drops weights of its own in training.
fn dropping_attention(rate: f64) -> MixerConfig {
    MixerConfig::Attention(AttentionConfig::new(D_MODEL).with_n_heads(2).with_dropout(rate))
}

fn s4d() -> MixerConfig {
    MixerConfig::S4d(S4dConfig::new(D_MODEL).with_d_state(8))
}

fn m2() -> M2Config {
    M2Config::new(D_MODEL, tasks::LONGEST).with_filter_order(8)
}

fn mixers() -> [MixerConfig; 3] {
    [attention(), s4d(), MixerConfig::M2(m2())]
}

/// Learned Monarch matrices, bidirectional, and causal in both ways.
fn monarchs() -> [MixerConfig; 3] {
    let causal =
        |form| CausalMonarchConfig::new(D_MODEL, tasks::LONGEST).with_filter_order(8).with_form(form);
    [
        MixerConfig::Monarch(LearnedMonarchConfig::new(D_MODEL, tasks::LONGEST)),
        MixerConfig::CausalMonarch(causal(CausalMonarchForm::Blocks)),
        MixerConfig::CausalMonarch(causal(CausalMonarchForm::Sandwich)),
    ]
}

/// One block, for [`tasks::Sequences`]. Built under the lock of burn's generator, which belongs to the process.
fn sequence_model(mixer: MixerConfig) -> SequenceModel {
    let (encoder, head) =
        (Encoder::Linear { features: tasks::FEATURES }, Head::Pool { outputs: tasks::CLASSES });
    build(mixer, encoder, head)
}

/// One block, for [`tasks::Retold`].
fn token_model(mixer: MixerConfig) -> SequenceModel {
    build(mixer, Encoder::Embedding { vocab: tasks::VOCAB }, Head::Token { outputs: tasks::VOCAB })
}

fn build(mixer: MixerConfig, encoder: Encoder, head: Head) -> SequenceModel {
    seeded(one_block(mixer, encoder, head))
}

fn seeded(config: ModelConfig) -> SequenceModel {
    with_seed(&cpu(), 0, || config.init_seeded(0, &cpu()))
}

fn one_block(mixer: MixerConfig, encoder: Encoder, head: Head) -> ModelConfig {
    let channel_mixer = ChannelMixerConfig::Dense(DenseMlpConfig::new(D_MODEL, 2 * D_MODEL));
    ModelConfig {
        d_model: D_MODEL,
        n_layers: 1,
        mixer,
        channel_mixer,
        norm: NormKind::Layer,
        residual: true,
        encoder,
        head,
        structure: Structure::default(),
    }
}

/// Plain training: no warm-up, clipping, decay or dropout.
fn plain(steps: usize, batch: usize) -> TrainConfig {
    TrainConfig {
        steps,
        batch,
        lr: 1e-2,
        weight_decay: 0.0,
        warmup: 0.0,
        clip: None,
        dropout: 0.0,
        log_every: 1,
        eval_every: None,
        checkpoint_every: None,
        seed: 0,
    }
}

/// Trains an attention model.
fn train_sequences(task: &Sequences, config: &TrainConfig, sink: &mut Memory) -> Result<Trained, TrainError> {
    train(sequence_model(attention()), task, config, &cpu(), sink)
}

#[test]
#[should_panic(expected = "TrainConfig: batch = 0, but training needs at least 1")]
fn training_panics_with_the_words_of_the_check() {
    let _ = train_sequences(&Sequences::new(4, 4), &plain(1, 0), &mut Memory::default());
}

#[test]
fn a_config_that_cannot_be_run_says_why() {
    assert_eq!(plain(1, 1).check(), Ok(()));
    let words = |config: TrainConfig| config.check().unwrap_err().to_string();
    assert_eq!(words(plain(0, 1)), "steps = 0, but training needs at least 1");
    assert_eq!(
        words(TrainConfig { log_every: 0, ..plain(1, 1) }),
        "log_every = 0, but training needs at least 1"
    );
    for dropout in [-0.1, 1.0, f64::NAN] {
        assert_eq!(
            words(TrainConfig { dropout, ..plain(1, 1) }),
            format!("dropout = {dropout:?}, but it must be at least 0 and below 1")
        );
    }
}
