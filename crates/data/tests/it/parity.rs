//! Bits and whether an odd number of them are ones.

use subquad_data::{Inputs, ParityConfig, Targets, Task, TaskOptions};

fn task(seq_len: usize, seed: u64) -> Box<dyn Task> {
    ParityConfig { test_examples: 50, ..ParityConfig::default() }.open(seq_len, seed).unwrap()
}

/// The exact solver: a running sum modulo 2.
fn solve(bits: &[u32]) -> u32 {
    bits.iter().fold(0, |odd, bit| odd ^ bit)
}

#[test]
fn a_running_sum_modulo_2_answers_everything_and_a_forgetful_one_half() {
    for seq_len in [2, 3, 64, 65] {
        let batch = task(seq_len, 0).test_batch(0, 0..50);
        let (Inputs::Tokens(tokens), Targets::Tokens(labels)) = (batch.inputs, batch.targets) else {
            panic!()
        };
        let examples = || tokens.chunks(seq_len).zip(labels.chunks(seq_len));
        let answer = |labels: &[Option<u32>]| labels[seq_len - 1].unwrap();
        assert!(
            examples().all(|(tokens, labels)| tokens[seq_len - 1] == 2
                && labels[..seq_len - 1].iter().all(Option::is_none))
        );
        assert!(examples().all(|(tokens, labels)| solve(&tokens[..seq_len - 1]) == answer(labels)));
        // The deliberate mistake is to forget the first bit.
        let right =
            examples().filter(|(tokens, labels)| solve(&tokens[1..seq_len - 1]) == answer(labels)).count();
        assert!((10..40).contains(&right), "{right} of 50");
    }
}

#[test]
fn training_depends_on_seed_and_step_and_tests_on_neither() {
    assert_eq!(task(16, 1).train_batch(3, 4), task(16, 1).train_batch(3, 4));
    assert_ne!(task(16, 1).train_batch(3, 4), task(16, 1).train_batch(4, 4));
    assert_ne!(task(16, 1).train_batch(3, 4), task(16, 2).train_batch(3, 4));
    assert_eq!(task(16, 1).test_batch(0, 5..9), task(16, 2).test_batch(0, 5..9));
}

#[test]
fn one_token_is_no_question() {
    let error = ParityConfig::default().open(1, 0).err().unwrap().to_string();
    assert_eq!(
        error,
        "parity cannot have seq_len = 1: there must be at least one bit, and the token that asks; nearest allowed: 2"
    );
}
