//! A mark, and the same mark at the end.

use subquad_data::{ExampleOptions, InductionHeadsConfig, Task, TaskOptions};

use crate::solved::{accuracy, assert_streams, checksum, examples};

const MARK: u32 = 14;
const COUNT: usize = 500;

fn task(seed: u64) -> Box<dyn Task> {
    InductionHeadsConfig::default().open(64, seed).unwrap()
}

/// What stands so many places after the first mark.
fn after_mark(tokens: &[u32], places: usize) -> Vec<u32> {
    let mark = tokens.iter().position(|token| *token == MARK).unwrap();
    vec![tokens[mark + places]; tokens.len()]
}

#[test]
fn an_induction_head_answers_everything_and_one_that_looks_a_place_too_far_guesses() {
    assert_eq!(accuracy(&*task(0), COUNT, |tokens| after_mark(tokens, 1)), 1.0);
    let too_far = accuracy(&*task(0), COUNT, |tokens| after_mark(tokens, 2));
    assert!((0.02..0.13).contains(&too_far), "{too_far} for 1/14");
}

#[test]
fn the_mark_is_once_at_any_place_that_leaves_an_answer_and_once_at_the_end() {
    let mut first = [0; 64];
    for (tokens, labels) in examples(task(5).train_batch(0, 3000)) {
        let marks: Vec<usize> = (0..64).filter(|place| tokens[*place] == MARK).collect();
        assert!(marks.len() == 2 && marks[1] == 63 && tokens.iter().all(|token| *token <= MARK));
        assert!(labels[..63].iter().all(Option::is_none));
        first[marks[0]] += 1;
    }
    // 3000 / 61 = 49 each, with a standard deviation of 7.
    assert!(first[..61].iter().all(|count| (15..90).contains(count)), "{first:?}");
    assert_eq!(first[61..], [0; 3]);
}

#[test]
fn every_next_token_is_a_label_in_training_only_where_that_is_asked() {
    let config = InductionHeadsConfig { next_token: true, ..InductionHeadsConfig::default() };
    let open = config.open(64, 0).unwrap();
    for (tokens, labels) in examples(open.train_batch(0, 20)) {
        assert_eq!(labels[..63], tokens[1..].iter().map(|token| Some(*token)).collect::<Vec<_>>());
        assert_eq!(labels[63], Some(after_mark(&tokens, 1)[0]));
    }
    assert_eq!(open.test_batch(0, 0..9), task(0).test_batch(0, 0..9));
    assert_eq!((config.labels(64), InductionHeadsConfig::default().labels(64)), (64, 1));
}

#[test]
fn it_is_tested_at_lengths_that_it_was_not_trained_at() {
    let config = InductionHeadsConfig {
        examples: ExampleOptions { test_lengths: vec![64, 256, 1 << 14], ..ExampleOptions::default() },
        ..InductionHeadsConfig::default()
    };
    let open = config.open(64, 0).unwrap();
    assert_eq!(config.test_lengths(), [64, 256, 1 << 14]);
    let lengths: Vec<_> = open.conditions().iter().map(|condition| condition.seq_len).collect();
    assert_eq!(lengths, [64, 256, 1 << 14]);
    assert_eq!(open.test_batch(2, 3..4).seq_len, 1 << 14);
}

#[test]
fn the_examples_are_those_that_were_written_down() {
    assert_eq!(checksum(&*task(0)), "b41eeda888a2e85c");
    assert_streams(task);
}

#[test]
fn three_tokens_are_no_question() {
    let error = InductionHeadsConfig::default().open(3, 0).err().unwrap().to_string();
    assert!(
        error
            .ends_with("a mark with the token after it, another one, and the mark again; nearest allowed: 4"),
        "{error}"
    );
}
