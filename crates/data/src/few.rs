//! A task with fewer test examples, for a trial run.

use std::ops::Range;

use crate::{Batch, Task, TaskSpec};

/// The task with at most this many validation examples, and test examples of each condition: the first ones.
///
/// ```
/// use subquad_data::{DigitsConfig, FewTests, Task, TaskOptions};
/// let digits = DigitsConfig::default().open(64, 0)?;
/// let few = FewTests::new(&*digits, 8);
/// assert_eq!(few.conditions()[0].examples, 8);
/// assert_eq!(few.test_batch(0, 0..8), digits.test_batch(0, 0..8));
/// # Ok::<(), subquad_data::TaskError>(())
/// ```
pub struct FewTests<'a> {
    task: &'a dyn Task,
    spec: TaskSpec,
}

impl<'a> FewTests<'a> {
    /// `task` with at most `examples` for validation and under each condition.
    pub fn new(task: &'a dyn Task, examples: usize) -> Self {
        let mut spec = task.spec().clone();
        spec.validation_len = spec.validation_len.min(examples);
        spec.conditions
            .iter_mut()
            .for_each(|condition| condition.examples = condition.examples.min(examples));
        Self { task, spec }
    }
}

impl Task for FewTests<'_> {
    fn spec(&self) -> &TaskSpec {
        &self.spec
    }

    fn train_batch(&self, step: usize, batch: usize) -> Batch {
        self.task.train_batch(step, batch)
    }

    fn seq_len_at(&self, step: usize) -> usize {
        self.task.seq_len_at(step)
    }

    fn validation_batch(&self, range: Range<usize>) -> Batch {
        self.task.validation_batch(range)
    }

    fn test_batch(&self, condition: usize, range: Range<usize>) -> Batch {
        self.task.test_batch(condition, range)
    }

    fn digest(&self) -> Option<String> {
        self.task.digest()
    }
}
