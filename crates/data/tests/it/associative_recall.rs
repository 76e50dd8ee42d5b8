//! Pairs of keys and values, and one key at the end.

use subquad_data::{AssociativeRecallConfig, ExampleOptions, Task, TaskOptions};

use crate::solved::{accuracy, assert_streams, checksum, examples};

const KEYS: usize = 9;
const COUNT: usize = 500;

fn task(seed: u64) -> Box<dyn Task> {
    AssociativeRecallConfig::default().open(42, seed).unwrap()
}

/// At every token, the token after the latest earlier place of this one.
fn look_up(tokens: &[u32]) -> Vec<u32> {
    let answer = |(place, token): (usize, &u32)| {
        let earlier = (0..place).rev().find(|earlier| tokens[*earlier] == *token);
        earlier.map_or(0, |earlier| tokens[earlier + 1])
    };
    tokens.iter().enumerate().map(answer).collect()
}

#[test]
fn looking_up_the_key_answers_everything_and_guessing_does_not() {
    assert_eq!(accuracy(&*task(0), COUNT, look_up), 1.0);
    // The deliberate mistake reads the value one place too late: the next pair's key, which is never a value.
    let too_late = |tokens: &[u32]| look_up(tokens).iter().map(|value| value + 1).collect();
    assert!(accuracy(&*task(0), COUNT, too_late) < 0.2);
    let first_value = |tokens: &[u32]| vec![tokens[1]; tokens.len()];
    let guessed = accuracy(&*task(0), COUNT, first_value);
    // A value is shown for the asked key at 1 in 9 pairs, and by chance for others.
    assert!(guessed > 0.5 / KEYS as f64 && guessed < 0.4, "{guessed}");
}

#[test]
fn keys_and_values_are_halves_of_the_vocabulary_and_a_key_has_one_value() {
    for (tokens, labels) in examples(task(3).train_batch(0, 50)) {
        let (pairs, end) = tokens.split_at(40);
        assert!(pairs.iter().step_by(2).all(|key| *key < 9));
        assert!(pairs.iter().skip(1).step_by(2).all(|value| (9..18).contains(value)));
        assert_eq!(end[0], 18);
        for (one, other) in pairs.chunks(2).zip(pairs.chunks(2).skip(1)) {
            assert!(one[0] != other[0] || one[1] == other[1]);
        }
        assert_eq!(
            labels[..41],
            tokens[1..].iter().map(|token| Some(*token)).collect::<Vec<_>>(),
            "the next token"
        );
        assert_eq!(labels[41], Some(look_up(&tokens)[41]));
    }
}

#[test]
fn only_the_last_token_is_asked_for_in_tests() {
    for (_, labels) in examples(task(0).test_batch(0, 0..20)) {
        assert!(labels[..41].iter().all(Option::is_none) && labels[41].is_some());
    }
}

#[test]
fn the_examples_are_those_that_were_written_down() {
    assert_eq!(checksum(&*task(0)), "76c462619017e83d");
    assert_streams(task);
}

#[test]
fn other_lengths_are_tested_with_examples_of_their_own() {
    let config = AssociativeRecallConfig {
        examples: ExampleOptions { test_lengths: vec![42, 80], ..ExampleOptions::default() },
        ..AssociativeRecallConfig::default()
    };
    let task = config.open(42, 0).unwrap();
    let names: Vec<_> =
        task.conditions().into_iter().map(|condition| (condition.name, condition.seq_len)).collect();
    assert_eq!(names, [(String::new(), 42), ("80".into(), 80)]);
    assert_eq!(task.test_batch(1, 0..9), config.open(80, 7).unwrap().test_batch(0, 0..9));
}

#[test]
fn a_fixed_training_set_comes_again_in_every_epoch() {
    let config = AssociativeRecallConfig {
        examples: ExampleOptions { train_examples: 6, ..ExampleOptions::default() },
        ..AssociativeRecallConfig::default()
    };
    let task = config.open(42, 0).unwrap();
    let epoch = |step: usize| {
        let mut all = examples(task.train_batch(step, 6));
        all.sort();
        all
    };
    assert_eq!(epoch(0), epoch(1));
    assert_ne!(task.train_batch(0, 6), task.train_batch(1, 6), "in another order");
    assert_eq!(task.train_len(), Some(6));
}

#[test]
fn lengths_that_leave_half_a_pair_are_refused() {
    let refused = |seq_len| AssociativeRecallConfig::default().open(seq_len, 0).err().unwrap().to_string();
    assert_eq!(
        refused(41),
        "associative_recall cannot have seq_len = 41: pairs of a key and its value, then a mark and a key; nearest allowed: 40"
    );
    assert!(refused(2).ends_with("nearest allowed: 4"));
}
