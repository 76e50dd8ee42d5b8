//! `parity`: is the number of ones odd? This is the smallest task that needs a state which never forgets.

use std::ops::Range;

use subquad_options::{Options, Refusal};

use crate::config::wrong_length;
use crate::{
    Batch, Condition, Draws, InputKind, Inputs, Stream, TargetKind, Targets, Task, TaskError, TaskInfo,
    TaskOptions,
};

/// The token that asks for the answer.
const END: u32 = 2;
/// Test examples are part of the task: they are the same for every seed of a run.
const TEST_SEED: u64 = 0;

/// Options of [`Parity`].
#[derive(Options, Clone, Debug, PartialEq)]
pub struct ParityConfig {
    /// Test examples.
    #[config(default = 1000)]
    #[option(range = 1..)]
    pub test_examples: usize,
}

impl TaskOptions for ParityConfig {
    const INFO: TaskInfo = TaskInfo {
        name: "parity",
        summary: "say whether the number of ones is odd",
        lengths: "2 or more",
        data: "generated",
        caption: "Parity of random bits, asked for at the last token. Guessing scores 0.5.",
    };

    fn input(&self) -> InputKind {
        Parity::INPUT
    }

    fn target(&self, _: usize) -> TargetKind {
        Parity::TARGET
    }

    fn refusals(&self, seq_len: usize) -> Vec<Refusal> {
        let too_short = || wrong_length("there must be at least one bit, and the token that asks", 2);
        self.refused_by(|| (seq_len < 2).then(too_short).into_iter().collect())
    }

    fn labels(&self, _: usize) -> usize {
        1
    }

    fn open(&self, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
        Ok(Box::new(Parity::new(self, seq_len, seed)?))
    }
}

/// Bits, then a token that asks whether an odd number of them are 1.
///
/// - Input: `seq_len - 1` bits, each 0 or 1 with the same probability, then the token 2.
/// - Target: at the last token 1 if the number of ones is odd, else 0. No other token has a label.
/// - Training: every example is fresh. Test: the same examples for every seed.
/// - Score: accuracy. Guessing scores 0.5; a running sum modulo 2 scores 1.
///
/// One example by hand: the first test example of 6 tokens. `.` has no label.
/// ```text
/// inputs:   1 1 0 0 0 2
/// targets:  . . . . . 0
/// ```
/// ```
/// use subquad_data::{Inputs, Parity, ParityConfig, Targets, Task};
/// let example = Parity::new(&ParityConfig::default(), 6, 0)?.test_batch(0, 0..1);
/// let Inputs::Tokens(tokens) = example.inputs else { unreachable!() };
/// let ones = tokens[..5].iter().sum::<u32>();
/// assert_eq!(tokens[5], 2);
/// assert_eq!(example.targets, Targets::Tokens(vec![None, None, None, None, None, Some(ones % 2)]));
/// # Ok::<(), subquad_data::TaskError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Parity {
    seq_len: usize,
    test_examples: usize,
    train: Stream,
    test: Stream,
}

impl Parity {
    const INPUT: InputKind = InputKind::Tokens { vocab: 3 };
    const TARGET: TargetKind = TargetKind::Tokens { classes: 2 };

    /// The task with examples of `seq_len` tokens; `seed` draws those for training.
    ///
    /// # Errors
    /// As [`check`](TaskOptions::check).
    pub fn new(config: &ParityConfig, seq_len: usize, seed: u64) -> Result<Self, TaskError> {
        config.check(seq_len)?;
        let (train, test) = (Stream::new(seed, "parity/train"), Stream::new(TEST_SEED, "parity/test"));
        Ok(Self { seq_len, test_examples: config.test_examples, train, test })
    }

    fn batch(&self, draws: impl ExactSizeIterator<Item = Draws>) -> Batch {
        let (batch, mut inputs, mut targets) = (draws.len(), Vec::new(), Vec::new());
        for mut draws in draws {
            let bits: Vec<u32> = (1..self.seq_len).map(|_| draws.below(2) as u32).collect();
            targets.extend(bits.iter().map(|_| None));
            targets.push(Some(bits.iter().sum::<u32>() % 2));
            inputs.extend(bits);
            inputs.push(END);
        }
        Batch {
            batch,
            seq_len: self.seq_len,
            inputs: Inputs::Tokens(inputs),
            targets: Targets::Tokens(targets),
        }
    }
}

impl Task for Parity {
    fn name(&self) -> &'static str {
        ParityConfig::INFO.name
    }

    fn seq_len(&self) -> usize {
        self.seq_len
    }

    fn input(&self) -> InputKind {
        Self::INPUT
    }

    fn target(&self) -> TargetKind {
        Self::TARGET
    }

    fn train_len(&self) -> Option<usize> {
        None
    }

    fn train_batch(&self, step: usize, batch: usize) -> Batch {
        self.batch((0..batch).map(|example| self.train.at(step as u64, example as u64)))
    }

    fn conditions(&self) -> Vec<Condition> {
        vec![Condition::of_training(self.seq_len, self.test_examples)]
    }

    fn test_batch(&self, _: usize, range: Range<usize>) -> Batch {
        assert!(range.end <= self.test_examples, "there are {} test examples", self.test_examples);
        self.batch(range.map(|example| self.test.at(0, example as u64)))
    }
}
