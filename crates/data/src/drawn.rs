//! Tasks that draw their own examples: tokens, with a class at some of them.

use std::ops::Range;

use crate::rng::Examples;
use crate::{Batch, Condition, Draws, Task, TaskSpec};

/// The tokens of an example, and the class at each token that has one.
pub(crate) type TokenExample = (Vec<u32>, Vec<Option<u32>>);

/// How the examples of a task are drawn.
pub(crate) trait Draw: Send + Sync {
    /// One example of `seq_len` tokens.
    fn example(&self, draws: &mut Draws, seq_len: usize, purpose: Purpose) -> TokenExample;
}

/// What an example is for: some tasks have other labels in training than in validation and tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Training,
    Scoring,
}

/// A task whose examples are drawn one by one, for validation and tests always the same.
pub(crate) struct DrawnTask<D> {
    spec: TaskSpec,
    examples: Examples,
    draw: D,
}

impl<D: Draw> DrawnTask<D> {
    /// The task `spec`, with streams named after it: a seed draws the training examples, of which a fixed set has so many; 0: all are fresh.
    /// It is also tested at `test_lengths`.
    pub(crate) fn new(
        spec: TaskSpec,
        draw: D,
        (seed, train_examples): (u64, usize),
        test_lengths: &[usize],
    ) -> Self {
        let examples = Examples::new(spec.name, seed, train_examples);
        let train_len = examples.train_len();
        let others = test_lengths.iter().filter(|length| **length != spec.seq_len);
        let other = |length: &usize| Condition {
            name: length.to_string(),
            ..Condition::of_training(*length, spec.conditions[0].examples)
        };
        let conditions = spec.conditions.iter().cloned().chain(others.map(other)).collect();
        Self { spec: TaskSpec { train_len, conditions, ..spec }, examples, draw }
    }

    fn batch(&self, draws: impl ExactSizeIterator<Item = Draws>, seq_len: usize, purpose: Purpose) -> Batch {
        Batch::of_tokens(seq_len, draws.map(|mut draws| self.draw.example(&mut draws, seq_len, purpose)))
    }
}

impl<D: Draw> Task for DrawnTask<D> {
    fn spec(&self) -> &TaskSpec {
        &self.spec
    }

    fn train_batch(&self, step: usize, batch: usize) -> Batch {
        self.batch(self.examples.train(step, batch), self.spec.seq_len, Purpose::Training)
    }

    fn validation_batch(&self, range: Range<usize>) -> Batch {
        self.spec.assert_validates(&range);
        self.batch(self.examples.validation(range), self.spec.seq_len, Purpose::Scoring)
    }

    /// Runs of any length that test at the same one have the same examples there.
    fn test_batch(&self, condition: usize, range: Range<usize>) -> Batch {
        self.spec.assert_has(condition, &range);
        let seq_len = self.spec.conditions[condition].seq_len;
        self.batch(self.examples.test_at(range, seq_len as u64), seq_len, Purpose::Scoring)
    }
}
