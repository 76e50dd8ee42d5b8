//! `delay`: what was the input some tokens ago? It needs a memory of fixed reach, read at every token.

use std::iter::repeat_n;

use subquad_options::range::{self, LONGEST_SEQ};
use subquad_options::{Options, Refusal, Share};

use crate::noise::{self, Noise, NoiseTask};
use crate::{InputKind, Metric, TargetKind, Targets, Task, TaskError, TaskInfo, TaskOptions};

/// Band-limited white noise, to be repeated `lag` tokens later.
///
/// - Input: noise of root mean square 0.5 that starts from zero, one real per token. It holds `bandwidth * seq_len / 2`
///   waves of random size and phase, and nothing above that frequency. Published: 4,000 tokens, half of Nyquist's
///   frequency (1,000 Hz at steps of 2.5e-4 s), lag 1,000.
/// - Target: the input `lag` tokens earlier, 0 before there is one. Every position counts.
/// - Training: every example is fresh. Test: the same examples for every seed.
/// - Loss: mean squared error. Score: that error divided by the variance of the target about its mean, both over all
///   test numbers. 0 is perfect, 1 is what predicting the mean scores. Published work gives the error itself and the
///   variance of the input.
///
/// One example by hand: the first test example of 6 tokens with lag 2, in hundredths.
/// ```text
/// inputs:   0  25  -13  -15  -35  -59
/// targets:  0   0    0   25  -13  -15
/// ```
/// ```
/// use subquad_data::{DelayConfig, Inputs, Share, Targets, TaskOptions};
/// let config = DelayConfig { lag: Share::Count(2), bandwidth: 0.7, ..DelayConfig::default() };
/// let example = config.open(6, 0)?.test_batch(0, 0..1);
/// let hundredths = |values: &[f32]| values.iter().map(|u| (u * 100.0).round()).collect::<Vec<_>>();
/// let Inputs::Reals { features: 1, values } = example.inputs else { unreachable!() };
/// assert_eq!(hundredths(&values), [0.0, 25.0, -13.0, -15.0, -35.0, -59.0]);
/// let Targets::TokenReals { outputs: 1, values } = example.targets else { unreachable!() };
/// assert_eq!(hundredths(&values), [0.0, 0.0, 0.0, 25.0, -13.0, -15.0]);
/// # Ok::<(), subquad_data::TaskError>(())
/// ```
#[derive(Options, Clone, Debug, PartialEq)]
pub struct DelayConfig {
    /// How many tokens ago the input to repeat was: below seq_len. "seq_len/4" is 1000 at 4000 tokens, as published.
    #[config(default = "Share::OfLength(4)")]
    #[option(range = 1..LONGEST_SEQ)]
    pub lag: Share,
    /// Highest frequency of the noise, as a share of the Nyquist frequency: its shortest wave is 2 / bandwidth tokens long.
    /// 0.5 as published (1000 Hz at steps of 2.5e-4 s).
    #[config(default = 0.5)]
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

impl TaskOptions for DelayConfig {
    fn info() -> &'static TaskInfo {
        &TaskInfo {
            name: "delay",
            summary: "repeat band-limited noise some tokens later; scored by error / variance",
            lengths: "2 or more, and above the lag",
            data: "generated",
            caption: "Delay: the noise of some tokens ago. Error: mean squared error over the variance of the target; \
                lower is better, and predicting the mean scores 1.",
            metric: Metric::NormalisedError,
        }
    }

    fn input(&self) -> InputKind {
        InputKind::Reals { features: 1 }
    }

    fn target(&self, _: usize) -> TargetKind {
        TargetKind::TokenReals { outputs: 1 }
    }

    fn refusals(&self, seq_len: usize) -> Vec<Refusal> {
        self.refused_by(|| noise::refusals(self.bandwidth, seq_len, || self.nothing_to_repeat(seq_len)))
    }

    fn open(&self, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
        self.check(seq_len)?;
        let lag = self.lag.at(seq_len);
        let targets = move |signals: &[f32]| {
            let later = |signal: &[f32]| repeat_n(0.0, lag).chain(signal[..seq_len - lag].to_vec());
            Targets::TokenReals { outputs: 1, values: signals.chunks(seq_len).flat_map(later).collect() }
        };
        let noise = Noise::new(Self::info().name, self.bandwidth, seq_len, (seed, self.train_examples));
        Ok(Box::new(NoiseTask::new(self.spec(seq_len, self.test_examples), noise, targets)))
    }
}

impl DelayConfig {
    fn nothing_to_repeat(&self, seq_len: usize) -> Option<Refusal> {
        let (lag, most) = (self.lag.at(seq_len), seq_len - 1);
        Refusal::when(!(1..=most).contains(&lag), &["lag"], || {
            format!(
                "lag = {lag} at {seq_len} tokens, but it must be 1 to {most}, so that there is something to repeat"
            )
        })
    }
}
