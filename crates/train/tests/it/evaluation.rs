//! Loss and accuracy against their definition.

use burn::tensor::{Int, Tensor, TensorData};
use subquad_data::{Batch, HeldOut, Inputs, Metric, Stream, Tally, Targets, Task};
use subquad_model::{Dropout, Input, SequenceModel};
use subquad_record::Memory;
use subquad_testkit::to_f64;
use subquad_train::{LoopConfig, OptimConfig, TrainConfig, evaluate, train};

use crate::tasks::{Retold, SEQ, Sequences};
use crate::{
    attention, dropping_attention, looping, plain, plain_loop, plain_optim, sequence_model, token_model,
};
use subquad_testkit::cpu;

/// Rounding of sums of a few f32 logarithms.
const LOSS: f64 = 1e-5;

/// Number of test examples: not a multiple of any batch below.
const TEST_LEN: usize = 7;

/// The definition, in f64: `-ln softmax(logits)[class]` and whether the class has the largest logit.
fn by_hand(model: &SequenceModel, batch: Batch) -> Tally {
    by_hand_with(model, batch, &Dropout::Off)
}

fn by_hand_with(model: &SequenceModel, batch: Batch, dropout: &Dropout<'_>) -> Tally {
    let labels: Vec<_> = match &batch.targets {
        Targets::Sequence(classes) => classes.iter().copied().map(Some).collect(),
        Targets::Tokens(classes) => classes.clone(),
        Targets::SequenceReals { .. } | Targets::TokenReals { .. } => unreachable!("answers are classes"),
    };
    let logits = model.forward(input(batch), dropout);
    let [.., classes] = logits.dims();
    let mut tally = Tally::default();
    for (row, label) in to_f64(logits).chunks(classes).zip(labels) {
        let Some(label) = label else { continue };
        let own = row[label as usize];
        tally.loss_sum += row.iter().map(|logit| logit.exp()).sum::<f64>().ln() - own;
        tally.correct += usize::from(row.iter().all(|logit| *logit <= own));
        tally.labels += 1;
    }
    tally
}

pub(crate) fn input(batch: Batch) -> Input {
    let Batch { batch, seq_len, inputs, .. } = batch;
    match inputs {
        Inputs::Reals { features, values } => {
            Input::Reals(Tensor::from_data(TensorData::new(values, [batch, seq_len, features]), &cpu()))
        }
        Inputs::Tokens(tokens) => {
            let tokens: Vec<i32> = tokens.into_iter().map(|token| token as i32).collect();
            Input::Tokens(Tensor::<2, Int>::from_data(TensorData::new(tokens, [batch, seq_len]), &cpu()))
        }
    }
}

#[track_caller]
fn assert_same(actual: Tally, expected: Tally) {
    assert_eq!((actual.correct, actual.labels), (expected.correct, expected.labels));
    let error = (actual.loss_sum - expected.loss_sum).abs();
    assert!(error <= LOSS * expected.loss_sum, "loss {} and by hand {}", actual.loss_sum, expected.loss_sum);
}

#[test]
fn the_score_of_sequences_is_the_definition_for_every_batch_size() {
    let (model, task) = (sequence_model(attention()), Sequences::new(1, TEST_LEN));
    let expected = by_hand(&model, task.test_batch(0, 0..TEST_LEN));
    assert_eq!(expected.labels, TEST_LEN);
    for batch in [1, 2, 3, TEST_LEN, 100] {
        assert_same(evaluate(&model, &task, HeldOut::Test(0), batch * SEQ, &cpu()), expected);
    }
}

#[test]
fn tokens_without_a_label_count_neither_in_loss_nor_in_accuracy() {
    let (model, task) = (token_model(attention()), Retold::new(TEST_LEN));
    let expected = by_hand(&model, task.test_batch(0, 0..TEST_LEN));
    assert_eq!(expected.labels, 5 * 3, "two of seven sequences have no label, the others three");
    for batch in [1, 2, 3, TEST_LEN, 100] {
        assert_same(evaluate(&model, &task, HeldOut::Test(0), batch * SEQ, &cpu()), expected);
    }
}

