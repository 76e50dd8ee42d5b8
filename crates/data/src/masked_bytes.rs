//! `masked_bytes`: which bytes are hidden? Pre-training of bidirectional models on any text.
//!
//! ```text
//! text:    | first nine tenths: training                | last tenth: testing          |
//! example:        [ seq_len bytes, anywhere ]            [ .. ][ .. ][ .. ]  one after the other
//! ```
//! The rule is BERT's: Devlin et al. 2018, <https://arxiv.org/abs/1810.04805>, section 3.1.

use std::ops::Range;
use std::path::{Path, PathBuf};

use subquad_options::{Options, Refusal, range};

use crate::files::digest;
use crate::text::{no_byte, open, too_short};
use crate::{
    Batch, Condition, Draws, InputKind, Inputs, Metric, Stream, TargetKind, Targets, Task, TaskError,
    TaskInfo, TaskOptions,
};

const BYTES: usize = 256;
/// The token that stands for a hidden byte. It is never an answer, but has a class, so that a head can share the table
/// of tokens.
const MASK: u32 = BYTES as u32;
const VOCAB: usize = BYTES + 1;

/// Options of [`MaskedBytes`].
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
}

impl TaskOptions for MaskedBytesConfig {
    const INFO: TaskInfo = TaskInfo {
        name: "masked_bytes",
        summary: "predict the hidden bytes of a text, for bidirectional models; scored in bits per byte",
        lengths: "any",
        data: "task.path, a text (.gz too), relative to the current folder or to $SUBQUAD_DATA; empty: an embedded text",
        caption: "Hidden bytes of a text, the last tenth for testing: bits per byte to be predicted.",
    };

    fn input(&self) -> InputKind {
        MaskedBytes::INPUT
    }

    fn target(&self, _: usize) -> TargetKind {
        MaskedBytes::TARGET
    }

    fn refusals(&self, seq_len: usize) -> Vec<Refusal> {
        self.refused_by(|| no_byte(seq_len).into_iter().collect())
    }

    fn set_path(&mut self, path: &Path) -> Option<Refusal> {
        self.path = path.to_owned();
        None
    }

    fn source(&self) -> Option<(PathBuf, [usize; 2])> {
        Some((self.path.clone(), [0; 2]))
    }

    fn labels(&self, seq_len: usize) -> usize {
        (self.mask_share * seq_len as f64) as usize
    }

    fn open(&self, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
        Ok(Box::new(MaskedBytes::new(self, seq_len, seed)?))
    }
}

/// The bytes of a text, some of which are to be predicted; the others have no label.
///
/// - Length: any. Tokens are the 256 bytes, and 256 for a hidden one.
/// - Of `seq_len` positions, a share is to be predicted: equally many in every example, at least one. Of these, 80 %
///   read as hidden, 10 % as any byte, and 10 % as they are, so that a model must doubt what it reads.
/// - Split: the first nine tenths of the text are for training, the rest for testing.
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
/// use subquad_data::{Inputs, MaskedBytes, MaskedBytesConfig, Targets, Task};
/// let text = b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx".to_vec();
/// let config = MaskedBytesConfig { test_mask_share: 0.75, ..MaskedBytesConfig::default() };
/// let example = MaskedBytes::of_text(text, &config, 4, 0)?.test_batch(0, 0..1);
/// assert_eq!(example.inputs, Inputs::Tokens(vec![u32::from(b't'), 256, 256, 8]));
/// let [u, v, w] = b"uvw".map(|byte| Some(u32::from(byte)));
/// assert_eq!(example.targets, Targets::Tokens(vec![None, u, v, w]));
/// # Ok::<(), subquad_data::TaskError>(())
/// ```
#[derive(Clone, Debug)]
pub struct MaskedBytes {
    text: Vec<u8>,
    /// Number of bytes for training.
    cut: usize,
    seq_len: usize,
    config: MaskedBytesConfig,
    test_examples: usize,
    train: Stream,
    test: Stream,
}

impl MaskedBytes {
    const INPUT: InputKind = InputKind::Tokens { vocab: VOCAB };
    const TARGET: TargetKind = TargetKind::Tokens { classes: VOCAB };

