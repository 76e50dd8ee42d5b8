//! What every task that draws tokens must pass: an exact solver, a checksum, and streams of their own.

use subquad_data::{Batch, HeldOut, Inputs, Targets, Task};

/// The examples of a batch: tokens, and the class at each token that has one.
pub(crate) fn examples(batch: Batch) -> Vec<(Vec<u32>, Vec<Option<u32>>)> {
    let (Inputs::Tokens(tokens), Targets::Tokens(labels)) = (batch.inputs, batch.targets) else {
        panic!("not a task of tokens")
    };
    let rows = tokens.chunks(batch.seq_len).zip(labels.chunks(batch.seq_len));
    rows.map(|(tokens, labels)| (tokens.to_vec(), labels.to_vec())).collect()
}

/// The share of labels that a rule answers right, in this many test examples. The rule gives an answer for every token, of which only those with a label
/// count.
pub(crate) fn accuracy(task: &dyn Task, count: usize, rule: impl Fn(&[u32]) -> Vec<u32>) -> f64 {
    let (mut right, mut all) = (0, 0);
    for (tokens, labels) in examples(task.test_batch(0, 0..count)) {
        let answers = rule(&tokens);
        assert_eq!(answers.len(), tokens.len());
        for (answer, label) in answers.iter().zip(labels) {
            all += usize::from(label.is_some());
            right += usize::from(label == Some(*answer));
        }
    }
    right as f64 / all as f64
}

/// FNV-1a over tokens and labels of the first training, validation and test examples: changes whenever any of them does.
pub(crate) fn checksum(task: &dyn Task) -> String {
    let test = |held_out: HeldOut| held_out.batch(task, 0..3);
    let batches =
        [task.train_batch(0, 3), task.train_batch(5, 2), test(HeldOut::Validation), test(HeldOut::Test(0))];
    let numbers = batches.into_iter().flat_map(|batch| numbers(&batch)).flat_map(u32::to_le_bytes);
    let hash = numbers
        .fold(0xCBF2_9CE4_8422_2325, |h: u64, byte| (h ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3));
    format!("{hash:016x}")
}

fn numbers(batch: &Batch) -> Vec<u32> {
    let inputs = match &batch.inputs {
        Inputs::Tokens(tokens) => tokens.clone(),
        Inputs::Reals { values, .. } => values.iter().map(|value| value.to_bits()).collect(),
    };
    let targets = match &batch.targets {
        Targets::Sequence(classes) => classes.clone(),
        Targets::Tokens(classes) => classes.iter().map(|class| class.unwrap_or(u32::MAX)).collect(),
        Targets::SequenceReals { values, .. } | Targets::TokenReals { values, .. } => {
            values.iter().map(|value| value.to_bits()).collect()
        }
    };
    [inputs, targets].concat()
}

/// Training depends on seed and step; validation and test examples on neither, and no split has another's examples.
pub(crate) fn assert_streams(open: impl Fn(u64) -> Box<dyn Task>) {
    let (one, other) = (open(1), open(2));
    assert_eq!(one.train_batch(3, 4), open(1).train_batch(3, 4));
    assert_ne!(one.train_batch(3, 4), one.train_batch(4, 4));
    assert_ne!(one.train_batch(3, 4), other.train_batch(3, 4));
    let held_out = [HeldOut::Validation, HeldOut::Test(0)].map(|split| {
        assert_eq!(split.batch(&*one, 2..6), split.batch(&*other, 2..6));
        assert_eq!(examples(split.batch(&*one, 2..6))[1..3], examples(split.batch(&*one, 3..5)));
        split.batch(&*one, 0..4)
    });
    assert_ne!(held_out[0], held_out[1]);
    assert!(held_out.iter().all(|batch| *batch != one.train_batch(0, 4)));
}
