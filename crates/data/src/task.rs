//! What a task is.

use std::ops::Range;

use crate::{Batch, Metric};

/// A source of training, validation and test examples. No example is in two of these splits.
pub trait Task: Send + Sync {
    /// What is known of it before its first example.
    fn spec(&self) -> &TaskSpec;

    /// Batch number `step`, counted from 0: a pure function of (seed, step, batch).
    fn train_batch(&self, step: usize, batch: usize) -> Batch;

    /// Number of tokens in each training example of batch number `step`; [`seq_len`](Self::seq_len) unless the task trains at several
    /// lengths.
    fn seq_len_at(&self, step: usize) -> usize {
        let _ = step;
        self.seq_len()
    }

    /// These validation examples, always in the same order. They are of the condition of training.
    ///
    /// # Panics
    /// If `range` ends beyond the [validation examples](TaskSpec::validation_len).
    fn validation_batch(&self, range: Range<usize>) -> Batch;

    /// These test examples of a condition, counted as in [`conditions`](Self::conditions), always in the same order.
    ///
    /// # Panics
    /// If there is no such condition, or `range` ends beyond its examples.
    fn test_batch(&self, condition: usize, range: Range<usize>) -> Batch;

    /// Sixteen hex digits that identify the contents of the data it was given: a copy elsewhere, compressed or not, has
    /// the same digits. `None` if the program makes the examples itself.
    fn digest(&self) -> Option<String> {
        None
    }

    /// [`TaskSpec::name`].
    fn name(&self) -> &'static str {
        self.spec().name
    }

    /// [`TaskSpec::seq_len`].
    fn seq_len(&self) -> usize {
        self.spec().seq_len
    }

    /// [`TaskSpec::input`].
    fn input(&self) -> InputKind {
        self.spec().input
    }

    /// [`TaskSpec::target`].
    fn target(&self) -> TargetKind {
        self.spec().target
    }

    /// [`TaskSpec::metric`].
    fn metric(&self) -> Metric {
        self.spec().metric
    }

    /// [`TaskSpec::train_len`].
    fn train_len(&self) -> Option<usize> {
        self.spec().train_len
    }

    /// [`TaskSpec::validation_len`].
    fn validation_len(&self) -> usize {
        self.spec().validation_len
    }

    /// [`TaskSpec::conditions`].
    fn conditions(&self) -> Vec<Condition> {
        self.spec().conditions.clone()
    }
}

/// Examples that no training sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldOut {
    /// Those by which settings are chosen.
    Validation,
    /// Those of a test condition, by its number.
    Test(usize),
}

impl HeldOut {
    /// Number of tokens in each example, and number of examples.
    ///
    /// # Panics
    /// If the task has no such condition.
    pub fn size(self, task: &dyn Task) -> (usize, usize) {
        match self {
            Self::Validation => (task.seq_len(), task.validation_len()),
            Self::Test(condition) => {
                let Condition { seq_len, examples, .. } = task.spec().conditions[condition];
                (seq_len, examples)
            }
        }
    }

    /// These of the examples.
    ///
    /// # Panics
    /// If there are fewer, or the task has no such condition.
    pub fn batch(self, task: &dyn Task, range: Range<usize>) -> Batch {
        match self {
            Self::Validation => task.validation_batch(range),
            Self::Test(condition) => task.test_batch(condition, range),
        }
    }
}

/// What is known of a task before its first example.
#[derive(Clone, Debug)]
pub struct TaskSpec {
    /// Its name in [`tasks`](crate::tasks).
    pub name: &'static str,
    /// Number of tokens in each training example.
    pub seq_len: usize,
    /// What the model reads.
    pub input: InputKind,
    /// What it should output.
    pub target: TargetKind,
    /// What it is scored by, besides the loss.
    pub metric: Metric,
    /// Number of training examples in an epoch; `None` if every example is fresh.
    pub train_len: Option<usize>,
    /// Number of validation examples; 0 if all examples that do not test train.
    pub validation_len: usize,
    /// The test conditions; the first is the condition of training, and its name is empty.
    pub conditions: Vec<Condition>,
}

impl TaskSpec {
    pub(crate) fn assert_has(&self, condition: usize, range: &Range<usize>) {
        let Condition { examples, .. } = self.conditions[condition];
        assert!(range.end <= examples, "{range:?} of {examples} examples");
    }

    pub(crate) fn assert_validates(&self, range: &Range<usize>) {
        let examples = self.validation_len;
        assert!(range.end <= examples, "{range:?} of {examples} validation examples");
    }
}

/// One condition under which a task tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The name that distinguishes it from the task's other conditions; empty for the condition of training.
    pub name: String,
    /// Tokens in each example.
    pub seq_len: usize,
    /// What is special about it besides the length, such as `8 pairs`; may be empty.
    pub variant: String,
    /// Number of examples.
    pub examples: usize,
}

impl Condition {
    /// The condition of training, for which only the length needs to be given.
    pub fn of_training(seq_len: usize, examples: usize) -> Self {
        Self { name: String::new(), seq_len, variant: String::new(), examples }
    }
}

/// What a model reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// `[batch, seq, features]` real numbers.
    Reals {
        /// Numbers per token.
        features: usize,
    },
    /// `[batch, seq]` token numbers.
    Tokens {
        /// Number of different tokens.
        vocab: usize,
    },
}

/// What a model should output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// `[batch]`: one class per sequence.
    Sequence {
        /// Number of classes.
        classes: usize,
    },
    /// `[batch, seq]`: a class at some positions.
    Tokens {
        /// Number of classes.
        classes: usize,
    },
    /// `[batch, outputs]`: real numbers, once per sequence.
    SequenceReals {
        /// Numbers per sequence.
        outputs: usize,
    },
    /// `[batch, seq, outputs]`: real numbers at every position.
    TokenReals {
        /// Numbers per token.
        outputs: usize,
    },
}

/// A description of a task, for a list.
#[derive(Clone, Copy, Debug)]
pub struct TaskInfo {
    /// Its name.
    pub name: &'static str,
    /// What it asks of a model.
    pub summary: &'static str,
    /// Which values of `seq_len` it supports.
    pub lengths: &'static str,
    /// Where its data come from.
    pub data: &'static str,
    /// What a reader of its figures must know.
    pub caption: &'static str,
    /// What it is scored by, besides the loss.
    pub metric: Metric,
}
