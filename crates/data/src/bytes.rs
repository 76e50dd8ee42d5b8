//! `bytes`: which byte comes next? Language modelling of any text.
//!
//! ```text
//! text:    | first nine tenths: training                  | last tenth: testing               |
//! example:        [ seq_len + 1 bytes, anywhere ]          [ .. ][ .. ][ .. ]  one after the other
//! ```

use std::ops::Range;
use std::path::{Path, PathBuf};

use subquad_options::{Options, Refusal};

use crate::files::digest;
use crate::text::{no_byte, open, too_short};
use crate::{
    Batch, Condition, InputKind, Inputs, Metric, Stream, TargetKind, Targets, Task, TaskError, TaskInfo,
    TaskOptions,
};

const VOCAB: usize = 256;

/// Options of [`Bytes`].
#[derive(Options, Clone, Debug, PartialEq, Eq)]
pub struct BytesConfig {
    /// A text file in UTF-8, which may be gzipped. A relative path is looked for below the current folder, then below
    /// $SUBQUAD_DATA. Empty: the text that comes with the program, 151 kB about sequence models.
    #[config(default = "PathBuf::new()")]
    #[option(given)]
    pub path: PathBuf,
    /// Largest number of test windows, taken from the start of the last tenth of the text; 0: all.
    #[config(default = 0)]
    pub test_examples: usize,
}

impl TaskOptions for BytesConfig {
    const INFO: TaskInfo = TaskInfo {
        name: "bytes",
        summary: "predict the next byte of a text; scored in bits per byte",
        lengths: "any",
        data: "task.path, a text (.gz too), relative to the current folder or to $SUBQUAD_DATA; empty: an embedded text",
        caption: "Bytes of a text, the last tenth for testing, in windows without memory of what came before.",
    };

    fn input(&self) -> InputKind {
        Bytes::INPUT
    }

    fn target(&self, _: usize) -> TargetKind {
        Bytes::TARGET
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

    fn open(&self, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
        Ok(Box::new(Bytes::new(self, seq_len, seed)?))
    }
}

/// The bytes of a text; the answer at every position is the byte that follows.
///
/// - Length: any. Tokens are bytes, 256 of them.
/// - Split: the first nine tenths of the text are for training, the rest for testing.
/// - Training: each example is `seq_len + 1` bytes that start anywhere, fresh in every step. They depend on the seed.
/// - Test: the test part in windows one after the other, so that each of its bytes is predicted once, except the first
///   and those that do not fill a last window. A window starts without memory of what came before it.
/// - Score: bits per byte, the mean negative log-likelihood divided by ln 2. A model that knows nothing has 8.
///
/// One example by hand: of a text of 50 letters, the last five are for testing.
/// ```text
/// text:     abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrs | tuvwx
/// inputs:   t u v w
/// targets:  u v w x
/// ```
/// ```
/// use subquad_data::{Bytes, Inputs, Targets, Task};
/// let text = b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx".to_vec();
/// let task = Bytes::of_text(text, 0, 4, 0)?;
/// let example = task.test_batch(0, 0..1);
/// assert_eq!(example.inputs, Inputs::Tokens(b"tuvw".map(u32::from).to_vec()));
/// assert_eq!(example.targets, Targets::Tokens(b"uvwx".map(|byte| Some(byte.into())).to_vec()));
/// # Ok::<(), subquad_data::TaskError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Bytes {
    text: Vec<u8>,
    /// Number of bytes for training.
    cut: usize,
    seq_len: usize,
    test_examples: usize,
    stream: Stream,
}

impl Bytes {
    const INPUT: InputKind = InputKind::Tokens { vocab: VOCAB };
    const TARGET: TargetKind = TargetKind::Tokens { classes: VOCAB };

    /// The task with examples of `seq_len` bytes; `seed` draws those for training.
    ///
    /// # Errors
    /// If the file is missing, cannot be read, is not UTF-8, or is too short for the length.
    pub fn new(config: &BytesConfig, seq_len: usize, seed: u64) -> Result<Self, TaskError> {
        let of_text = |text| Self::of_text(text, config.test_examples, seq_len, seed);
        open(&config.path, BytesConfig::INFO.name, of_text)
    }

    /// [`new`](Self::new) for a given text.
    ///
    /// # Errors
    /// If it is too short for the length.
    pub fn of_text(
        text: Vec<u8>,
        test_examples: usize,
        seq_len: usize,
        seed: u64,
    ) -> Result<Self, TaskError> {
        BytesConfig::default().check(seq_len)?;
        let cut = text.len() * 9 / 10;
        let windows = (text.len() - cut).saturating_sub(1) / seq_len;
        if windows == 0 {
            // A window and the byte after it.
            return Err(too_short(BytesConfig::INFO.name, text.len(), seq_len, seq_len + 1));
        }
        let test_examples = if test_examples == 0 { windows } else { test_examples.min(windows) };
        Ok(Self { text, cut, seq_len, test_examples, stream: Stream::new(seed, "bytes/train") })
    }

    /// The examples that start at these bytes.
    fn gather(&self, starts: impl ExactSizeIterator<Item = usize>) -> Batch {
        let (batch, mut inputs, mut targets) = (starts.len(), Vec::new(), Vec::new());
        for start in starts {
            let bytes = &self.text[start..=start + self.seq_len];
            inputs.extend(bytes[..self.seq_len].iter().map(|&byte| u32::from(byte)));
            targets.extend(bytes[1..].iter().map(|&byte| Some(u32::from(byte))));
        }
        Batch {
            batch,
            seq_len: self.seq_len,
            inputs: Inputs::Tokens(inputs),
            targets: Targets::Tokens(targets),
        }
    }
}

impl Task for Bytes {
    fn name(&self) -> &'static str {
        BytesConfig::INFO.name
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
        let starts = self.cut - self.seq_len;
        let start = |i| self.stream.at((step * batch + i) as u64, 0).below(starts);
        self.gather((0..batch).map(start))
    }

    fn conditions(&self) -> Vec<Condition> {
        vec![Condition::of_training(self.seq_len, self.test_examples)]
    }

    fn test_batch(&self, condition: usize, range: Range<usize>) -> Batch {
        assert!(condition == 0 && range.end <= self.test_examples, "{range:?} of condition {condition}");
        self.gather(range.map(|window| self.cut + window * self.seq_len))
    }

    fn digest(&self) -> Option<String> {
        Some(digest([self.text.as_slice()]))
    }
}
