//! `reconstruct`: what were all the latest inputs? A memory's contents, read only at the last token.

use std::ops::Range;

use subquad_options::range::{self, LONGEST_SEQ};
use subquad_options::{Options, Refusal, Share};

use crate::noise::{self, NoiseConfig};
use crate::{
    Batch, Condition, InputKind, Inputs, Metric, TargetKind, Targets, Task, TaskError, TaskInfo, TaskOptions,
};

/// Options of [`Reconstruct`].
#[derive(Options, Clone, Debug, PartialEq)]
pub struct ReconstructConfig {
    /// How many of the latest inputs to reconstruct from the last token: at most seq_len. "seq_len/4" is 1000 at 4000 tokens, as
    /// published.
    #[config(default = "Share::OfLength(4)")]
    #[option(range = 1..=LONGEST_SEQ)]
    pub window: Share,
    /// Highest frequency of the noise, as a share of the Nyquist frequency: its shortest wave is 2 / bandwidth tokens long.
    /// 0.2 as published (100 Hz at steps of 1e-3 s).
    #[config(default = 0.2)]
    #[option(range = range::SHARE)]
    pub bandwidth: f64,
    /// Test examples.
    #[config(default = 100)]
    #[option(range = 1..)]
    pub test_examples: usize,
}

impl TaskOptions for ReconstructConfig {
    const INFO: TaskInfo = TaskInfo {
        name: "reconstruct",
        summary: "reconstruct the latest values of band-limited noise at the last token; scored by error / variance",
        lengths: "2 or more, and at least the window",
        data: "generated",
        caption: "Reconstruction of the latest noise from the last token. Error: mean squared error over the variance of the \
            target; lower is better, and predicting the mean scores 1.",
    };

    fn input(&self) -> InputKind {
        Reconstruct::INPUT
    }

    fn target(&self, seq_len: usize) -> TargetKind {
        TargetKind::SequenceReals { outputs: self.window.at(seq_len) }
    }

    fn refusals(&self, seq_len: usize) -> Vec<Refusal> {
        self.refused_by(|| noise::refusals(self.bandwidth, seq_len, || self.not_read(seq_len)))
    }

    fn open(&self, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
        Ok(Box::new(Reconstruct::new(self, seq_len, seed)?))
    }
}

impl ReconstructConfig {
    fn not_read(&self, seq_len: usize) -> Option<Refusal> {
        let window = self.window.at(seq_len);
        Refusal::when(!(1..=seq_len).contains(&window), &["window"], || {
            format!(
                "window = {window} at {seq_len} tokens, but it must be 1 to {seq_len}, because only inputs that were read can \
                 be reconstructed"
            )
        })
    }
}

/// Band-limited white noise whose last `window` values are to be reproduced at the end.
///
/// - Input: noise of root mean square 0.5 that starts from zero, one real per token. It holds `bandwidth * seq_len / 2`
///   waves of random size and phase, and nothing above that frequency. Published: 4,000 tokens, a fifth of Nyquist's
///   frequency (100 Hz at steps of 1e-3 s), window 1,000.
/// - Target: the last `window` inputs, the oldest first, once per sequence. A window of noise has about
///   `bandwidth * window` numbers that nothing else determines: a model that reads fewer from its last token cannot
///   reproduce them all.
/// - Training: every example is fresh. Test: the same examples for every seed.
/// - Loss: mean squared error. Score: that error divided by the variance of the target about its mean, both over all
///   test numbers. 0 is perfect, 1 is what predicting the mean scores. Published work gives the error itself and the
///   variance of the input.
///
/// One example by hand: the first test example of 6 tokens with a window of 3, in hundredths.
/// ```text
/// inputs:   0  -26  -30  -27  -151  -127
/// target:   -27  -151  -127
/// ```
/// ```
/// use subquad_data::{Inputs, Reconstruct, ReconstructConfig, Share, Targets, Task};
/// let config = ReconstructConfig { window: Share::Count(3), bandwidth: 0.7, ..ReconstructConfig::default() };
/// let example = Reconstruct::new(&config, 6, 0)?.test_batch(0, 0..1);
/// let hundredths = |values: &[f32]| values.iter().map(|u| (u * 100.0).round()).collect::<Vec<_>>();
/// let Inputs::Reals { features: 1, values } = example.inputs else { unreachable!() };
/// assert_eq!(hundredths(&values), [0.0, -26.0, -30.0, -27.0, -151.0, -127.0]);
/// let Targets::SequenceReals { outputs: 3, values } = example.targets else { unreachable!() };
/// assert_eq!(hundredths(&values), [-27.0, -151.0, -127.0]);
/// # Ok::<(), subquad_data::TaskError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reconstruct {
    noise: noise::Noise,
    window: usize,
}

impl Reconstruct {
    const INPUT: InputKind = InputKind::Reals { features: 1 };

    /// The task with examples of `seq_len` tokens; `seed` draws those for training.
    ///
    /// # Errors
    /// As [`check`](TaskOptions::check).
    pub fn new(config: &ReconstructConfig, seq_len: usize, seed: u64) -> Result<Self, TaskError> {
        config.check(seq_len)?;
        let ReconstructConfig { window, bandwidth, test_examples } = *config;
        let noise = NoiseConfig { task: ReconstructConfig::INFO.name, bandwidth, test_examples };
        Ok(Self { noise: noise.noise(seq_len, seed), window: window.at(seq_len) })
    }

    fn batch(&self, signals: impl ExactSizeIterator<Item = Vec<f32>>) -> Batch {
        let (batch, mut inputs, mut targets) = (signals.len(), Vec::new(), Vec::new());
        for signal in signals {
            targets.extend(&signal[signal.len() - self.window..]);
            inputs.extend(signal);
        }
        Batch {
            batch,
            seq_len: self.noise.seq_len(),
            inputs: Inputs::Reals { features: 1, values: inputs },
            targets: Targets::SequenceReals { outputs: self.window, values: targets },
        }
    }
}

impl Task for Reconstruct {
    fn name(&self) -> &'static str {
        ReconstructConfig::INFO.name
    }

    fn seq_len(&self) -> usize {
        self.noise.seq_len()
    }

    fn input(&self) -> InputKind {
        Self::INPUT
    }

    fn target(&self) -> TargetKind {
        TargetKind::SequenceReals { outputs: self.window }
    }

    fn metric(&self) -> Metric {
        Metric::NormalisedError
    }

    fn train_len(&self) -> Option<usize> {
        None
    }

    fn train_batch(&self, step: usize, batch: usize) -> Batch {
        self.batch(self.noise.train_signals(step, batch))
    }

    fn conditions(&self) -> Vec<Condition> {
        self.noise.conditions()
    }

    fn test_batch(&self, condition: usize, range: Range<usize>) -> Batch {
        assert_eq!(condition, 0, "reconstruct tests under one condition");
        self.batch(self.noise.test_signals(range))
    }
}
