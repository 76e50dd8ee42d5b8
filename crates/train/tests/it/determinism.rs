//! The same seed gives the same bits.

use std::collections::HashMap;

use subquad_model::MixerConfig;
use subquad_record::{Memory, Row};
use subquad_train::{LoopConfig, OptimConfig, TrainConfig, to_safetensors, train};

use crate::tasks::Sequences;
use crate::{dropping_attention, mixers, plain, plain_loop, plain_optim, sequence_model};
use subquad_testkit::cpu;

/// Rows and weights of a training with dropout.
fn trained(mixer: MixerConfig, seed: u64) -> (Vec<Row>, Vec<u8>) {
    let mut sink = Memory::default();
    let config = TrainConfig {
        optim: OptimConfig { clip: Some(1.0), ..plain_optim() },
        dropout: 0.2,
        seed,
        ..plain(4, 4)
    };
    let trained = train(sequence_model(mixer), &Sequences::new(8, 5), &config, &cpu(), &mut sink).unwrap();
    (sink.rows, to_safetensors(&trained.model, HashMap::new()))
}

fn same_numbers(a: &[Row], b: &[Row]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same_numbers(b))
}

#[test]
fn two_trainings_of_one_seed_give_the_same_rows_and_weights() {
    for mixer in mixers() {
        let ((first_rows, first), (second_rows, second)) =
            (trained(mixer.clone(), 3), trained(mixer.clone(), 3));
        assert!(same_numbers(&first_rows, &second_rows), "{first_rows:?} {second_rows:?}");
        assert!(first == second, "weights differ: {mixer:?}");
    }
}

#[test]
fn another_seed_drops_other_activations() {
    for mixer in mixers() {
        let ((first_rows, first), (second_rows, second)) =
            (trained(mixer.clone(), 3), trained(mixer.clone(), 4));
        assert!(!same_numbers(&first_rows, &second_rows) && first != second, "{mixer:?}");
    }
}

/// Losses of two steps of one batch without learning: only dropout can change them.
fn two_steps(mixer: MixerConfig, dropout: f64) -> [f64; 2] {
    let mut sink = Memory::default();
    let config = TrainConfig { optim: OptimConfig { lr: 0.0, ..plain_optim() }, dropout, ..plain(2, 4) };
    train(sequence_model(mixer), &Sequences::new(4, 1), &config, &cpu(), &mut sink).unwrap();
    [sink.rows[0].loss, sink.rows[1].loss]
}

/// The loss of one batch of the two examples, as often as it takes them.
fn first_loss(batch: usize, accumulate: usize) -> f64 {
    let mut sink = Memory::default();
    let training_loop = LoopConfig { accumulate, ..plain_loop(1, batch) };
    let config = TrainConfig { training_loop, dropout: 0.5, ..plain(1, batch) };
    let [mixer, ..] = mixers();
    train(sequence_model(mixer), &Sequences::new(2, 1), &config, &cpu(), &mut sink).unwrap();
    sink.rows[0].loss
}

#[test]
fn every_part_of_a_batch_drops_other_activations() {
    let [once, twice_at_once, in_parts] =
        [(2, 1), (4, 1), (4, 2)].map(|(batch, parts)| first_loss(batch, parts));
    assert!(once != in_parts && twice_at_once != once, "{once} {twice_at_once} {in_parts}");
}

#[test]
fn every_step_drops_other_activations() {
    let [mixer, ..] = mixers();
    let [first, second] = two_steps(mixer.clone(), 0.0);
    assert_eq!(first, second);
    let [first, second] = two_steps(mixer, 0.2);
    assert_ne!(first, second);
}

#[test]
fn every_step_drops_other_attention_weights_also_where_no_activation_is_dropped() {
    let [first, second] = two_steps(dropping_attention(0.0), 0.0);
    assert_eq!(first, second);
    let [first, second] = two_steps(dropping_attention(0.3), 0.0);
    assert_ne!(first, second);
}
