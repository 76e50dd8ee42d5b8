//! Training on the GPU is training on the CPU, up to rounding.

use burn::module::Module;
use burn::tensor::Device;
use subquad_attention::AttentionConfig;
use subquad_data::{DigitsConfig, InputKind, MqarConfig, TargetKind, Task, TaskOptions};
use subquad_model::{
    ChannelMixerConfig, Encoder, Head, MixerConfig, ModelConfig, NormKind, SequenceModel, Structure,
    named_parameters,
};
use subquad_monarch::{BlockDiagonalMlpConfig, DenseMlpConfig, M2Config};
use subquad_record::{Memory, Row};
use subquad_s4::S4dConfig;
use subquad_testkit::with_seed;
use subquad_train::{LoopConfig, OptimConfig, TrainConfig, train};

use super::{cpu, gpu};

const D_MODEL: usize = 12;
const DIGITS_SEQ: usize = 64;

/// Adam moves weights by nearly the sign of the gradient, so those whose gradient is all rounding go another way, but they
/// hardly matter to the loss: below 3e-7 in every row (measured on lavapipe). Thirty times that, since drivers differ.
const LOSS_REL_TOL: f64 = 1e-5;

const RECALL_SEQ: usize = 18;

/// Tokens in, an answer at some of them.
fn recall() -> Box<dyn Task> {
    let config = MqarConfig { vocab: 24, test_examples: 20, ..MqarConfig::default() };
    config.open(RECALL_SEQ, 0).unwrap()
}

fn model(mixer: MixerConfig, channel_mixer: ChannelMixerConfig, task: &dyn Task) -> ModelConfig {
    let encoder = match task.input() {
        InputKind::Reals { features } => Encoder::Linear { features },
        InputKind::Tokens { vocab } => Encoder::Embedding { vocab },
    };
    let head = match task.target() {
        TargetKind::Sequence { classes: outputs } => Head::Pool { outputs },
        TargetKind::SequenceReals { outputs } => Head::Last { outputs },
        TargetKind::Tokens { classes: outputs } | TargetKind::TokenReals { outputs } => {
            Head::Token { outputs }
        }
    };
    let (norm, residual, structure) = (NormKind::Layer, true, Structure::default());
    ModelConfig {
        d_model: D_MODEL,
        n_layers: 2,
        mixer: mixer.into(),
        channel_mixer: channel_mixer.into(),
        norm,
        residual,
        encoder,
        head,
        structure,
    }
}

/// Everything that training can do: clipping, decay, warm-up, dropout.
fn training() -> TrainConfig {
    TrainConfig {
        optim: OptimConfig::new().with_weight_decay(0.1).with_warmup(0.5).with_clip(Some(0.1)),
        training_loop: LoopConfig::new(2).with_batch(8).with_log_every(1).with_checkpoint_every(None),
        dropout: 0.2,
        seed: 0,
    }
}

fn built(config: &ModelConfig, device: &Device) -> SequenceModel {
    with_seed(&cpu(), 0, || config.init_seeded(0, device))
}

fn rows(config: &ModelConfig, task: &dyn Task, device: &Device) -> Vec<Row> {
    let mut sink = Memory::default();
    train(built(config, device), task, &training(), device, &mut sink).unwrap();
    sink.rows
}

fn assert_trains_alike(config: &ModelConfig, task: &dyn Task, gpu: &Device) {
    let (on_gpu, on_cpu) = (rows(config, task, gpu), rows(config, task, &cpu()));
    let named = |rows: &[Row]| rows.iter().map(|row| (row.step, row.split.clone())).collect::<Vec<_>>();
    assert_eq!(named(&on_gpu), named(&on_cpu));
    for (mine, wanted) in on_gpu.iter().zip(&on_cpu) {
        let error = (mine.loss - wanted.loss).abs() / wanted.loss;
        assert!(error < LOSS_REL_TOL, "{} at step {}: {error:e}", mine.split, mine.step);
    }
}

fn mixers(l_max: usize) -> [MixerConfig; 3] {
    [
        MixerConfig::Attention(AttentionConfig::new(D_MODEL).with_n_heads(2)),
        MixerConfig::S4d(S4dConfig::new(D_MODEL).with_d_state(8)),
        MixerConfig::M2(M2Config::new(D_MODEL, l_max).with_filter_order(8)),
    ]
}

#[test]
fn models_of_reals_train_on_wgpu_as_on_the_cpu() {
    let Some(gpu) = gpu() else { return };
    let task = DigitsConfig::default().open(DIGITS_SEQ, 0).unwrap();
    for mixer in mixers(DIGITS_SEQ) {
        let dense = ChannelMixerConfig::Dense(DenseMlpConfig::new(D_MODEL, 24));
        assert_trains_alike(&model(mixer, dense, &*task), &*task, &gpu);
    }
}

#[test]
fn models_of_tokens_train_on_wgpu_as_on_the_cpu() {
    let Some(gpu) = gpu() else { return };
    let task = recall();
    for mixer in mixers(RECALL_SEQ) {
        let blocks = ChannelMixerConfig::BlockDiagonal(BlockDiagonalMlpConfig::new(D_MODEL, 24));
        assert_trains_alike(&model(mixer, blocks, &*task), &*task, &gpu);
    }
}

#[test]
fn a_seed_builds_the_same_weights_on_wgpu_and_the_cpu() {
    let Some(gpu) = gpu() else { return };
    let task = recall();
    for mixer in mixers(RECALL_SEQ) {
        let dense = ChannelMixerConfig::Dense(DenseMlpConfig::new(D_MODEL, 24));
        let config = model(mixer, dense, &*task);
        let (on_gpu, on_cpu) = (built(&config, &gpu), built(&config, &cpu()));
        assert_eq!(on_gpu.devices(), vec![gpu.clone()], "a tensor stayed behind");
        for (mine, wanted) in named_parameters(&on_gpu).into_iter().zip(named_parameters(&on_cpu)) {
            assert_eq!(mine.path, wanted.path);
            mine.data.assert_eq(&wanted.data, true);
        }
    }
}
