//! `selective_copying`: find the tokens among the noise, and repeat them in their order.

use subquad_options::{Options, Refusal};

use crate::copying::{Copies, no_room};
use crate::drawn::{Draw, DrawnOptions, ExampleOptions};
use crate::{Metric, TaskInfo};

/// Data at random places among noise, then marks, at each of which one of the data is to be repeated.
///
/// - Input: `n_data` data, uniform among `1 .. vocab - 1`, at distinct uniform places of the first `seq_len - n_data` tokens; the noise token 0 at the others;
///   then `n_data` times the mark `vocab - 1`.
/// - Label: at mark number i, datum number i. Nothing else has a label. A model must tell data from noise: their places do not repeat, so that no fixed delay
///   is enough.
/// - Score: accuracy at the marks. Guessing scores 1 / (vocab - 2); a queue of what is not noise scores 1.
/// - Published: 4,096 tokens, 16 kinds of tokens with the noise, 16 data, two layers of width 64, 400,000 steps of 64 fresh sequences at a constant rate of
///   1e-4. No generator was published; whether its 4,096 tokens count the marks is not said. Here they do.
///
/// Gu and Dao 2023, "Mamba", <https://arxiv.org/abs/2312.00752>, section 4.1.1; the recipe is that of the S4 repository's copying with variable places.
///
/// One example by hand: two data of a vocabulary of six among noise, 0, and the marks, 5.
/// ```text
/// inputs:   0 0 0 4 1 0 5 5
/// targets:  . . . . . . 4 1
/// ```
/// ```
/// use subquad_data::{Inputs, SelectiveCopyingConfig, Targets, TaskOptions};
/// let config = SelectiveCopyingConfig { vocab: 6, n_data: 2, ..SelectiveCopyingConfig::default() };
/// let example = config.open(8, 0)?.test_batch(0, 0..1);
/// assert_eq!(example.inputs, Inputs::Tokens(vec![0, 0, 0, 4, 1, 0, 5, 5]));
/// let none = [None; 6];
/// assert_eq!(example.targets, Targets::Tokens([&none[..], &[Some(4), Some(1)]].concat()));
/// # Ok::<(), subquad_data::TaskError>(())
/// ```
#[derive(Options, Clone, Debug, PartialEq)]
pub struct SelectiveCopyingConfig {
    /// Size of the vocabulary: the noise token, the data, and the mark.
    #[config(default = 17)]
    #[option(range = 4..=1 << 20)]
    pub vocab: usize,
    /// Number of tokens to repeat: at most seq_len / 2.
    #[config(default = 16)]
    #[option(range = 1..=1 << 23)]
    pub n_data: usize,
    /// How many examples there are, and at which lengths it is tested.
    #[option(flatten)]
    pub examples: ExampleOptions,
}

impl DrawnOptions for SelectiveCopyingConfig {
    const INFO: TaskInfo = TaskInfo {
        name: "selective_copying",
        summary: "repeat the tokens that were scattered over noise, in their order",
        lengths: "at least 2 tokens per datum",
        data: "generated",
        caption: "Selective copying: accuracy at the marks at the end, each of which asks for one of the tokens scattered over noise.",
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
        let Self { vocab, n_data, .. } = *self;
        Box::new(Copies { vocab, n_data, reverse: false, is_selective: true })
    }
}
