//! Two small tasks: one class per sequence, and a class at some tokens.

use std::ops::Range;
use std::sync::Mutex;

use subquad_data::{
    Batch, Condition, Draws, InputKind, Inputs, Metric, Stream, TargetKind, Targets, Task, TaskSpec,
};

pub(crate) const SEQ: usize = 6;
/// Tokens of the longest test condition.
pub(crate) const LONGEST: usize = 3 * SEQ;
pub(crate) const FEATURES: usize = 2;
pub(crate) const CLASSES: usize = 3;
pub(crate) const VOCAB: usize = 5;

const TRAIN: u64 = 0;
const TEST: u64 = 1;
const VALIDATION: u64 = 2;

/// Random reals with a random class: to be learned by heart.
pub(crate) struct Sequences {
    spec: TaskSpec,
    train_len: usize,
    /// Training batches from this one on, counted from 0, contain a NaN.
    pub(crate) poisoned_from: usize,
    /// Test examples asked for so far.
    pub(crate) asked: Mutex<Vec<Range<usize>>>,
}

impl Sequences {
    pub(crate) fn new(train_len: usize, test_len: usize) -> Self {
        let spec = TaskSpec {
            name: "sequences",
            seq_len: SEQ,
            input: InputKind::Reals { features: FEATURES },
            target: TargetKind::Sequence { classes: CLASSES },
            metric: Metric::Accuracy,
            train_len: Some(train_len),
            validation_len: 0,
            conditions: vec![Condition::of_training(SEQ, test_len)],
        };
        Self { spec, train_len, poisoned_from: usize::MAX, asked: Mutex::default() }
    }
}

impl Sequences {
    /// With so many validation examples.
    pub(crate) fn validated(train_len: usize, validation_len: usize, test_len: usize) -> Self {
        let mut task = Self::new(train_len, test_len);
        task.spec.validation_len = validation_len;
        task
    }

    pub(crate) fn scored_by(mut self, metric: Metric) -> Self {
        self.spec.metric = metric;
        self
    }
}

fn draws(split: u64, example: usize) -> Draws {
    Stream::new(0, "test task").at(split, example as u64)
}

fn sequences(split: u64, examples: impl ExactSizeIterator<Item = usize>) -> Batch {
    let (batch, mut values, mut classes) = (examples.len(), vec![], vec![]);
    for mut draws in examples.map(|example| draws(split, example)) {
        values.extend((0..SEQ * FEATURES).map(|_| draws.normal()));
        classes.push(draws.below(CLASSES) as u32);
    }
    let inputs = Inputs::Reals { features: FEATURES, values };
    Batch { batch, seq_len: SEQ, inputs, targets: Targets::Sequence(classes) }
}

fn poison(mut batch: Batch) -> Batch {
    if let Inputs::Reals { values, .. } = &mut batch.inputs {
        values[0] = f32::NAN;
    }
    batch
}

impl Task for Sequences {
    fn spec(&self) -> &TaskSpec {
        &self.spec
    }

    fn train_batch(&self, step: usize, batch: usize) -> Batch {
        let batch = sequences(TRAIN, (0..batch).map(|i| (step * batch + i) % self.train_len));
        if step >= self.poisoned_from { poison(batch) } else { batch }
    }

    fn validation_batch(&self, range: Range<usize>) -> Batch {
        sequences(VALIDATION, range)
    }

    fn test_batch(&self, _: usize, range: Range<usize>) -> Batch {
        self.asked.lock().unwrap().push(range.clone());
        sequences(TEST, range)
    }
}

/// Random tokens; every odd token is to be answered with the token before it. Every third sequence has no labels.
///
/// ```text
/// inputs:   3 1 4 1 0 2
/// targets:  . 3 . 4 . 0
/// ```
pub(crate) struct Retold {
    spec: TaskSpec,
}

impl Retold {
    pub(crate) fn new(test_len: usize) -> Self {
        let other =
            |name: &str, seq_len| Condition { name: name.into(), ..Condition::of_training(seq_len, 5) };
        let spec = TaskSpec {
            name: "retold",
            seq_len: SEQ,
            input: InputKind::Tokens { vocab: VOCAB },
            target: TargetKind::Tokens { classes: VOCAB },
            metric: Metric::Accuracy,
            train_len: None,
            validation_len: 0,
            conditions: vec![
                Condition::of_training(SEQ, test_len),
                other("short", 3),
                other("long", LONGEST),
            ],
        };
        Self { spec }
    }

    /// With so many validation examples.
    pub(crate) fn validated(validation_len: usize, test_len: usize) -> Self {
        let mut task = Self::new(test_len);
        task.spec.validation_len = validation_len;
        task
    }
}

fn retold(split: u64, examples: impl ExactSizeIterator<Item = usize>, seq_len: usize) -> Batch {
    let (batch, mut all, mut labels) = (examples.len(), vec![], vec![]);
    for example in examples {
        let mut draws = draws(split, example);
        let tokens: Vec<u32> = (0..seq_len).map(|_| draws.below(VOCAB) as u32).collect();
        let labelled = |t: usize| t % 2 == 1 && example % 3 != 2;
        labels.extend((0..seq_len).map(|t| labelled(t).then(|| tokens[t - 1])));
        all.extend(tokens);
    }
    Batch { batch, seq_len, inputs: Inputs::Tokens(all), targets: Targets::Tokens(labels) }
}

impl Task for Retold {
    fn spec(&self) -> &TaskSpec {
        &self.spec
    }

    fn train_batch(&self, step: usize, batch: usize) -> Batch {
        retold(TRAIN, step * batch..(step + 1) * batch, SEQ)
    }

    fn validation_batch(&self, range: Range<usize>) -> Batch {
        retold(VALIDATION, range, SEQ)
    }

    fn test_batch(&self, condition: usize, range: Range<usize>) -> Batch {
        retold(TEST, range, self.spec.conditions[condition].seq_len)
    }
}
