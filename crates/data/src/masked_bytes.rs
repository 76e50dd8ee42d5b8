//! `masked_bytes`: which bytes are hidden? Pre-training of bidirectional models on any text.
//!
//! ```text
//! text:    | first nine tenths: training                | last tenth: testing          |
//! example:        [ seq_len bytes, anywhere ]            [ .. ][ .. ][ .. ]  one after the other
//! ```
//! The rule is BERT's: Devlin et al. 2018, <https://arxiv.org/abs/1810.04805>, section 3.1.

use std::ops::Range;
use std::path::PathBuf;

use subquad_options::{Options, Refusal, range};

use crate::rng::Examples;
use crate::text::{Windows, no_byte, open};
use crate::{Batch, Draws, InputKind, Metric, TargetKind, Task, TaskError, TaskInfo, TaskOptions, TaskSpec};

const BYTES: usize = 256;
/// The token that stands for a hidden byte. It is never an answer, but has a class, so that a head can share the table
/// of tokens.
const MASK: u32 = BYTES as u32;
const VOCAB: usize = BYTES + 1;

/// The bytes of a text, some of which are to be predicted; the others have no label.
///
/// - Length: any. Tokens are the 256 bytes, and 256 for a hidden one.
/// - Of `seq_len` positions, a share is to be predicted: equally many in every example, at least one. Of these, 80 %
///   read as hidden, 10 % as a random byte, and 10 % as they are, so that a model must doubt what it reads.
/// - Split: the first nine tenths of the text are for training, the rest for testing; the last tenth of the former validates.
/// - Training: each example is `seq_len` bytes that start anywhere, fresh in every step. They depend on the seed.
/// - Test: the test part in windows one after the other; the same positions are to be predicted under every seed.
/// - Score: bits per byte, over the positions to be predicted. A model that knows nothing has 8.
///
/// One example by hand: of a text of 50 letters, the last five are for testing, here with three of four positions to be
/// predicted. Two read as hidden, `_`, and the last as some other byte, number 8.
/// ```text
/// text:     abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs | tuvwx
/// inputs:   t _ _ 8
/// targets:  . u v w
/// ```
/// ```
/// use subquad_data::{Inputs, MaskedBytesConfig, Targets};
/// let text = b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx".to_vec();
/// let config = MaskedBytesConfig { test_mask_share: 0.75, ..MaskedBytesConfig::default() };
/// let example = config.of_text(text, 4, 0)?.test_batch(0, 0..1);
/// assert_eq!(example.inputs, Inputs::Tokens(vec![u32::from(b't'), 256, 256, 8]));
/// let [u, v, w] = b"uvw".map(|byte| Some(u32::from(byte)));
/// assert_eq!(example.targets, Targets::Tokens(vec![None, u, v, w]));
/// # Ok::<(), subquad_data::TaskError>(())
/// ```
#[derive(Options, Clone, Debug, PartialEq)]
pub struct MaskedBytesConfig {
    /// A text file, as for [`BytesConfig`](crate::BytesConfig).
    #[config(default = "PathBuf::new()")]
    #[option(given)]
    pub path: PathBuf,
    /// Share of the positions that the model has to predict in training: 80 % of them are hidden, 10 % are replaced
    /// by a random byte, and 10 % are left as they are. 0.3 as in M2-BERT.
    #[config(default = 0.3)]
    #[option(range = range::SHARE)]
    pub mask_share: f64,
    /// The same share in tests. 0.15 as in M2-BERT.
    #[config(default = 0.15)]
    #[option(range = range::SHARE)]
    pub test_mask_share: f64,
    /// Largest number of test windows, taken from the start of the last tenth of the text; 0: all.
    #[config(default = 0)]
    pub test_examples: usize,
    /// Share of the training text, the last of it, held out of training for validation, by whose score settings may be chosen; 0: all train.
    #[config(default = 0.1)]
    #[option(range = 0.0..=0.5, before = 0.0)]
    pub validation: f64,
}

