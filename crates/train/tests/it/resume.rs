//! A training that continues from a checkpoint ends like an uninterrupted one.

use std::collections::HashMap;

use subquad_backend::Form;
use subquad_data::{Lengths, Metric, Task};
use subquad_model::{MixerConfig, SequenceModel};
use subquad_monarch::M2Config;
use subquad_record::{Checkpoint, Memory, Row};
use subquad_train::{
    LoopConfig, OptimConfig, ResumeError, TrainConfig, TrainError, Trained, Training, to_safetensors, train,
};

use crate::lengths::{curriculum, varied};
use crate::tasks::{Retold, Sequences};
use crate::{
    attention, dropping_attention, hybrid, m2, mixers, plain, plain_loop, plain_optim, sequence_model,
    token_model,
};
use subquad_testkit::cpu;

const STEPS: usize = 5;

/// Everything that carries over from step to step: warm-up, clipping, decay, dropout, rows of every kind.
fn config() -> TrainConfig {
    TrainConfig {
        optim: OptimConfig { warmup: 0.4, clip: Some(0.5), weight_decay: 0.1, ..plain_optim() },
        training_loop: LoopConfig { eval_every: Some(2), checkpoint_every: Some(1), ..plain_loop(STEPS, 4) },
        dropout: 0.2,
        ..plain(STEPS, 4)
    }
}

fn weights(trained: &Trained) -> Vec<u8> {
    to_safetensors(&trained.model, HashMap::new())
}

/// The uninterrupted training, and all its checkpoints.
fn whole(model: SequenceModel, task: &dyn Task, config: &TrainConfig) -> (Memory, Vec<u8>) {
    let mut sink = Memory::default();
    let trained = train(model, task, config, &cpu(), &mut sink).unwrap();
    (sink, weights(&trained))
}

fn resume(model: SequenceModel, task: &dyn Task, from: Checkpoint) -> Result<(Memory, Vec<u8>), ResumeError> {
    resume_with(&config(), model, task, from)
}

fn resume_with(
    config: &TrainConfig,
    model: SequenceModel,
    task: &dyn Task,
    from: Checkpoint,
) -> Result<(Memory, Vec<u8>), ResumeError> {
    let mut sink = Memory::default();
    let training = Training::resume(model, task, config, &cpu(), from)?;
    let trained = training.run(&mut sink).unwrap();
    Ok((sink, weights(&trained)))
}

fn after(rows: &[Row], step: usize) -> Vec<&Row> {
    rows.iter().filter(|row| row.step > step).collect()
}

fn every_resumption_ends_the_same(build: impl Fn() -> SequenceModel, task: &dyn Task, name: &str) {
    every_resumption_of(&config(), build, task, name);
}

/// Resumes at every step, each time into a model that has nothing of the first one but its sizes.
fn every_resumption_of(config: &TrainConfig, build: impl Fn() -> SequenceModel, task: &dyn Task, name: &str) {
    let (expected, expected_weights) = whole(build(), task, config);
    assert_eq!(expected.checkpoints.len(), STEPS - 1);
    for checkpoint in &expected.checkpoints {
        let step = checkpoint.step;
        let (got, got_weights) = resume_with(config, build(), task, checkpoint.clone()).unwrap();
        let rows = after(&expected.rows, step);
        assert_eq!(got.rows.len(), rows.len(), "{name} from step {step}");
        assert!(got.rows.iter().zip(rows).all(|(a, b)| a.same_numbers(b)), "{name} from step {step}");
        assert!(got_weights == expected_weights, "{name} from step {step}: other weights");
        let later = &expected.checkpoints[step..];
        assert!(got.checkpoints.iter().zip(later).all(|(a, b)| a.files["model.bpk"] == b.files["model.bpk"]));
    }
}

#[test]
fn every_mixer_goes_on_bit_for_bit_from_every_step() {
    for mixer in mixers() {
        let name = format!("{mixer:?}");
        every_resumption_ends_the_same(|| sequence_model(mixer.clone()), &Sequences::new(8, 5), &name);
    }
}

#[test]
fn a_batch_in_parts_goes_on_bit_for_bit_from_every_step() {
    let whole = config();
    let training_loop = LoopConfig { accumulate: 2, ..whole.training_loop.clone() };
    let config = TrainConfig { training_loop, ..whole };
    every_resumption_of(&config, || sequence_model(attention()), &Sequences::new(8, 5), "parts");
}

#[test]
fn an_average_of_the_weights_goes_on_bit_for_bit_from_every_step() {
    let whole = config();
    let training_loop = LoopConfig { ema: Some(0.5), ..whole.training_loop.clone() };
    let config = TrainConfig { training_loop, ..whole };
    every_resumption_of(&config, || sequence_model(attention()), &Sequences::validated(8, 6, 5), "average");
}

#[test]
fn a_training_at_several_lengths_goes_on_bit_for_bit_from_every_step() {
    for task in [curriculum(), varied(Lengths::Mixed(vec![2, 4]))] {
        every_resumption_ends_the_same(|| token_model(attention()), &task, "lengths");
    }
}

