//! Validation during training, and trainings that a score ends.

use subquad_data::{HeldOut, Metric};
use subquad_record::Memory;
use subquad_testkit::cpu;
use subquad_train::{LoopConfig, TrainConfig, evaluate, train};

use crate::tasks::{Retold, SEQ, Sequences};
use crate::{attention, looping, plain_loop, sequence_model, token_model, train_sequences};

fn rows(sink: &Memory) -> Vec<(usize, &str)> {
    sink.rows
        .iter()
        .map(|row| (row.step, row.split.as_str()))
        .filter(|(_, split)| *split != "train")
        .collect()
}

fn stopping_at(goal: f64, steps: usize) -> TrainConfig {
    looping(LoopConfig { stop_at: Some(goal), eval_every: Some(2), ..plain_loop(steps, 4) })
}

#[test]
fn validation_examples_are_evaluated_on_the_way_and_test_examples_once_at_the_end() {
    let (task, mut sink) = (Sequences::validated(8, 6, 5), Memory::default());
    let config = looping(LoopConfig { eval_every: Some(2), ..plain_loop(5, 4) });
    let trained = train_sequences(&task, &config, &mut sink).unwrap();
    assert_eq!(rows(&sink), [(2, "validation"), (4, "validation"), (5, "validation"), (5, "test")]);
    assert_eq!(trained.steps, 5);
    let tally = |split| evaluate(&trained.model, &task, split, 4 * SEQ, &cpu());
    assert_eq!(trained.validation, Some(tally(HeldOut::Validation)));
    assert_eq!(trained.test, tally(HeldOut::Test(0)));
    assert_eq!(trained.validation.unwrap().labels, 6);
    assert_eq!(task.asked.lock().unwrap().iter().map(|range| range.end).max(), Some(5));
}

#[test]
fn a_training_ends_at_the_first_evaluation_that_is_good_enough_and_is_tested_then() {
    let (task, mut unstopped) = (Retold::validated(40, 12), Memory::default());
    let all = looping(LoopConfig { eval_every: Some(2), ..plain_loop(60, 8) });
    train(token_model(attention()), &task, &all, &cpu(), &mut unstopped).unwrap();
    let validated = |sink: &Memory| -> Vec<(usize, f64)> {
        let rows = sink.rows.iter().filter(|row| row.split == "validation");
        rows.map(|row| (row.step, row.score.unwrap().value)).collect()
    };
    let scores = validated(&unstopped);
    let goal = 0.5 * (scores[0].1 + scores.last().unwrap().1);
    let end = scores.iter().position(|(_, score)| *score >= goal).unwrap();
    assert!(end > 0 && end + 1 < scores.len(), "it learns: {scores:?}");

    let mut sink = Memory::default();
    let config =
        TrainConfig { training_loop: LoopConfig { stop_at: Some(goal), ..all.training_loop }, ..all };
    let trained = train(token_model(attention()), &task, &config, &cpu(), &mut sink).unwrap();
    assert_eq!(trained.steps, scores[end].0);
    assert_eq!(validated(&sink), scores[..=end], "until then it is the same training");
    let tests = sink.rows.iter().filter(|row| row.split == "test");
    let tests: Vec<_> = tests.map(|row| (row.step, row.condition.as_str())).collect();
    assert_eq!(tests, [(trained.steps, ""), (trained.steps, "short"), (trained.steps, "long")]);
    assert_eq!(trained.other_tests.len(), 2);
}

#[test]
fn a_score_that_is_never_reached_ends_nothing() {
    let (task, mut sink) = (Sequences::validated(8, 6, 5), Memory::default());
    let trained = train_sequences(&task, &stopping_at(1.5, 5), &mut sink).unwrap();
    assert_eq!((trained.steps, rows(&sink).len()), (5, 4));
}

#[test]
fn without_validation_examples_no_test_ends_a_training() {
    let (task, mut sink) = (Sequences::new(8, 5), Memory::default());
    let trained = train_sequences(&task, &stopping_at(1e-9, 5), &mut sink).unwrap();
    assert_eq!((trained.steps, trained.validation), (5, None));
    assert_eq!(rows(&sink), [(2, "test"), (4, "test"), (5, "test")]);
}

#[test]
fn an_error_must_be_at_most_the_goal() {
    let trained = |goal: f64| {
        let (task, mut sink) =
            (Sequences::validated(8, 6, 5).scored_by(Metric::BitsPerByte), Memory::default());
        train(sequence_model(attention()), &task, &stopping_at(goal, 6), &cpu(), &mut sink).unwrap().steps
    };
    assert_eq!((trained(1e-6), trained(1e6)), (6, 2));
}

#[test]
fn what_does_nothing_or_contradicts_is_refused_with_both_names() {
    let refused = |training_loop: LoopConfig| {
        let refusal = looping(training_loop).check().unwrap_err();
        (refusal.reason, refusal.fields.to_vec())
    };
    assert_eq!(
        refused(LoopConfig { stop_at: Some(0.9), ..plain_loop(5, 4) }),
        (
            "stop_at = 0.9 is checked every eval_every steps; set eval_every, such as to 100".into(),
            vec!["stop_at", "eval_every"]
        )
    );
    let both =
        LoopConfig { curriculum: vec!["4x2".parse().unwrap()], mixed_lengths: vec![3], ..plain_loop(5, 4) };
    assert_eq!(
        refused(both),
        (
            "curriculum and mixed_lengths are two orders of lengths; keep one of them".into(),
            vec!["mixed_lengths", "curriculum"]
        )
    );
}
