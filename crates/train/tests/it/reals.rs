//! Real targets: squared error and its share of the variance, against their definition.

use subquad_data::{
    Batch, DelayConfig, HeldOut, Metric, ReconstructConfig, Share, Tally, Targets, Task, TaskOptions,
};
use subquad_model::{
    ChannelMixerConfig, Dropout, Encoder, Head, MixerConfig, ModelConfig, NormKind, SequenceModel,
};
use subquad_record::Memory;
use subquad_s4::S4dConfig;
use subquad_testkit::to_f64;
use subquad_train::{evaluate, train};

use crate::evaluation::input;
use crate::{D_MODEL, build, one_block, plain, s4d, seeded};
use subquad_testkit::cpu;

const SEQ: usize = 16;
const WINDOW: usize = 5;
/// Number of test examples: not a multiple of any batch below.
const TESTS: usize = 7;
/// Rounding of f32 sums of a hundred squares.
const ERROR: f64 = 1e-5;

fn delay(lag: usize) -> Box<dyn Task> {
    DelayConfig { lag: Share::Count(lag), bandwidth: 0.5, test_examples: TESTS, train_examples: 0 }
        .open(SEQ, 0)
        .unwrap()
}

fn reconstruct() -> Box<dyn Task> {
    let config = ReconstructConfig {
        window: Share::Count(WINDOW),
        bandwidth: 0.5,
        test_examples: TESTS,
        train_examples: 0,
    };
    config.open(SEQ, 0).unwrap()
}

fn model(head: Head) -> SequenceModel {
    build(s4d(), Encoder::Linear { features: 1 }, head)
}

/// Mean squared error, and that divided by the variance, number by number.
fn by_hand(model: &SequenceModel, batch: Batch) -> (f64, f64) {
    let (Targets::SequenceReals { values, .. } | Targets::TokenReals { values, .. }) = batch.targets.clone()
    else {
        panic!("these tasks have real targets")
    };
    let targets: Vec<f64> = values.into_iter().map(f64::from).collect();
    let outputs = to_f64(model.forward(input(batch), &Dropout::Off));
    assert_eq!(outputs.len(), targets.len());
    let mean =
        |values: &dyn Fn(usize) -> f64| (0..targets.len()).map(values).sum::<f64>() / targets.len() as f64;
    let middle = mean(&|i| targets[i]);
    let error = mean(&|i| (outputs[i] - targets[i]).powi(2));
    (error, error / mean(&|i| (targets[i] - middle).powi(2)))
}

#[track_caller]
fn assert_same(tally: Tally, (error, normalised): (f64, f64)) {
    let off = |got: f64, wanted: f64| (got - wanted).abs() > ERROR * wanted;
    assert!(!off(tally.loss(), error), "{} and by hand {error}", tally.loss());
    let score = error_of(&tally);
    assert!(!off(score, normalised), "{score} and by hand {normalised}");
}

fn error_of(tally: &Tally) -> f64 {
    Metric::NormalisedError.of(tally).value
}

#[test]
fn the_error_of_real_targets_is_the_definition_for_every_batch_size() {
    let cases: [(Box<dyn Task>, Head, usize); 3] = [
        (delay(3), Head::Token { outputs: 1 }, TESTS * SEQ),
        (reconstruct(), Head::Last { outputs: WINDOW }, TESTS * WINDOW),
        (reconstruct(), Head::Pool { outputs: WINDOW }, TESTS * WINDOW),
    ];
    for (task, head, numbers) in cases {
        let model = model(head);
        let expected = by_hand(&model, task.test_batch(0, 0..TESTS));
        for batch in [1, 2, 3, TESTS, 100] {
            let tally = evaluate(&model, &*task, HeldOut::Test(0), batch * SEQ, &cpu());
            assert_same(tally, expected);
            assert_eq!((tally.labels, tally.correct), (numbers, 0));
        }
    }
}

#[test]
fn rows_of_real_targets_have_an_error_and_no_accuracy() {
    let (model, task, mut sink) = (model(Head::Token { outputs: 1 }), delay(3), Memory::default());
    let (error, normalised) = by_hand(&model, task.train_batch(0, 4));
    let trained = train(model, &*task, &plain(1, 4), &cpu(), &mut sink).unwrap();
    let [first, validation, test] = &sink.rows[..] else { panic!("{:?}", sink.rows) };
    assert!((first.loss - error).abs() <= ERROR * error);
    let value = first.score.unwrap().value_of(Metric::NormalisedError).unwrap();
    assert!((value - normalised).abs() <= ERROR * normalised);
    let scores =
        [trained.validation.unwrap(), trained.test].map(|tally| Some(Metric::NormalisedError.of(&tally)));
    assert_eq!([validation.score, test.score], scores);
}

/// There is no norm, which would remove the size of the noise.
#[test]
fn a_short_delay_is_learned_by_a_mixer_alone() {
    // The steps are of the order of a token, because the delay is one token.
    let quick = S4dConfig::new(D_MODEL).with_d_state(8).with_dt_min(0.1).with_dt_max(1.0);
    let block =
        one_block(MixerConfig::S4d(quick), Encoder::Linear { features: 1 }, Head::Token { outputs: 1 });
    let alone = ModelConfig {
        channel_mixer: ChannelMixerConfig::None.into(),
        norm: NormKind::None,
        residual: false,
        ..block
    };
    let trained = train(seeded(alone), &*delay(1), &plain(400, 16), &cpu(), &mut Memory::default());
    let error = error_of(&trained.unwrap().test);
    assert!(error < 0.1, "{error} of the variance");
}
