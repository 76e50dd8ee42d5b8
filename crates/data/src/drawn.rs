//! Tasks that draw their own examples: tokens, with a class at some of them.
//!
//! A struct of options that says what is particular to its task ([`DrawnOptions`]) is one of a [`Task`] by that.

use std::fmt::Debug;
use std::ops::Range;

use subquad_options::range::LONGEST_SEQ;
use subquad_options::{Options, Refusal};

use crate::rng::Examples;
use crate::{
    Batch, Condition, Draws, InputKind, TargetKind, Task, TaskError, TaskInfo, TaskOptions, TaskSpec,
};

/// The options of every task that draws its examples: how many there are, and at which lengths it is tested.
#[derive(Options, Clone, Debug, PartialEq, Eq)]
pub struct ExampleOptions {
    /// Training examples in an epoch; 0: every example is fresh.
    #[config(default = 0)]
    #[option(range = 0..=1 << 26)]
    pub train_examples: usize,
    /// Test examples of each length.
    #[config(default = 1000)]
    #[option(range = 1..)]
    pub test_examples: usize,
    /// Further lengths to test at, besides seq_len.
    #[config(default = "vec![]")]
    #[option(range = 1..=LONGEST_SEQ, most = 100)]
    pub test_lengths: Vec<usize>,
}

/// What is particular to a task that draws its examples.
pub trait DrawnOptions: Options + Debug {
    /// A description of the task.
    const INFO: TaskInfo;

    /// How many examples there are, and at which lengths it is tested.
    fn examples(&self) -> &ExampleOptions;

    /// Number of different tokens, which are also the classes.
    fn vocab(&self) -> usize;

    /// What is wrong with options whose values are in their ranges, whatever the length.
    fn conflicts(&self) -> Vec<Refusal> {
        vec![]
    }

    /// Why there are no examples of so many tokens; the refusal blames no option.
    fn wrong_length(&self, seq_len: usize) -> Option<Refusal>;

    /// Number of labels of a training example.
    fn labels(&self, seq_len: usize) -> usize {
        seq_len
    }

    /// What draws the examples.
    fn drawing(&self) -> Box<dyn Draw>;
}

/// The tokens of an example, and the class at each token that has one.
pub type TokenExample = (Vec<u32>, Vec<Option<u32>>);

/// How the examples of a task are drawn.
pub trait Draw: Send + Sync {
    /// One example of `seq_len` tokens.
    fn example(&self, draws: &mut Draws, seq_len: usize, purpose: Purpose) -> TokenExample;
}

/// What an example is for: some tasks have other labels in training than in validation and tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To be trained on.
    Training,
    /// To be scored.
    Scoring,
}

impl<O: DrawnOptions> TaskOptions for O {
    fn info() -> &'static TaskInfo {
        &Self::INFO
    }

    fn input(&self) -> InputKind {
        InputKind::Tokens { vocab: self.vocab() }
    }

    fn target(&self, _: usize) -> TargetKind {
        TargetKind::Tokens { classes: self.vocab() }
    }

    fn refusals(&self, seq_len: usize) -> Vec<Refusal> {
        self.refused_by(|| {
            let tests = self.examples().test_lengths.iter();
            let tests = tests.filter_map(|length| Some((length, self.wrong_length(*length)?)));
            let tests = tests.map(|(length, Refusal { reason, .. })| {
                Refusal::new(format!("{length} in test_lengths: {reason}"), &["test_lengths"])
            });
            self.wrong_length(seq_len).into_iter().chain(self.conflicts()).chain(tests).collect()
        })
    }

    fn test_lengths(&self) -> Vec<usize> {
        self.examples().test_lengths.clone()
    }

    fn labels(&self, seq_len: usize) -> usize {
        DrawnOptions::labels(self, seq_len)
    }

    fn open(&self, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
        self.check(seq_len)?;
        let spec = self.spec(seq_len, self.examples().test_examples);
        Ok(Box::new(DrawnTask::new(spec, self.drawing(), self.examples(), seed)))
    }
}

/// A task whose examples are drawn one by one, for validation and tests always the same.
struct DrawnTask {
    spec: TaskSpec,
    examples: Examples,
    drawing: Box<dyn Draw>,
}

impl DrawnTask {
    fn new(spec: TaskSpec, drawing: Box<dyn Draw>, options: &ExampleOptions, seed: u64) -> Self {
        let examples = Examples::new(spec.name, seed, options.train_examples);
        let others = options.test_lengths.iter().filter(|length| **length != spec.seq_len);
        let other = |length: &usize| Condition {
            name: length.to_string(),
            ..Condition::of_training(*length, options.test_examples)
        };
        let conditions = spec.conditions.iter().cloned().chain(others.map(other)).collect();
        Self { spec: TaskSpec { train_len: examples.train_len(), conditions, ..spec }, examples, drawing }
    }

    fn batch(&self, draws: impl ExactSizeIterator<Item = Draws>, seq_len: usize, purpose: Purpose) -> Batch {
        let example = |mut draws| self.drawing.example(&mut draws, seq_len, purpose);
        Batch::of_tokens(seq_len, draws.map(example))
    }
}

impl Task for DrawnTask {
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
