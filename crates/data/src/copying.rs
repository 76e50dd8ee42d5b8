//! `copying`: repeat the first tokens at the end.

use subquad_options::{Options, Refusal};

use crate::drawn::{Draw, DrawnOptions, ExampleOptions, Purpose, TokenExample};
use crate::options::wrong_length;
use crate::{Draws, Metric, TaskInfo};

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
    /// How many examples there are, and at which lengths it is tested.
    #[option(flatten)]
    pub examples: ExampleOptions,
}

impl DrawnOptions for CopyingConfig {
    const INFO: TaskInfo = TaskInfo {
        name: "copying",
        summary: "repeat the first tokens after a stretch of noise",
        lengths: "at least 2 tokens per datum",
        data: "generated",
        caption: "Copying: accuracy at the marks at the end, each of which asks for one of the first tokens.",
        metric: Metric::Accuracy,
    };

    fn examples(&self) -> &ExampleOptions {
        &self.examples
    }

    fn vocab(&self) -> usize {
        self.vocab
    }

    fn wrong_length(&self, seq_len: usize) -> Option<Refusal> {
        no_room(self.n_data, seq_len)
    }

    fn labels(&self, _: usize) -> usize {
        self.n_data
    }

    fn drawing(&self) -> Box<dyn Draw> {
        let Self { vocab, n_data, reverse, .. } = *self;
        Box::new(Copies { vocab, n_data, reverse, is_selective: false })
    }
}

/// Refuses a length without room for the data and as many marks.
pub(crate) fn no_room(n_data: usize, seq_len: usize) -> Option<Refusal> {
    let least = 2 * n_data;
    (seq_len < least)
        .then(|| wrong_length(&format!("{n_data} data and as many marks take {least} tokens"), least))
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