impl TaskOptions for MaskedBytesConfig {
    fn info() -> &'static TaskInfo {
        &TaskInfo {
            name: "masked_bytes",
            summary: "predict the hidden bytes of a text, for bidirectional models; scored in bits per byte",
            lengths: "any",
            data: "task.path, a text (.gz too), relative to the current folder or to $SUBQUAD_DATA; empty: an embedded text",
            caption: "Hidden bytes of a text, the last tenth for testing: bits per byte to be predicted.",
            metric: Metric::BitsPerByte,
        }
    }

    fn input(&self) -> InputKind {
        InputKind::Tokens { vocab: VOCAB }
    }

    fn validates(&self) -> bool {
        self.validation > 0.0
    }

    fn target(&self, _: usize) -> TargetKind {
        TargetKind::Tokens { classes: VOCAB }
    }

    fn refusals(&self, seq_len: usize) -> Vec<Refusal> {
        self.refused_by(|| no_byte(seq_len).into_iter().collect())
    }

    fn source(&self) -> Option<(PathBuf, [usize; 2])> {
        Some((self.path.clone(), [0; 2]))
    }

    fn labels(&self, seq_len: usize) -> usize {
        (self.mask_share * seq_len as f64) as usize
    }

    fn open(&self, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
        self.check(seq_len)?;
        open(&self.path, Self::info().name, |text| self.of_text(text, seq_len, seed))
    }
}

impl MaskedBytesConfig {
    /// [`open`](TaskOptions::open) for a given text.
    ///
    /// # Errors
    /// As [`check`](TaskOptions::check); also if the text is too short for the length.
    pub fn of_text(&self, text: Vec<u8>, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
        self.check(seq_len)?;
        let windows =
            Windows::new(text, Self::info().name, [seq_len; 2], self.test_examples, self.validation)?;
        let spec = TaskSpec { validation_len: windows.validations, ..self.spec(seq_len, windows.tests) };
        let examples = Examples::new(Self::info().name, seed, 0);
        Ok(Box::new(MaskedBytes { spec, windows, config: self.clone(), examples }))
    }
}

struct MaskedBytes {
    spec: TaskSpec,
    windows: Windows,
    config: MaskedBytesConfig,
    examples: Examples,
}

impl MaskedBytes {
    /// A batch of examples with what hides them.
    fn batch<'a>(&self, examples: impl ExactSizeIterator<Item = (&'a [u8], Draws)>, share: f64) -> Batch {
        let asked = asked(self.spec.seq_len, share);
        let hidden = examples.map(|(bytes, mut draws)| hide(bytes, asked, &mut draws));
        Batch::of_tokens(self.spec.seq_len, hidden)
    }
}

impl Task for MaskedBytes {
    fn spec(&self) -> &TaskSpec {
        &self.spec
    }

    fn train_batch(&self, step: usize, batch: usize) -> Batch {
        let example = |mut draws| (self.windows.train(&mut draws), draws);
        self.batch(self.examples.train(step, batch).map(example), self.config.mask_share)
    }

    fn validation_batch(&self, range: Range<usize>) -> Batch {
        self.spec.assert_validates(&range);
        let windows = range.clone().map(|window| self.windows.validation(window));
        self.batch(windows.zip(self.examples.validation(range)), self.config.test_mask_share)
    }

    fn test_batch(&self, condition: usize, range: Range<usize>) -> Batch {
        self.spec.assert_has(condition, &range);
        let windows = range.clone().map(|window| self.windows.test(window));
        self.batch(windows.zip(self.examples.test(range)), self.config.test_mask_share)
    }

    fn digest(&self) -> Option<String> {
        Some(self.windows.digest())
    }
}

/// Number of positions of an example that are to be predicted.
fn asked(seq_len: usize, share: f64) -> usize {
    ((seq_len as f64 * share).round() as usize).clamp(1, seq_len)
}

/// The tokens to read, and the labels at `asked` of the positions.
fn hide(bytes: &[u8], asked: usize, draws: &mut Draws) -> (Vec<u32>, Vec<Option<u32>>) {
    let mut inputs: Vec<u32> = bytes.iter().map(|&byte| byte.into()).collect();
    let mut targets = vec![None; bytes.len()];
    for place in draws.distinct(asked, bytes.len()) {
        targets[place] = Some(inputs[place]);
        match draws.below(10) {
            0..8 => inputs[place] = MASK,
            8 => inputs[place] = draws.below(BYTES) as u32,
            _ => {}
        }
    }
    (inputs, targets)
}
