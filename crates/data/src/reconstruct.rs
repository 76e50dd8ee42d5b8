//! `reconstruct`: what were all the latest inputs? A memory's contents, read only at the last token.

use subquad_options::range::{self, LONGEST_SEQ};
use subquad_options::{Options, Refusal, Share};

use crate::noise::{self, Noise, NoiseTask};
use crate::{InputKind, Metric, TargetKind, Targets, Task, TaskError, TaskInfo, TaskOptions};

/// Band-limited white noise whose last `window` values are to be reproduced at the end.
///
/// - Input: noise of root mean square 0.5 that starts from zero, one real per token. It holds `bandwidth * seq_len / 2`
///   waves of random size and phase, and nothing above that frequency. Published: 4,000 tokens, a fifth of Nyquist's
///   frequency (100 Hz at steps of 1e-3 s), window 1,000.
/// - Target: the last `window` inputs, the oldest first, once per sequence. A window of noise has about
///   `bandwidth * window` numbers that nothing else determines: a model that reads fewer from its last token cannot
///   reproduce them all.
/// - Training: every example is fresh. Test: the same examples for every seed.
/// - Loss and score: as for [`DelayConfig`](crate::DelayConfig).
///
/// One example by hand: the first test example of 6 tokens with a window of 3, in hundredths.
/// ```text
/// inputs:   0  -26  -30  -27  -151  -127
/// target:   -27  -151  -127
/// ```
/// ```
/// use subquad_data::{Inputs, ReconstructConfig, Share, Targets, TaskOptions};
/// let config = ReconstructConfig { window: Share::Count(3), bandwidth: 0.7, ..ReconstructConfig::default() };
/// let example = config.open(6, 0)?.test_batch(0, 0..1);
/// let hundredths = |values: &[f32]| values.iter().map(|u| (u * 100.0).round()).collect::<Vec<_>>();
/// let Inputs::Reals { features: 1, values } = example.inputs else { unreachable!() };
/// assert_eq!(hundredths(&values), [0.0, -26.0, -30.0, -27.0, -151.0, -127.0]);
/// let Targets::SequenceReals { outputs: 3, values } = example.targets else { unreachable!() };
/// assert_eq!(hundredths(&values), [-27.0, -151.0, -127.0]);
/// # Ok::<(), subquad_data::TaskError>(())
/// ```
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
    /// Training examples in an epoch; 0: every example is fresh.
    #[config(default = 0)]
    #[option(range = 0..=1 << 26)]
    pub train_examples: usize,
    /// Test examples.
    #[config(default = 100)]
    #[option(range = 1..)]
    pub test_examples: usize,
}

impl TaskOptions for ReconstructConfig {
    fn info() -> &'static TaskInfo {
        &TaskInfo {
            name: "reconstruct",
            summary: "reconstruct the latest values of band-limited noise at the last token; scored by error / variance",
            lengths: "2 or more, and at least the window",
            data: "generated",
            caption: "Reconstruction of the latest noise from the last token. Error: mean squared error over the variance of the \
                target; lower is better, and predicting the mean scores 1.",
            metric: Metric::NormalisedError,
        }
    }

    fn input(&self) -> InputKind {
        InputKind::Reals { features: 1 }
    }

    fn target(&self, seq_len: usize) -> TargetKind {
        TargetKind::SequenceReals { outputs: self.window.at(seq_len) }
    }

    fn refusals(&self, seq_len: usize) -> Vec<Refusal> {
        self.refused_by(|| noise::refusals(self.bandwidth, seq_len, || self.not_read(seq_len)))
    }

    fn open(&self, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
        self.check(seq_len)?;
        let window = self.window.at(seq_len);
        let targets = move |signals: &[f32]| {
            let values = signals.chunks(seq_len).flat_map(|signal| &signal[seq_len - window..]);
            Targets::SequenceReals { outputs: window, values: values.copied().collect() }
        };
        let noise = Noise::new(Self::info().name, self.bandwidth, seq_len, (seed, self.train_examples));
        Ok(Box::new(NoiseTask::new(self.spec(seq_len, self.test_examples), noise, targets)))
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