    /// The task with examples of `seq_len` bytes; `seed` draws those for training.
    ///
    /// # Errors
    /// As [`check`](TaskOptions::check); also if the file is missing, cannot be read, is not UTF-8, or is too short for the
    /// length.
    pub fn new(config: &MaskedBytesConfig, seq_len: usize, seed: u64) -> Result<Self, TaskError> {
        config.check(seq_len)?;
        open(&config.path, MaskedBytesConfig::INFO.name, |text| Self::of_text(text, config, seq_len, seed))
    }

    /// [`new`](Self::new) for a given text.
    ///
    /// # Errors
    /// As [`check`](TaskOptions::check); also if the text is too short for the length.
    pub fn of_text(
        text: Vec<u8>,
        config: &MaskedBytesConfig,
        seq_len: usize,
        seed: u64,
    ) -> Result<Self, TaskError> {
        config.check(seq_len)?;
        let cut = text.len() * 9 / 10;
        let windows = (text.len() - cut) / seq_len;
        if windows == 0 {
            return Err(too_short(MaskedBytesConfig::INFO.name, text.len(), seq_len, seq_len));
        }
        let bound = if config.test_examples == 0 { windows } else { config.test_examples };
        Ok(Self {
            text,
            cut,
            seq_len,
            config: config.clone(),
            test_examples: bound.min(windows),
            train: Stream::new(seed, "masked_bytes/train"),
            // Every seed is tested on the same examples.
            test: Stream::new(0, "masked_bytes/test"),
        })
    }

    /// The examples that start at these bytes, with what hides them.
    fn gather(&self, examples: impl ExactSizeIterator<Item = (usize, Draws)>, share: f64) -> Batch {
        let (batch, asked) = (examples.len(), asked(self.seq_len, share));
        let (mut inputs, mut targets) = (Vec::new(), Vec::new());
        for (start, mut draws) in examples {
            let bytes = &self.text[start..start + self.seq_len];
            let (read, wanted) = hide(bytes, asked, &mut draws);
            inputs.extend(read);
            targets.extend(wanted);
        }
        Batch {
            batch,
            seq_len: self.seq_len,
            inputs: Inputs::Tokens(inputs),
            targets: Targets::Tokens(targets),
        }
    }
}

impl Task for MaskedBytes {
    fn name(&self) -> &'static str {
        MaskedBytesConfig::INFO.name
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

    fn metric(&self) -> Metric {
        Metric::BitsPerByte
    }

    fn train_len(&self) -> Option<usize> {
        None
    }

    fn train_batch(&self, step: usize, batch: usize) -> Batch {
        let starts = self.cut - self.seq_len + 1;
        let example = |i| {
            let mut draws = self.train.at((step * batch + i) as u64, 0);
            (draws.below(starts), draws)
        };
        self.gather((0..batch).map(example), self.config.mask_share)
    }

    fn conditions(&self) -> Vec<Condition> {
        vec![Condition::of_training(self.seq_len, self.test_examples)]
    }

    fn test_batch(&self, condition: usize, range: Range<usize>) -> Batch {
        assert!(condition == 0 && range.end <= self.test_examples, "{range:?} of condition {condition}");
        let example = |window| (self.cut + window * self.seq_len, self.test.at(window as u64, 0));
        self.gather(range.map(example), self.config.test_mask_share)
    }

    fn digest(&self) -> Option<String> {
        Some(digest([self.text.as_slice()]))
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
    for place in places(bytes.len(), asked, draws) {
        targets[place] = Some(inputs[place]);
        match draws.below(10) {
            0..8 => inputs[place] = MASK,
            8 => inputs[place] = draws.below(BYTES) as u32,
            _ => {}
        }
    }
    (inputs, targets)
}

/// `count` different places below `len`: the beginning of a shuffled list.
fn places(len: usize, count: usize, draws: &mut Draws) -> Vec<usize> {
    let mut places: Vec<usize> = (0..len).collect();
    for i in 0..count {
        places.swap(i, i + draws.below(len - i));
    }
    places.truncate(count);
    places
}