#[test]
fn every_test_example_is_asked_for_once() {
    let (model, task) = (sequence_model(attention()), Sequences::new(1, TEST_LEN));
    evaluate(&model, &task, HeldOut::Test(0), 3 * SEQ, &cpu());
    assert_eq!(*task.asked.lock().unwrap(), [0..3, 3..6, 6..7]);
}

#[test]
fn a_training_row_is_the_score_of_its_batch_before_the_step() {
    let (model, task, mut sink) = (token_model(attention()), Retold::new(TEST_LEN), Memory::default());
    let expected = by_hand(&model, task.train_batch(0, 4));
    train(model, &task, &plain(1, 4), &cpu(), &mut sink).unwrap();
    assert!((sink.rows[0].loss - expected.loss()).abs() <= LOSS * expected.loss());
    assert_eq!(sink.rows[0].score, Some(Metric::Accuracy.of(&expected)));
}

#[test]
fn training_drops_by_the_numbers_of_its_seed_step_and_site_or_block() {
    let (model, task) = (sequence_model(dropping_attention(0.3)), Sequences::new(4, 1));
    let mut sink = Memory::default();
    let config =
        TrainConfig { optim: OptimConfig { lr: 0.0, ..plain_optim() }, dropout: 0.3, seed: 5, ..plain(2, 4) };
    train(model.clone(), &task, &config, &cpu(), &mut sink).unwrap();
    for step in [1, 2] {
        let uniform = |site: usize, count: usize| {
            let mut draws = Stream::new(5, "dropout").at(step, site as u64);
            (0..count).map(|_| draws.uniform()).collect()
        };
        let mixer_seed = |index: usize| Stream::new(5, "dropout/mixer").at(step, index as u64).next_u64();
        let dropout = Dropout::On { rate: 0.3, uniform: &uniform, mixer_seed: &mixer_seed };
        let expected = by_hand_with(&model, task.train_batch(0, 4), &dropout);
        let row = &sink.rows[step as usize - 1];
        assert!((row.loss - expected.loss()).abs() <= LOSS * expected.loss(), "step {step}");
    }
}

#[test]
fn evaluation_drops_nothing_inside_a_mixer() {
    let [dropping, whole] = [0.3, 0.0].map(|rate| sequence_model(dropping_attention(rate)));
    let task = Sequences::new(4, TEST_LEN);
    let score = |model: &SequenceModel| evaluate(model, &task, HeldOut::Test(0), 3 * SEQ, &cpu());
    assert_eq!(score(&dropping), score(&whole));
}

#[test]
fn the_result_is_the_score_of_the_trained_model() {
    let (model, task) = (token_model(attention()), Retold::new(TEST_LEN));
    let trained = train(model, &task, &plain(3, 4), &cpu(), &mut Memory::default()).unwrap();
    assert_same(trained.test, by_hand(&trained.model, task.test_batch(0, 0..TEST_LEN)));
}

#[test]
fn every_other_condition_is_scored_by_its_own_examples_after_the_last_step() {
    let (model, task, mut sink) = (token_model(attention()), Retold::new(TEST_LEN), Memory::default());
    let config = looping(LoopConfig { eval_every: Some(1), ..plain_loop(2, 4) });
    let trained = train(model, &task, &config, &cpu(), &mut sink).unwrap();
    assert_eq!(trained.other_tests.len(), 2);
    for (index, (condition, tally)) in (1..).zip(&trained.other_tests) {
        assert_same(*tally, by_hand(&trained.model, task.test_batch(index, 0..condition.examples)));
    }
    let rows = sink.rows.iter().filter(|row| row.split == "test");
    let rows: Vec<_> = rows.map(|row| (row.step, row.condition.as_str())).collect();
    assert_eq!(rows, [(1, ""), (2, ""), (2, "short"), (2, "long")]);
}

#[test]
fn a_batch_of_longer_examples_holds_no_more_tokens() {
    let (model, task) = (token_model(attention()), Retold::new(TEST_LEN));
    let expected = by_hand(&model, task.test_batch(2, 0..5));
    for tokens in [1, 3 * SEQ, 7 * SEQ, 1000] {
        assert_same(evaluate(&model, &task, HeldOut::Test(2), tokens, &cpu()), expected);
    }
}
