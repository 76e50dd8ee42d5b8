//! A task with fewer test examples, for a trial run.

use std::ops::Range;

use crate::{Batch, Condition, InputKind, Metric, TargetKind, Task};

/// The task with at most this many test examples of each condition: the first ones.
///
/// ```
/// use subquad_data::{Digits, FewTests, Task};
/// let digits = Digits::new(64, 0)?;
/// let few = FewTests { task: &digits, examples: 8 };
/// assert_eq!(few.conditions()[0].examples, 8);
/// assert_eq!(few.test_batch(0, 0..8), digits.test_batch(0, 0..8));
/// # Ok::<(), subquad_data::TaskError>(())
/// ```
pub struct FewTests<'a> {
    /// The task.
    pub task: &'a dyn Task,
    /// The most test examples of each condition.
    pub examples: usize,
}

impl Task for FewTests<'_> {
    fn name(&self) -> &'static str {
        self.task.name()
    }

    fn seq_len(&self) -> usize {
        self.task.seq_len()
    }

    fn input(&self) -> InputKind {
        self.task.input()
    }

    fn target(&self) -> TargetKind {
        self.task.target()
    }

    fn metric(&self) -> Metric {
        self.task.metric()
    }

    fn train_len(&self) -> Option<usize> {
        self.task.train_len()
    }

    fn train_batch(&self, step: usize, batch: usize) -> Batch {
        self.task.train_batch(step, batch)
    }

    fn conditions(&self) -> Vec<Condition> {
        let few =
            |condition: Condition| Condition { examples: condition.examples.min(self.examples), ..condition };
        self.task.conditions().into_iter().map(few).collect()
    }

    fn test_batch(&self, condition: usize, range: Range<usize>) -> Batch {
        self.task.test_batch(condition, range)
    }

    fn digest(&self) -> Option<String> {
        self.task.digest()
    }
}
