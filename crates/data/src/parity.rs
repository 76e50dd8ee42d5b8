//! `parity`: is the number of ones odd? This is the smallest task that needs a state which never forgets.

use std::ops::Range;

use subquad_options::{Options, Refusal};

use crate::options::wrong_length;
use crate::rng::Examples;
use crate::{Batch, Draws, InputKind, Metric, TargetKind, Task, TaskError, TaskInfo, TaskOptions, TaskSpec};

/// The token that asks for the answer.
const END: u32 = 2;

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
/// use subquad_data::{Inputs, ParityConfig, Targets, TaskOptions};
/// let example = ParityConfig::default().open(6, 0)?.test_batch(0, 0..1);
/// let Inputs::Tokens(tokens) = example.inputs else { unreachable!() };
/// let ones = tokens[..5].iter().sum::<u32>();
/// assert_eq!(tokens[5], 2);
/// assert_eq!(example.targets, Targets::Tokens(vec![None, None, None, None, None, Some(ones % 2)]));
/// # Ok::<(), subquad_data::TaskError>(())
/// ```
#[derive(Options, Clone, Debug, PartialEq)]
pub struct ParityConfig {
    /// Training examples in an epoch; 0: every example is fresh.
    #[config(default = 0)]
    #[option(range = 0..=1 << 26)]
    pub train_examples: usize,
    /// Test examples.
    #[config(default = 1000)]
    #[option(range = 1..)]
    pub test_examples: usize,
}

impl TaskOptions for ParityConfig {
    fn info() -> &'static TaskInfo {
        &TaskInfo {
            name: "parity",
            summary: "say whether the number of ones is odd",
            lengths: "2 or more",
            data: "generated",
            caption: "Parity of random bits, asked for at the last token. Guessing scores 0.5.",
            metric: Metric::Accuracy,
        }
    }

    fn input(&self) -> InputKind {
        InputKind::Tokens { vocab: 3 }
    }

    fn target(&self, _: usize) -> TargetKind {
        TargetKind::Tokens { classes: 2 }
    }

    fn refusals(&self, seq_len: usize) -> Vec<Refusal> {
        let too_short = || wrong_length("there must be at least one bit, and the token that asks", 2);
        self.refused_by(|| (seq_len < 2).then(too_short).into_iter().collect())
    }

    fn labels(&self, _: usize) -> usize {
        1
    }

    fn open(&self, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
        self.check(seq_len)?;
        let examples = Examples::new(Self::info().name, seed, self.train_examples);
        let spec = TaskSpec { train_len: examples.train_len(), ..self.spec(seq_len, self.test_examples) };
        Ok(Box::new(Parity { spec, examples }))
    }
}

struct Parity {
    spec: TaskSpec,
    examples: Examples,
}

impl Parity {
    fn batch(&self, draws: impl ExactSizeIterator<Item = Draws>) -> Batch {
        let example = |mut draws: Draws| {
            let mut tokens: Vec<u32> = (1..self.spec.seq_len).map(|_| draws.below(2) as u32).collect();
            let mut labels = vec![None; tokens.len()];
            labels.push(Some(tokens.iter().sum::<u32>() % 2));
            tokens.push(END);
            (tokens, labels)
        };
        Batch::of_tokens(self.spec.seq_len, draws.map(example))
    }
}

impl Task for Parity {
    fn spec(&self) -> &TaskSpec {
        &self.spec
    }

    fn train_batch(&self, step: usize, batch: usize) -> Batch {
        match self.examples.epochs {
            Some(_) => self.batch(self.examples.train(step, batch)),
            None => self.batch((0..batch).map(|example| self.examples.train.at(step as u64, example as u64))),
        }
    }

    fn validation_batch(&self, range: Range<usize>) -> Batch {
        self.spec.assert_validates(&range);
        self.batch(self.examples.validation(range))
    }

    fn test_batch(&self, condition: usize, range: Range<usize>) -> Batch {
        self.spec.assert_has(condition, &range);
        self.batch(range.map(|example| self.examples.test.at(0, example as u64)))
    }
}
