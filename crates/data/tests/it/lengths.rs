//! Training at several lengths.

use subquad_data::{Lengths, MqarConfig, Share, Stage, Task, TaskOptions, VariedLengths};

fn open(seq_len: usize, seed: u64) -> Box<dyn Task> {
    let config = MqarConfig { vocab: 200, n_pairs: Share::OfLength(8), ..MqarConfig::default() };
    config.open(seq_len, seed).unwrap()
}

fn varied(lengths: Lengths, seed: u64) -> VariedLengths {
    let others = lengths.others().into_iter().map(|length| open(length, seed)).collect();
    VariedLengths::new(open(64, seed), others, lengths, seed)
}

fn stages(texts: &[&str]) -> Lengths {
    Lengths::Curriculum(texts.iter().map(|text| text.parse().unwrap()).collect())
}

#[test]
fn a_curriculum_takes_its_stages_in_their_order_and_then_the_own_length() {
    let task = varied(stages(&["16x3", "32x2", "16x1"]), 0);
    let lengths: Vec<usize> = (0..9).map(|step| task.seq_len_at(step)).collect();
    assert_eq!(lengths, [16, 16, 16, 32, 32, 16, 64, 64, 64]);
    for (step, length) in lengths.into_iter().enumerate() {
        let batch = task.train_batch(step, 3);
        assert_eq!(batch, open(length, 0).train_batch(step, 3));
        assert_eq!(batch.seq_len, length);
    }
}

#[test]
fn mixed_lengths_come_equally_often_in_an_order_that_the_seed_draws() {
    let order = |seed| {
        let task = varied(Lengths::Mixed(vec![16, 32]), seed);
        (0..3000).map(|step| task.seq_len_at(step)).collect::<Vec<_>>()
    };
    for length in [16, 32, 64] {
        // 1000 each, with a standard deviation of 26.
        let count = order(0).iter().filter(|other| **other == length).count();
        assert!(count.abs_diff(1000) < 130, "{length}: {count}");
    }
    assert_eq!(order(0), order(0));
    assert_ne!(order(0), order(1));
    let task = varied(Lengths::Mixed(vec![16, 32]), 0);
    assert!((0..20).all(|step| task.train_batch(step, 2).seq_len == task.seq_len_at(step)));
}

#[test]
fn everything_else_is_as_at_the_own_length() {
    let task = varied(stages(&["16x3"]), 0);
    let own = open(64, 0);
    assert_eq!(task.validation_batch(0..5), own.validation_batch(0..5));
    assert_eq!(task.test_batch(0, 0..5), own.test_batch(0, 0..5));
    assert_eq!((task.seq_len(), task.conditions(), task.digest()), (64, own.conditions(), None));
}

#[test]
fn stages_are_read_as_they_are_written() {
    let stage: Stage = "64x200".parse().unwrap();
    assert_eq!((stage, stage.to_string()), (Stage { seq_len: 64, steps: 200 }, "64x200".into()));
    for text in ["64", "x5", "64x", "0x5", "64x0", "ax3", "64x3x2", "-1x3", "64x1.5"] {
        assert_eq!(
            text.parse::<Stage>(),
            Err(format!("`{text}` is not a length and its steps, such as 64x200"))
        );
    }
}