#[test]
fn a_training_that_a_score_ended_ends_at_the_same_step_from_every_checkpoint() {
    let task = Sequences::validated(8, 6, 5).scored_by(Metric::BitsPerByte);
    let whole_loop = config().training_loop;
    let training_loop = LoopConfig { stop_at: Some(1e6), eval_every: Some(4), ema: Some(0.5), ..whole_loop };
    let config = TrainConfig { training_loop, ..config() };
    let (expected, expected_weights) = whole(sequence_model(attention()), &task, &config);
    assert_eq!(expected.rows.last().unwrap().step, 4);
    assert_eq!(expected.checkpoints.iter().map(|checkpoint| checkpoint.step).collect::<Vec<_>>(), [1, 2, 3]);
    for checkpoint in &expected.checkpoints {
        let model = sequence_model(attention());
        let (got, got_weights) = resume_with(&config, model, &task, checkpoint.clone()).unwrap();
        let rows = after(&expected.rows, checkpoint.step);
        assert_eq!(got.rows.len(), rows.len(), "from step {}", checkpoint.step);
        assert!(got.rows.iter().zip(rows).all(|(a, b)| a.same_numbers(b)), "from step {}", checkpoint.step);
        assert!(got_weights == expected_weights, "from step {}: other weights", checkpoint.step);
    }
}

#[test]
fn a_hybrid_goes_on_bit_for_bit_from_every_step() {
    every_resumption_ends_the_same(hybrid, &Sequences::new(8, 5), "hybrid");
}

#[test]
fn the_portable_form_goes_on_bit_for_bit() {
    for mixer in mixers() {
        let build = || sequence_model(mixer.clone()).with_form(Form::Portable);
        every_resumption_ends_the_same(build, &Sequences::new(8, 5), &format!("portable {mixer:?}"));
    }
}

#[test]
fn what_a_mixer_drops_inside_itself_goes_on_bit_for_bit() {
    for form in [Form::Fused, Form::Portable] {
        let build = || sequence_model(dropping_attention(0.3)).with_form(form);
        every_resumption_ends_the_same(build, &Sequences::new(8, 5), &format!("attention dropout, {form:?}"));
    }
}

#[test]
fn a_head_on_every_token_and_groups_of_their_own_rates_go_on_bit_for_bit() {
    let mixer: M2Config = m2().with_filter_lr(1e-3).with_filter_weight_decay(0.9).with_position_lr(5e-3);
    let build = || token_model(MixerConfig::M2(mixer.clone()));
    every_resumption_ends_the_same(build, &Retold::new(5), "tokens");
}

#[test]
fn a_training_that_is_stopped_again_and_again_ends_the_same() {
    let (build, task) = (|| sequence_model(attention()), Sequences::new(8, 5));
    let (expected, expected_weights) = whole(build(), &task, &config());
    let mut config = config();
    config.training_loop.checkpoint_every = None;
    let (mut rows, mut from): (Vec<Row>, Option<Checkpoint>) = (vec![], None);
    let trained = loop {
        let mut sink = Memory { stop_after_rows: Some(1), ..Memory::default() };
        let training = match from.take() {
            None => Training::new(build(), &task, &config, &cpu()),
            Some(from) => Training::resume(build(), &task, &config, &cpu(), from).unwrap(),
        };
        let ended = training.run(&mut sink);
        rows.append(&mut sink.rows);
        match ended {
            Ok(trained) => break trained,
            Err(TrainError::Stopped { .. }) => from = sink.checkpoints.pop(),
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(rows.len(), expected.rows.len());
    assert!(rows.iter().zip(&expected.rows).all(|(a, b)| a.same_numbers(b)));
    assert!(weights(&trained) == expected_weights);
    assert!(rows.is_sorted_by_key(|row| row.elapsed_seconds), "time goes on, too");
}

#[test]
fn a_checkpoint_of_another_training_is_refused() {
    let task = Sequences::new(8, 5);
    let (sink, _) = whole(sequence_model(attention()), &task, &config());
    let refusal = |change: &dyn Fn(&mut Checkpoint)| {
        let mut checkpoint = sink.checkpoints[1].clone();
        change(&mut checkpoint);
        resume(sequence_model(attention()), &task, checkpoint).err().unwrap().to_string()
    };
    let start = "the checkpoint of step 2 does not fit: ";
    for file in ["model.bpk", "optimiser.bpk", "clock.f64"] {
        let missing = refusal(&|checkpoint| drop(checkpoint.files.remove(file)));
        assert_eq!(missing, format!("{start}it has no {file}"));
        let empty = refusal(&|checkpoint| checkpoint.files.get_mut(file).unwrap().clear());
        assert!(empty.starts_with(start), "{file}: {empty}");
    }
    let nameless = refusal(&|checkpoint| {
        let bytes = checkpoint.files.get_mut("optimiser.bpk").unwrap();
        let at = bytes.windows(8).position(|name| name == b"param_id").unwrap();
        bytes[at] = b'-';
    });
    assert!(nameless.contains("a part of the optimiser's state is damaged"), "{nameless}");
    assert!(refusal(&|checkpoint| checkpoint.step = 3).ends_with("clock.f64 is not of 3 steps"));
    assert!(refusal(&|checkpoint| checkpoint.step = STEPS).ends_with("the training has 5 steps"));
    let other_model = resume(sequence_model(MixerConfig::M2(m2())), &task, sink.checkpoints[1].clone());
    assert!(other_model.err().unwrap().to_string().starts_with(start));
}
