use subquad_data::{Batch, DigitsConfig, InputKind, Inputs, TargetKind, Targets, Task, TaskOptions};

fn digits(seq_len: usize, seed: u64) -> Box<dyn Task> {
    DigitsConfig::default().open(seq_len, seed).unwrap()
}

fn values(batch: &Batch) -> &[f32] {
    match &batch.inputs {
        Inputs::Reals { features: 1, values } => values,
        other => panic!("digits are reals, not {other:?}"),
    }
}

/// Every example as its pixels in 16ths and its label, sorted: to compare sets of examples.
fn examples(batch: &Batch) -> Vec<(Vec<u32>, u32)> {
    let Targets::Sequence(labels) = &batch.targets else { panic!("digits have one label each") };
    let images = values(batch).chunks_exact(batch.seq_len);
    let mut examples: Vec<_> = images
        .map(|image| image.iter().map(|p| (p * 16.0) as u32).collect())
        .zip(labels.iter().copied())
        .collect();
    examples.sort();
    examples
}

#[test]
fn a_batch_has_the_shape_the_task_announces() {
    for (seq_len, batch) in [(64, 1), (64, 50), (81, 3), (100, 2), (1024, 2)] {
        let task = digits(seq_len, 0);
        assert_eq!(task.input(), InputKind::Reals { features: 1 });
        assert_eq!(task.target(), TargetKind::Sequence { classes: 10 });
        for got in [task.train_batch(3, batch), task.test_batch(0, 5..5 + batch)] {
            assert_eq!((got.batch, got.seq_len), (batch, seq_len));
            assert_eq!(values(&got).len(), batch * seq_len);
            assert!(values(&got).iter().all(|p| (0.0..=1.0).contains(p)));
            assert_eq!(examples(&got).len(), batch);
        }
    }
}

#[test]
fn every_training_image_comes_once_an_epoch() {
    let task = digits(64, 7);
    let n = task.train_len().unwrap();
    let first_epoch = examples(&task.train_batch(0, n));
    assert_eq!(first_epoch, examples(&task.train_batch(1, n)));
    assert_ne!(task.train_batch(0, n), task.train_batch(1, n), "the order changes from epoch to epoch");
    let thirds: Vec<_> = (0..3).flat_map(|step| examples(&task.train_batch(step, n / 3))).collect();
    assert_eq!(first_epoch, {
        let mut sorted = thirds;
        sorted.sort();
        sorted
    });
}

#[test]
fn a_batch_is_a_pure_function_of_seed_and_step() {
    let (a, b) = (digits(64, 7), digits(64, 7));
    let later = a.train_batch(100, 32);
    for step in 0..3 {
        assert_eq!(a.train_batch(step, 32), b.train_batch(step, 32), "step {step}");
    }
    assert_eq!(later, b.train_batch(100, 32));
    assert_ne!(a.train_batch(0, 32), a.train_batch(1, 32));
}

#[test]
fn another_seed_gives_another_order_of_the_same_images() {
    let (a, b) = (digits(64, 1), digits(64, 2));
    let n = a.train_len().unwrap();
    assert_ne!(a.train_batch(0, 32), b.train_batch(0, 32));
    assert_eq!(examples(&a.train_batch(0, n)), examples(&b.train_batch(0, n)));
}

#[test]
fn a_longer_sequence_shows_the_same_images_with_the_same_labels() {
    let (small, large) = (digits(64, 3).train_batch(2, 16), digits(256, 3).train_batch(2, 16));
    assert_eq!(small.targets, large.targets);
    for (before, after) in values(&small).chunks_exact(64).zip(values(&large).chunks_exact(256)) {
        let mean = |image: &[f32]| image.iter().sum::<f32>() / image.len() as f32;
        // Doubling with these centres keeps the mean up to rounding: all pixels have equal total weight.
        assert!((mean(before) - mean(after)).abs() < 1e-5);
    }
}
