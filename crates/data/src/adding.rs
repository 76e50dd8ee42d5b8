//! `adding`: the sum of the two numbers that are marked.

use std::ops::Range;

use subquad_options::{Options, Refusal};

use crate::options::wrong_length;
use crate::rng::Examples;
use crate::{
    Batch, Draws, InputKind, Inputs, Metric, TargetKind, Targets, Task, TaskError, TaskInfo, TaskOptions,
    TaskSpec,
};

/// Random numbers, two of them marked, whose sum is to be given.
///
/// - Input: two features a token: a number uniform in [0, 1), and 1 at the two marked tokens, 0 elsewhere. One mark is uniform in the first half of the tokens,
///   the other in the rest.
/// - Target: the sum of the two marked numbers, once per sequence.
/// - Loss: mean squared error. Score: that error divided by the variance of the target, 1/6. Always answering 1, the mean, scores 1; adding what is marked scores 0.
/// - Published: 1,000 tokens, 50,000 fixed training examples, of which a tenth validates.
///
/// Hochreiter and Schmidhuber 1997, "Long short-term memory", section 5.4, in the form of Arjovsky, Shah, Bengio 2016, <https://arxiv.org/abs/1511.06464>, section 5.2; the recipe is that of the S4
/// repository.
///
/// One example by hand: the first test example of four tokens, in hundredths.
/// ```text
/// number:  37  55  24  92
/// mark:     0   1   0   1
/// target:  148
/// ```
/// ```
/// use subquad_data::{AddingConfig, Inputs, Targets, TaskOptions};
/// let example = AddingConfig::default().open(4, 0)?.test_batch(0, 0..1);
/// let hundredths = |values: &[f32]| values.iter().map(|x| (x * 100.0).round()).collect::<Vec<_>>();
/// let Inputs::Reals { features: 2, values } = example.inputs else { unreachable!() };
/// assert_eq!(hundredths(&values), [37.0, 0.0, 55.0, 100.0, 24.0, 0.0, 92.0, 100.0]);
/// let Targets::SequenceReals { outputs: 1, values } = example.targets else { unreachable!() };
/// assert_eq!(hundredths(&values), [148.0]);
/// # Ok::<(), subquad_data::TaskError>(())
/// ```
#[derive(Options, Clone, Debug, PartialEq)]
pub struct AddingConfig {
    /// Training examples in an epoch; 0: every example is fresh. Published: 45000.
    #[config(default = 0)]
    #[option(range = 0..=1 << 26)]
    pub train_examples: usize,
    /// Test examples.
    #[config(default = 1000)]
    #[option(range = 1..)]
    pub test_examples: usize,
}

impl TaskOptions for AddingConfig {
    fn info() -> &'static TaskInfo {
        &TaskInfo {
            name: "adding",
            summary: "add the two numbers that are marked; scored by error / variance",
            lengths: "2 or more",
            data: "generated",
            caption: "Adding two marked numbers. Error: mean squared error over the variance of the sum; lower is better, and answering 1 scores 1.",
            metric: Metric::NormalisedError,
        }
    }

    fn input(&self) -> InputKind {
        InputKind::Reals { features: 2 }
    }

    fn target(&self, _: usize) -> TargetKind {
        TargetKind::SequenceReals { outputs: 1 }
    }

    fn refusals(&self, seq_len: usize) -> Vec<Refusal> {
        let too_short = || wrong_length("two numbers are marked", 2);
        self.refused_by(|| (seq_len < 2).then(too_short).into_iter().collect())
    }

    fn open(&self, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
        self.check(seq_len)?;
        let examples = Examples::new(Self::info().name, seed, self.train_examples);
        let spec = TaskSpec { train_len: examples.train_len(), ..self.spec(seq_len, self.test_examples) };
        Ok(Box::new(Adding { spec, examples }))
    }
}

struct Adding {
    spec: TaskSpec,
    examples: Examples,
}

impl Adding {
    fn batch(&self, draws: impl ExactSizeIterator<Item = Draws>) -> Batch {
        let (batch, seq_len) = (draws.len(), self.spec.seq_len);
        let examples: Vec<_> = draws.map(|draws| example(draws, seq_len)).collect();
        let sums = examples.iter().map(|(_, sum)| *sum).collect();
        let values = examples.into_iter().flat_map(|(values, _)| values).collect();
        Batch {
            batch,
            seq_len,
            inputs: Inputs::Reals { features: 2, values },
            targets: Targets::SequenceReals { outputs: 1, values: sums },
        }
    }
}

/// `[seq, 2]`, and the sum.
fn example(mut draws: Draws, seq_len: usize) -> (Vec<f32>, f32) {
    let half = seq_len / 2;
    let marks = [draws.below(half), half + draws.below(seq_len - half)];
    let numbers: Vec<f32> = (0..seq_len).map(|_| draws.uniform()).collect();
    let sum = numbers[marks[0]] + numbers[marks[1]];
    let mark = |place: usize| if marks.contains(&place) { 1.0 } else { 0.0 };
    (numbers.into_iter().enumerate().flat_map(|(place, number)| [number, mark(place)]).collect(), sum)
}

impl Task for Adding {
    fn spec(&self) -> &TaskSpec {
        &self.spec
    }

    fn train_batch(&self, step: usize, batch: usize) -> Batch {
        self.batch(self.examples.train(step, batch))
    }

    fn validation_batch(&self, range: Range<usize>) -> Batch {
        self.spec.assert_validates(&range);
        self.batch(self.examples.validation(range))
    }

    fn test_batch(&self, condition: usize, range: Range<usize>) -> Batch {
        self.spec.assert_has(condition, &range);
        self.batch(self.examples.test(range))
    }
}
