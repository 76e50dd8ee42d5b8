//! What a task is, and which there are.

use std::ops::Range;

use crate::{Batch, Digits};

/// A source of training and test examples of one length.
pub trait Task: Send + Sync {
    /// The name by which [`open`] finds it.
    fn name(&self) -> &'static str;

    /// Tokens in each example.
    fn seq_len(&self) -> usize;

    /// What the model reads.
    fn input(&self) -> InputKind;

    /// What it should answer.
    fn target(&self) -> TargetKind;

    /// Training examples in an epoch; `None` where every example is fresh.
    fn train_len(&self) -> Option<usize>;

    /// Batch number `step`, counted from 0: a pure function of (seed, step, batch).
    fn train_batch(&self, step: usize, batch: usize) -> Batch;

    /// Number of test examples.
    fn test_len(&self) -> usize;

    /// These test examples, always in the same order.
    ///
    /// # Panics
    /// If `range` ends beyond [`test_len`](Self::test_len).
    fn test_batch(&self, range: Range<usize>) -> Batch;
}

/// What a model reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    /// `[batch, seq, features]` real numbers.
    Reals {
        /// Numbers a token.
        features: usize,
    },
    /// `[batch, seq]` token numbers.
    Tokens {
        /// Number of different tokens.
        vocab: usize,
    },
}

/// What a model should answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// `[batch]`: one class a sequence.
    Sequence {
        /// Number of classes.
        classes: usize,
    },
    /// `[batch, seq]`: a class at some positions.
    Tokens {
        /// Number of classes.
        classes: usize,
    },
}

/// Why a task cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// No task has this name.
    #[error("there is no task `{name}`; known: {known}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// All names, separated by commas.
        known: String,
    },
    /// The task exists, but not at this length.
    #[error("{task} cannot have seq_len = {seq_len}: {rule}; nearest allowed: {nearest}")]
    Length {
        /// The task's name.
        task: &'static str,
        /// The length asked for.
        seq_len: usize,
        /// Which lengths the task has, and why.
        rule: &'static str,
        /// The nearest length, or the two around the one asked for.
        nearest: String,
    },
}

/// A line about a task, for a list.
#[derive(Clone, Copy, Debug)]
pub struct TaskInfo {
    /// The name by which [`open`] finds it.
    pub name: &'static str,
    /// What it asks of a model.
    pub summary: &'static str,
    /// Which values of `seq_len` it has.
    pub lengths: &'static str,
    /// What a reader of its figures must know.
    pub caption: &'static str,
    pub(crate) check: fn(usize) -> Result<(), TaskError>,
    pub(crate) open: fn(usize, u64) -> Result<Box<dyn Task>, TaskError>,
}

const TASKS: &[TaskInfo] = &[Digits::INFO];

/// All tasks.
pub fn tasks() -> &'static [TaskInfo] {
    TASKS
}

/// Whether task `name` exists at length `seq_len`. Reads no data.
///
/// # Errors
/// If there is no such task, or not at this length.
///
/// ```
/// assert!(subquad_data::check("digits", 64).is_ok());
/// assert_eq!(
///     subquad_data::check("digits", 65).unwrap_err().to_string(),
///     "digits cannot have seq_len = 65: an image is a square of at least 8 x 8 pixels, one pixel a token; \
///      nearest allowed: 64 or 81"
/// );
/// ```
pub fn check(name: &str, seq_len: usize) -> Result<(), TaskError> {
    (find(name)?.check)(seq_len)
}

/// Task `name` with examples of `seq_len` tokens; `seed` draws or orders its training examples.
///
/// # Errors
/// As [`check`].
pub fn open(name: &str, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
    (find(name)?.open)(seq_len, seed)
}

fn find(name: &str) -> Result<&'static TaskInfo, TaskError> {
    TASKS.iter().find(|info| info.name == name).ok_or_else(|| {
        let known = TASKS.iter().map(|info| info.name).collect::<Vec<_>>().join(", ");
        TaskError::Unknown { name: name.into(), known }
    })
}
