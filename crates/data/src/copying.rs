//! `copying`: repeat the first tokens at the end.

use subquad_options::{Options, Refusal};

use crate::drawn::{Draw, DrawnTask, Purpose, TokenExample};
use crate::options::wrong_length;
use crate::{Draws, InputKind, Metric, TargetKind, Task, TaskError, TaskInfo, TaskOptions};

/// The token between the data and the marks.
const NOISE: u32 = 0;

/// Data, then noise, then marks, at each of which one of the data is to be repeated.
///
/// - Input: `n_data` data, uniform among `1 .. vocab - 1`; `seq_len - 2 n_data` times the noise token 0; `n_data` times the mark `vocab - 1`.
/// - Label: at mark number i, datum number i, or number i from the end with `reverse`. Nothing else has a label.
/// - Score: accuracy at the marks. Guessing scores 1 / (vocab - 2); a queue scores 1.
/// - Published: vocabulary 10, 10 data, 100 noise tokens (seq_len = 120 here), 10,000 fresh training examples an epoch, 1,000 for evaluation.
///
/// The task is Hochreiter and Schmidhuber's and Arjovsky, Shah, Bengio 2016, "Unitary evolution recurrent neural networks", <https://arxiv.org/abs/1511.06464>, section
/// 5.1; the recipe is that of the S4 repository.
///
/// One example by hand: two data of a vocabulary of six, the noise between, and the marks, 5.
/// ```text
/// inputs:   1 3 0 0 0 5 5
/// targets:  . . . . . 1 3
/// ```
/// ```
/// use subquad_data::{CopyingConfig, Inputs, Targets, TaskOptions};
/// let config = CopyingConfig { vocab: 6, n_data: 2, ..CopyingConfig::default() };
/// let example = config.open(7, 0)?.test_batch(0, 0..1);
/// assert_eq!(example.inputs, Inputs::Tokens(vec![1, 3, 0, 0, 0, 5, 5]));
/// assert_eq!(example.targets, Targets::Tokens(vec![None, None, None, None, None, Some(1), Some(3)]));
/// # Ok::<(), subquad_data::TaskError>(())
/// ```
#[derive(Options, Clone, Debug, PartialEq)]
pub struct CopyingConfig {
    /// Size of the vocabulary: the noise token, the data, and the mark.
    #[config(default = 10)]
    #[option(range = 4..=1 << 20)]
    pub vocab: usize,
    /// Number of tokens to repeat: at most seq_len / 2.
    #[config(default = 10)]
    #[option(range = 1..=1 << 23)]
    pub n_data: usize,
    /// The last of the data is to be repeated first.
    #[config(default = false)]
    pub reverse: bool,
    /// Training examples in an epoch; 0: every example is fresh.
    #[config(default = 0)]
    #[option(range = 0..=1 << 26)]
    pub train_examples: usize,
    /// Test examples.
    #[config(default = 1000)]
    #[option(range = 1..)]
    pub test_examples: usize,
    /// Further lengths to test at, besides seq_len, with as many data.
    #[config(default = "vec![]")]
    #[option(range = 2..=1 << 24, most = 100)]
    pub test_lengths: Vec<usize>,
}

impl TaskOptions for CopyingConfig {
    fn info() -> &'static TaskInfo {
        &TaskInfo {
            name: "copying",
            summary: "repeat the first tokens after a stretch of noise",
            lengths: "at least 2 tokens per datum",
            data: "generated",
            caption: "Copying: accuracy at the marks at the end, each of which asks for one of the first tokens.",
            metric: Metric::Accuracy,
        }
    }

    fn input(&self) -> InputKind {
        InputKind::Tokens { vocab: self.vocab }
    }

    fn target(&self, _: usize) -> TargetKind {
        TargetKind::Tokens { classes: self.vocab }
    }

    fn refusals(&self, seq_len: usize) -> Vec<Refusal> {
        self.refused_by(|| refusals(self.n_data, seq_len, &self.test_lengths))
    }

    fn labels(&self, _: usize) -> usize {
        self.n_data
    }

    fn test_lengths(&self) -> Vec<usize> {
        self.test_lengths.clone()
    }

    fn open(&self, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
        self.check(seq_len)?;
        let Self { vocab, n_data, reverse, .. } = *self;
        let (spec, draw) =
            (self.spec(seq_len, self.test_examples), Copies { vocab, n_data, reverse, is_selective: false });
        Ok(Box::new(DrawnTask::new(spec, draw, (seed, self.train_examples), &self.test_lengths)))
    }
}

/// Everything that keeps examples of these lengths from holding the data and as many marks.
pub(crate) fn refusals(n_data: usize, seq_len: usize, test_lengths: &[usize]) -> Vec<Refusal> {
    let short = |length: &usize| *length < 2 * n_data;
    let rule = format!("{n_data} data and as many marks take {} tokens", 2 * n_data);
    let own = short(&seq_len).then(|| wrong_length(&rule, 2 * n_data));
    let tests = test_lengths.iter().filter(|length| short(length)).map(|length| {
        Refusal::new(format!("{length} in test_lengths is too short: {rule}"), &["test_lengths"])
    });
    own.into_iter().chain(tests).collect()
}

/// How examples to copy are drawn.
pub(crate) struct Copies {
    pub(crate) vocab: usize,
    pub(crate) n_data: usize,
    pub(crate) reverse: bool,
    /// Whether the data are scattered over the noise, instead of in front of it.
    pub(crate) is_selective: bool,
}

impl Copies {
    /// The places of the data, in order, among so many.
    fn places(&self, among: usize, draws: &mut Draws) -> Vec<usize> {
        if !self.is_selective {
            return (0..self.n_data).collect();
        }
        let mut places = draws.distinct(self.n_data, among);
        places.sort_unstable();
        places
    }
}

impl Draw for Copies {
    fn example(&self, draws: &mut Draws, seq_len: usize, _: Purpose) -> TokenExample {
        let (n_data, mark) = (self.n_data, self.vocab as u32 - 1);
        let mut data: Vec<u32> = (0..n_data).map(|_| 1 + draws.below(self.vocab - 2) as u32).collect();
        let mut tokens = vec![NOISE; seq_len - n_data];
        for (place, datum) in self.places(tokens.len(), draws).into_iter().zip(&data) {
            tokens[place] = *datum;
        }
        tokens.extend(vec![mark; n_data]);
        if self.reverse {
            data.reverse();
        }
        let mut labels = vec![None; seq_len - n_data];
        labels.extend(data.into_iter().map(Some));
        (tokens, labels)
    }
}
