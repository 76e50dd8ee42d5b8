//! `delay`: what was the input some tokens ago? A memory of fixed reach, read at every token.

use std::ops::Range;

use crate::noise::{self, NoiseConfig};
use crate::{Batch, Condition, InputKind, Inputs, Metric, TargetKind, Targets, Task, TaskError, TaskInfo};

/// Options of [`Delay`].
#[derive(Clone, Debug, PartialEq)]
pub struct DelayConfig {
    /// How many tokens ago: at least 1, and fewer than the sequence has.
    pub lag: usize,
    /// Highest frequency of the noise as a share of the Nyquist frequency, in (0, 1]: its shortest wave is `2 / bandwidth` tokens
    /// long.
    pub bandwidth: f64,
    /// Test examples.
    pub test_examples: usize,
}

impl Default for DelayConfig {
    /// As published for 4,000 tokens: lag 1,000; time step 2.5e-4 s and frequencies up to 1,000 Hz, half of Nyquist's 2,000.
    fn default() -> Self {
        Self { lag: 1000, bandwidth: 0.5, test_examples: 100 }
    }
}

/// Band-limited white noise, to be repeated `lag` tokens later.
///
/// - Input: noise of root mean square 0.5 that starts from zero, one real a token. It holds `bandwidth * seq_len / 2` waves of
///   random size and phase, and nothing above. Published: 4,000 tokens, half of Nyquist's frequency (1,000 Hz at steps of
///   2.5e-4 s), lag 1,000.
/// - Target: the input `lag` tokens earlier, 0 before there is one. Every position counts.
/// - Training: every example is fresh. Test: the same examples for every seed.
/// - Loss: mean squared error. Score: that error over the variance of the target about its mean, both over all test numbers. 0 is
///   perfect, 1 is what predicting the mean scores. Published work gives the error itself, beside the variance of the input.
///
/// One example by hand: the first test example of 6 tokens with lag 2, in hundredths.
/// ```text
/// inputs:   0  25  -13  -15  -35  -59
/// targets:  0   0    0   25  -13  -15
/// ```
/// ```
/// use subquad_data::{Delay, DelayConfig, Inputs, Targets, Task};
/// let config = DelayConfig { lag: 2, bandwidth: 0.7, ..DelayConfig::default() };
/// let example = Delay::new(&config, 6, 0)?.test_batch(0, 0..1);
/// let hundredths = |values: &[f32]| values.iter().map(|u| (u * 100.0).round()).collect::<Vec<_>>();
/// let Inputs::Reals { features: 1, values } = example.inputs else { unreachable!() };
/// assert_eq!(hundredths(&values), [0.0, 25.0, -13.0, -15.0, -35.0, -59.0]);
/// let Targets::TokenReals { outputs: 1, values } = example.targets else { unreachable!() };
/// assert_eq!(hundredths(&values), [0.0, 0.0, 0.0, 25.0, -13.0, -15.0]);
/// # Ok::<(), subquad_data::TaskError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Delay {
    noise: noise::Noise,
    lag: usize,
}

impl Delay {
    pub(crate) const INPUT: InputKind = InputKind::Reals { features: 1 };
    pub(crate) const TARGET: TargetKind = TargetKind::TokenReals { outputs: 1 };
    pub(crate) const INFO: TaskInfo = TaskInfo {
        name: "delay",
        summary: "repeat band-limited noise some tokens later; scored by error / variance",
        lengths: "2 and more, above the lag",
        data: "made by the program",
        caption: "Delay: the noise of some tokens ago. Error: mean squared error over the variance of the target; \
            lower is better, and predicting the mean scores 1.",
        check: |seq_len| noise::check_length("delay", seq_len),
    };

    /// Whether the task has this length with these options.
    ///
    /// # Errors
    /// [`TaskError::Length`] or [`TaskError::Options`].
    pub fn check(config: &DelayConfig, seq_len: usize) -> Result<(), TaskError> {
        noise_config(config).check(seq_len)?;
        if (1..seq_len).contains(&config.lag) {
            return Ok(());
        }
        let problem = format!(
            "lag = {} at {seq_len} tokens, but it must be 1 to {}, so that there is something to repeat",
            config.lag,
            seq_len - 1
        );
        Err(TaskError::Options { task: Self::INFO.name, options: &["lag"], problem })
    }

    /// The task with examples of `seq_len` tokens; `seed` draws those that train.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn new(config: &DelayConfig, seq_len: usize, seed: u64) -> Result<Self, TaskError> {
        Self::check(config, seq_len)?;
        Ok(Self { noise: noise_config(config).noise(seq_len, seed), lag: config.lag })
    }

    fn batch(&self, signals: impl ExactSizeIterator<Item = Vec<f32>>) -> Batch {
        let (batch, mut inputs, mut targets) = (signals.len(), Vec::new(), Vec::new());
        for signal in signals {
            targets.extend(std::iter::repeat_n(0.0, self.lag));
            targets.extend(&signal[..signal.len() - self.lag]);
            inputs.extend(signal);
        }
        Batch {
            batch,
            seq_len: self.noise.seq_len(),
            inputs: Inputs::Reals { features: 1, values: inputs },
            targets: Targets::TokenReals { outputs: 1, values: targets },
        }
    }
}

fn noise_config(config: &DelayConfig) -> NoiseConfig {
    let DelayConfig { bandwidth, test_examples, lag: _ } = *config;
    NoiseConfig { task: Delay::INFO.name, bandwidth, test_examples }
}

impl Task for Delay {
    fn name(&self) -> &'static str {
        Self::INFO.name
    }

    fn seq_len(&self) -> usize {
        self.noise.seq_len()
    }

    fn input(&self) -> InputKind {
        Self::INPUT
    }

    fn target(&self) -> TargetKind {
        Self::TARGET
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
        assert_eq!(condition, 0, "delay tests under one condition");
        self.batch(self.noise.test_signals(range))
    }
}
