//! Training: the optimiser, the loss, what reaches the sink, and that models learn.
#![allow(clippy::unwrap_used)]

mod average;
mod determinism;
mod evaluation;
mod lengths;
mod optimiser;
mod overfit;
mod reals;
mod reports;
mod resume;
mod schedule;
mod stopping;
mod tasks;
mod weights;

use subquad_attention::AttentionConfig;
use subquad_model::{
    ChannelMixerConfig, Encoder, Head, MixerConfig, ModelConfig, NormKind, Pattern, SequenceModel, Structure,
};
use subquad_monarch::{
    CausalMonarchConfig, CausalMonarchForm, DenseMlpConfig, LearnedMonarchConfig, M2Config,
};
use subquad_options::{Field, Options};
use subquad_record::Memory;
use subquad_s4::S4dConfig;
use subquad_testkit::{cpu, with_seed};
use subquad_train::{LoopConfig, OptimConfig, TrainConfig, TrainError, Trained, train};

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
    let causal = CausalMonarchConfig::new(D_MODEL, tasks::LONGEST);
    let sandwich = causal.clone().with_form(CausalMonarchForm::Sandwich).with_filter_order(8);
    [
        MixerConfig::Monarch(LearnedMonarchConfig::new(D_MODEL, tasks::LONGEST)),
        MixerConfig::CausalMonarch(causal),
        MixerConfig::CausalMonarch(sandwich),
    ]
}

/// One block, for [`tasks::Sequences`]. It is built under the lock of burn's generator, which belongs to the process.
fn sequence_model(mixer: MixerConfig) -> SequenceModel {
    let (encoder, head) = SEQUENCES;
    build(mixer, encoder, head)
}

const SEQUENCES: (Encoder, Head) =
    (Encoder::Linear { features: tasks::FEATURES }, Head::Pool { outputs: tasks::CLASSES });

/// Three blocks with different mixers, for [`tasks::Sequences`].
fn hybrid() -> SequenceModel {
    let (encoder, head) = SEQUENCES;
    let mixer = Pattern::new(mixers().into()).unwrap();
    seeded(ModelConfig { n_layers: 3, mixer, ..one_block(s4d(), encoder, head) })
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
        mixer: mixer.into(),
        channel_mixer: channel_mixer.into(),
        norm: NormKind::Layer,
        residual: true,
        encoder,
        head,
        structure: Structure::default(),
    }
}

/// No warm-up, clipping or decay.
fn plain_optim() -> OptimConfig {
    OptimConfig { lr: 1e-2, weight_decay: 0.0, warmup: 0.0, clip: None, ..OptimConfig::new() }
}

/// A loop with a row at every step, and nothing else.
fn plain_loop(steps: usize, batch: usize) -> LoopConfig {
    LoopConfig { log_every: 1, checkpoint_every: None, ..LoopConfig::new(steps).with_batch(batch) }
}

/// Plain training in this loop, without dropout.
fn looping(training_loop: LoopConfig) -> TrainConfig {
    TrainConfig { optim: plain_optim(), training_loop, dropout: 0.0, seed: 0 }
}

/// Plain training in the plain loop.
fn plain(steps: usize, batch: usize) -> TrainConfig {
    looping(plain_loop(steps, batch))
}

/// Trains an attention model.
fn train_sequences(task: &Sequences, config: &TrainConfig, sink: &mut Memory) -> Result<Trained, TrainError> {
    train(sequence_model(attention()), task, config, &cpu(), sink)
}

#[test]
#[should_panic(expected = "TrainConfig: batch must be an integer from 1 to 65536, got 0")]
fn training_panics_with_the_words_of_the_check() {
    let _ = train_sequences(&Sequences::new(4, 4), &plain(1, 0), &mut Memory::default());
}

#[test]
fn a_config_that_cannot_be_run_says_why() {
    assert_eq!(plain(1, 1).check(), Ok(()));
    let refused = |config: TrainConfig| config.check().unwrap_err();
    let zero = refused(plain(0, 1));
    assert_eq!(
        (zero.to_string().as_str(), zero.fields),
        ("steps must be an integer >= 1, got 0", vec!["steps"])
    );
    let zero = refused(looping(LoopConfig { log_every: 0, ..plain_loop(1, 1) }));
    assert_eq!(zero.to_string(), "log_every must be an integer >= 1, got 0");
    let zero = refused(looping(LoopConfig { eval_every: Some(0), ..plain_loop(1, 1) }));
    assert_eq!(zero.to_string(), "eval_every must be an integer >= 0, got Some(0)");
    let negative = refused(TrainConfig { optim: OptimConfig { lr: -1.0, ..plain_optim() }, ..plain(1, 1) });
    assert_eq!(negative.to_string(), "lr must be a finite number >= 0, got -1.0");
    for dropout in [-0.1, 1.0, f64::NAN] {
        let words = format!("dropout must be a finite number >= 0 and < 1, got {dropout:?}");
        assert_eq!(refused(TrainConfig { dropout, ..plain(1, 1) }).to_string(), words);
    }
}

/// A changed default would change what old configs mean; a key that is only bookkeeping is not part of a run's name.
#[test]
fn the_options_are_these() {
    let line = |field: Field| {
        let default = field.default.map_or("required".to_owned(), |default| default.to_string());
        let numeric = if field.numeric { "" } else { ", bookkeeping" };
        format!("{} = {default}: {}{numeric}", field.name, field.kind)
    };
    let fields = TrainConfig::fields().into_iter().filter(|field| !field.given);
    assert_eq!(fields.map(line).collect::<Vec<_>>().join("\n"), OPTIONS);
}

const OPTIONS: &str = "\
lr = 0.001: a finite number >= 0
weight_decay = 0.01: a finite number >= 0
warmup = 0.1: a finite number >= 0 and <= 1
schedule = cosine: one of cosine, linear, constant, wsd
cooldown = 0.2: a finite number > 0 and <= 1
final_lr = 0.0: a finite number >= 0 and <= 1
clip = 1.0: a finite number >= 0
steps = required: an integer >= 1
batch = 32: an integer from 1 to 65536
accumulate = 1: an integer from 1 to 65536
curriculum = []: a list of at most 32 different values, each a length and its steps, such as \"64x200\"
mixed_lengths = []: a list of at most 32 different values, each an integer from 1 to 16777216
stop_at = 0.0: a finite number >= 0
ema = 0.0: a finite number >= 0 and < 1
log_every = 10: an integer >= 1, bookkeeping
eval_every = 0: an integer >= 0, bookkeeping
checkpoint_every = 100: an integer >= 0, bookkeeping";
