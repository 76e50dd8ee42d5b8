//! The sum of two marked numbers.

use subquad_data::{AddingConfig, HeldOut, Inputs, Targets, Task, TaskOptions};

use crate::solved::checksum;

fn task(seed: u64) -> Box<dyn Task> {
    AddingConfig::default().open(100, seed).unwrap()
}

/// The error over the variance of a rule, in the test examples.
fn error(rule: impl Fn(&[f32]) -> f32) -> f64 {
    let batch = task(0).test_batch(0, 0..1000);
    let (Inputs::Reals { features: 2, values }, Targets::SequenceReals { outputs: 1, values: sums }) =
        (batch.inputs, batch.targets)
    else {
        panic!()
    };
    let mean = sums.iter().map(|sum| f64::from(*sum)).sum::<f64>() / 1000.0;
    let variance = sums.iter().map(|sum| (f64::from(*sum) - mean).powi(2)).sum::<f64>() / 1000.0;
    let squares = values.chunks(200).zip(&sums).map(|(example, sum)| f64::from(rule(example) - sum).powi(2));
    squares.sum::<f64>() / 1000.0 / variance
}

#[test]
fn adding_what_is_marked_has_no_error_and_the_mean_has_that_of_the_variance() {
    let marked = |example: &[f32]| example.chunks(2).map(|token| token[0] * token[1]).sum();
    assert_eq!(error(marked), 0.0);
    assert!((error(|_| 1.0) - 1.0).abs() < 0.01);
    // The deliberate mistake forgets the first mark, and guesses its number.
    let second =
        |example: &[f32]| 0.5 + example[100..].chunks(2).map(|token| token[0] * token[1]).sum::<f32>();
    assert!((error(second) - 0.5).abs() < 0.07, "{}", error(second)); // half of the variance is the first number's
}

#[test]
fn one_mark_is_in_each_half_and_the_sum_has_the_variance_of_two_uniform_numbers() {
    let batch = task(3).train_batch(0, 2000);
    let (Inputs::Reals { values, .. }, Targets::SequenceReals { values: sums, .. }) =
        (batch.inputs, batch.targets)
    else {
        panic!()
    };
    for example in values.chunks(200) {
        let marks: Vec<usize> = (0..100).filter(|token| example[2 * token + 1] == 1.0).collect();
        assert!(marks.len() == 2 && marks[0] < 50 && marks[1] >= 50, "{marks:?}");
        assert!(example.chunks(2).all(|token| (0.0..1.0).contains(&token[0])));
    }
    let variance = sums.iter().map(|sum| f64::from(sum - 1.0).powi(2)).sum::<f64>() / 2000.0;
    assert!((variance - 1.0 / 6.0).abs() < 0.025, "{variance}");
}

#[test]
fn an_odd_length_and_the_shortest_one_have_both_marks() {
    for seq_len in [2, 3, 7] {
        let batch = AddingConfig::default().open(seq_len, 0).unwrap().test_batch(0, 0..50);
        let Inputs::Reals { values, .. } = batch.inputs else { panic!() };
        assert!(
            values
                .chunks(2 * seq_len)
                .all(|example| example.chunks(2).map(|token| token[1]).sum::<f32>() == 2.0)
        );
    }
    assert!(AddingConfig::default().open(1, 0).is_err());
}

#[test]
fn the_examples_are_those_that_were_written_down() {
    assert_eq!(checksum(&*task(0)), "0e6212bd9c07563f");
    assert_ne!(task(0).train_batch(0, 4), task(1).train_batch(0, 4));
    for split in [HeldOut::Validation, HeldOut::Test(0)] {
        assert_eq!(split.batch(&*task(0), 0..4), split.batch(&*task(1), 0..4));
    }
    assert_ne!(task(0).validation_batch(0..4), task(0).test_batch(0, 0..4));
}
