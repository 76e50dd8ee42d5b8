//! `bytes`: which byte comes next? Language modelling of any text.
//!
//! ```text
//! text:    | first nine tenths: training                  | last tenth: testing               |
//! example:        [ seq_len + 1 bytes, anywhere ]          [ .. ][ .. ][ .. ]  one after the other
//! ```

use std::ops::Range;
use std::path::PathBuf;

use subquad_options::{Options, Refusal};

use crate::text::{Windows, no_byte, open};
use crate::{Batch, InputKind, Metric, Stream, TargetKind, Task, TaskError, TaskInfo, TaskOptions, TaskSpec};

const VOCAB: usize = 256;

/// The bytes of a text; the answer at every position is the byte that follows.
///
/// - Length: any. Tokens are bytes, 256 of them.
/// - Split: the first nine tenths of the text are for training, the rest for testing; the last tenth of the former validates.
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
/// use subquad_data::{BytesConfig, Inputs, Targets};
/// let text = b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwx".to_vec();
/// let task = BytesConfig::default().of_text(text, 4, 0)?;
/// let example = task.test_batch(0, 0..1);
/// assert_eq!(example.inputs, Inputs::Tokens(b"tuvw".map(u32::from).to_vec()));
/// assert_eq!(example.targets, Targets::Tokens(b"uvwx".map(|byte| Some(byte.into())).to_vec()));
/// # Ok::<(), subquad_data::TaskError>(())
/// ```
#[derive(Options, Clone, Debug, PartialEq)]
pub struct BytesConfig {
    /// A text file in UTF-8, which may be gzipped. A relative path is looked for below the current folder, then below
    /// $SUBQUAD_DATA. Empty: the text that comes with the program, 151 kB about sequence models.
    #[config(default = "PathBuf::new()")]
    #[option(given)]
    pub path: PathBuf,
    /// Largest number of test windows, taken from the start of the last tenth of the text; 0: all.
    #[config(default = 0)]
    pub test_examples: usize,
    /// Share of the training text, the last of it, held out of training for validation, by whose score settings may be chosen; 0: all train.
    #[config(default = 0.1)]
    #[option(range = 0.0..=0.5, before = 0.0)]
    pub validation: f64,
}

impl TaskOptions for BytesConfig {
    fn info() -> &'static TaskInfo {
        &TaskInfo {
            name: "bytes",
            summary: "predict the next byte of a text; scored in bits per byte",
            lengths: "any",
            data: "task.path, a text (.gz too), relative to the current folder or to $SUBQUAD_DATA; empty: an embedded text",
            caption: "Bytes of a text, the last tenth for testing, in windows without memory of what came before.",
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

    fn open(&self, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
        open(&self.path, Self::info().name, |text| self.of_text(text, seq_len, seed))
    }
}

impl BytesConfig {
    /// [`open`](TaskOptions::open) for a given text.
    ///
    /// # Errors
    /// If it is too short for the length.
    pub fn of_text(&self, text: Vec<u8>, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
        self.check(seq_len)?;
        let windows = Windows::new(
            text,
            Self::info().name,
            [seq_len, seq_len + 1],
            self.test_examples,
            self.validation,
        )?;
        let spec = TaskSpec { validation_len: windows.validations, ..self.spec(seq_len, windows.tests) };
        let stream = Stream::new(seed, "bytes/train");
        Ok(Box::new(Bytes { spec, windows, stream }))
    }
}

struct Bytes {
    spec: TaskSpec,
    windows: Windows,
    stream: Stream,
}

impl Bytes {
    fn batch<'a>(&self, windows: impl ExactSizeIterator<Item = &'a [u8]>) -> Batch {
        let example = |bytes: &[u8]| {
            let (read, next) = (bytes[..bytes.len() - 1].iter(), bytes[1..].iter());
            (read.map(|&byte| u32::from(byte)).collect(), next.map(|&byte| Some(byte.into())).collect())
        };
        Batch::of_tokens(self.spec.seq_len, windows.map(example))
    }
}

impl Task for Bytes {
    fn spec(&self) -> &TaskSpec {
        &self.spec
    }

    fn train_batch(&self, step: usize, batch: usize) -> Batch {
        let window = |i| self.windows.train(&mut self.stream.at((step * batch + i) as u64, 0));
        self.batch((0..batch).map(window))
    }

    fn validation_batch(&self, range: Range<usize>) -> Batch {
        self.spec.assert_validates(&range);
        self.batch(range.map(|window| self.windows.validation(window)))
    }

    fn test_batch(&self, condition: usize, range: Range<usize>) -> Batch {
        self.spec.assert_has(condition, &range);
        self.batch(range.map(|window| self.windows.test(window)))
    }

    fn digest(&self) -> Option<String> {
        Some(self.windows.digest())
    }
}
