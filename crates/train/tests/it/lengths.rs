//! Training at several lengths.

use subquad_data::{Lengths, ParityConfig, Task, TaskOptions, VariedLengths};
use subquad_record::Memory;
use subquad_testkit::cpu;
use subquad_train::{LoopConfig, Trained, train};

use crate::{attention, looping, plain, plain_loop, token_model};

const OWN: usize = 8;
const BATCH: usize = 3;

pub(crate) fn varied(lengths: Lengths) -> VariedLengths {
    let config = ParityConfig { test_examples: 5, ..ParityConfig::default() };
    let open = |seq_len| config.open(seq_len, 0).unwrap();
    let others = lengths.others().into_iter().map(open).collect();
    VariedLengths::new(open(OWN), others, lengths, 0)
}

pub(crate) fn curriculum() -> VariedLengths {
    varied(Lengths::Curriculum(["2x1", "4x2"].map(|stage| stage.parse().unwrap()).into()))
}

fn trained(task: &VariedLengths, steps: usize, sink: &mut Memory) -> Trained {
    train(token_model(attention()), task, &plain(steps, BATCH), &cpu(), sink).unwrap()
}

/// Tokens and seconds of every step.
fn steps(sink: &Memory) -> Vec<(usize, f64)> {
    let rows = sink.rows.iter().filter(|row| row.split == "train");
    let of = |speed: f64, seconds: f64| ((speed * seconds).round() as usize, seconds);
    rows.map(|row| of(row.tokens_per_second.unwrap(), row.step_seconds.unwrap())).collect()
}

#[test]
fn the_time_of_a_step_is_that_of_steps_of_the_own_length() {
    let mut sink = Memory::default();
    let trained = trained(&curriculum(), 8, &mut sink);
    let (tokens, seconds): (Vec<usize>, Vec<f64>) = steps(&sink).into_iter().unzip();
    assert_eq!(tokens, [2, 4, 4, 8, 8, 8, 8, 8].map(|length| length * BATCH));
    let mut own = seconds[3..].to_vec();
    own.sort_by(f64::total_cmp);
    assert_eq!(trained.step_seconds, own[2]);
}

#[test]
fn every_step_trains_at_the_length_that_was_drawn_for_it() {
    let (task, mut sink) = (varied(Lengths::Mixed(vec![2, 4])), Memory::default());
    trained(&task, 12, &mut sink);
    let tokens: Vec<usize> = steps(&sink).into_iter().map(|(tokens, _)| tokens).collect();
    assert_eq!(tokens, (0..12).map(|step| task.seq_len_at(step) * BATCH).collect::<Vec<_>>());
    for length in [2, 4, OWN] {
        assert!(tokens.contains(&(length * BATCH)), "{length}: {tokens:?}");
    }
}

#[test]
fn validation_and_tests_are_at_the_own_length() {
    let (task, mut sink) = (curriculum(), Memory::default());
    // The training ends before the curriculum does.
    let ended = trained(&task, 2, &mut sink);
    let own = varied(Lengths::Mixed(vec![]));
    let evaluated = |examples| subquad_train::evaluate(&ended.model, &own, examples, BATCH * OWN, &cpu());
    assert_eq!(ended.test, evaluated(subquad_data::HeldOut::Test(0)));
    assert_eq!(ended.validation, Some(evaluated(subquad_data::HeldOut::Validation)));
}

#[test]
fn a_training_that_ends_before_its_own_length_has_no_time_of_a_step() {
    let ended = |stage: &str| {
        let task = varied(Lengths::Curriculum(vec![stage.parse().unwrap()]));
        // Any right answer is enough.
        let training_loop = LoopConfig { stop_at: Some(1e-9), eval_every: Some(2), ..plain_loop(60, BATCH) };
        train(token_model(attention()), &task, &looping(training_loop), &cpu(), &mut Memory::default())
            .unwrap()
    };
    let (early, late) = (ended("2x50"), ended("2x1"));
    assert!(early.steps < 50 && early.step_seconds.is_nan(), "{}", early.steps);
    assert!(late.steps < 50 && late.step_seconds > 0.0, "{}", late.steps);
}
