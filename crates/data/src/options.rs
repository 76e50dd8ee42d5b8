//! The options of a task.

use std::fmt::{Debug, Display};
use std::path::PathBuf;

use subquad_options::Refusal;

use crate::{Condition, InputKind, TargetKind, Task, TaskError, TaskInfo, TaskSpec};

/// The options of a task, and what follows from them before any data are read.
pub trait TaskOptions: Debug {
    /// A description of the task.
    fn info() -> &'static TaskInfo
    where
        Self: Sized;

    /// What a model of the task reads.
    fn input(&self) -> InputKind;

    /// What a model of the task should output, for training examples of `seq_len` tokens.
    fn target(&self, seq_len: usize) -> TargetKind;

    /// Everything that keeps the task from having training examples of `seq_len` tokens. A refusal without fields blames the
    /// length itself.
    fn refusals(&self, seq_len: usize) -> Vec<Refusal>;

    /// Number of tokens in the examples of each test condition besides that of training.
    fn test_lengths(&self) -> Vec<usize> {
        vec![]
    }

    /// Whether there are validation examples.
    fn validates(&self) -> bool {
        true
    }

    /// Number of labels of a training example of `seq_len` tokens, if tokens have labels.
    fn labels(&self, seq_len: usize) -> usize {
        seq_len
    }

    /// Which data the task reads, so that equal sources are read once: the user's path (a given option of this name), and how
    /// many examples it takes for training and testing if that changes what is read. `None` if the program makes all examples.
    fn source(&self) -> Option<(PathBuf, [usize; 2])> {
        None
    }

    /// Whether the task can have training examples of `seq_len` tokens.
    ///
    /// # Errors
    /// The first of the [refusals](Self::refusals), as [`TaskError::Length`] or [`TaskError::Options`].
    fn check(&self, seq_len: usize) -> Result<(), TaskError>
    where
        Self: Sized,
    {
        let first = self.refusals(seq_len).into_iter().next();
        first.map_or(Ok(()), |refusal| Err(TaskError::refused(Self::info().name, seq_len, refusal)))
    }

    /// The task with training examples of `seq_len` tokens; `seed` draws or orders them. Reads its data.
    ///
    /// # Errors
    /// As [`check`](Self::check); also if the data are missing, or not what they should be.
    fn open(&self, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError>;

    /// What is known of the task if it makes every example, as many for validation as for testing, and tests are under the condition of
    /// training only.
    fn spec(&self, seq_len: usize, test_examples: usize) -> TaskSpec
    where
        Self: Sized,
    {
        TaskSpec {
            name: Self::info().name,
            seq_len,
            input: self.input(),
            target: self.target(seq_len),
            metric: Self::info().metric,
            train_len: None,
            validation_len: test_examples,
            conditions: vec![Condition::of_training(seq_len, test_examples)],
        }
    }
}

/// This share of so many examples, rounded.
pub(crate) fn share(share: f64, examples: usize) -> usize {
    (share * examples as f64).round() as usize
}

/// A refusal of the length itself: which lengths there are, and the nearest.
pub(crate) fn wrong_length(rule: &str, nearest: impl Display) -> Refusal {
    Refusal::new(format!("{rule}; nearest allowed: {nearest}"), &[])
}
