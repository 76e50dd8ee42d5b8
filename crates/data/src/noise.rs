//! Band-limited white noise, which `delay` and `reconstruct` read.
//!
//! ```text
//! n = seq_len, one more if odd;  K = bandwidth n / 2, rounded down
//! x_t = rms / sqrt(K) Re sum over k = 1 .. K of (g_k + i h_k) e^(2 pi i k t / n)        g, h normal;  u_t = x_t - x_0
//! ```
//! At the highest possible frequency, k = n / 2, only the real part counts, and only half of it. This is `whitesignal`
//! of Gu, Goel, Re 2021, <https://github.com/state-spaces/s4>, with its factors multiplied out: `K = freq dt n`.

use std::ops::Range;
use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlannerScalar};
use subquad_options::Refusal;

use crate::options::wrong_length;
use crate::rng::Examples;
use crate::{Batch, Draws, Inputs, Targets, Task, TaskSpec};

/// Root mean square of the noise before its first value is subtracted, as published.
const RMS: f64 = 0.5;

/// A task that reads noise, one number a token. `targets` makes the answers of all signals, `[batch, seq]` row-major.
pub(crate) struct NoiseTask<F> {
    spec: TaskSpec,
    noise: Noise,
    targets: F,
}

impl<F: Fn(&[f32]) -> Targets> NoiseTask<F> {
    /// The task of this noise; `spec` may leave out how many training examples there are.
    pub(crate) fn new(spec: TaskSpec, noise: Noise, targets: F) -> Self {
        let spec = TaskSpec { train_len: noise.examples.train_len(), ..spec };
        Self { spec, noise, targets }
    }

    fn batch(&self, draws: impl ExactSizeIterator<Item = Draws>) -> Batch {
        let batch = draws.len();
        let values: Vec<f32> = draws.flat_map(|draws| self.noise.signal(draws)).collect();
        let targets = (self.targets)(&values);
        Batch { batch, seq_len: self.spec.seq_len, inputs: Inputs::Reals { features: 1, values }, targets }
    }
}

impl<F: Fn(&[f32]) -> Targets + Send + Sync> Task for NoiseTask<F> {
    fn spec(&self) -> &TaskSpec {
        &self.spec
    }

    fn train_batch(&self, step: usize, batch: usize) -> Batch {
        self.batch(self.noise.examples.train(step, batch))
    }

    fn validation_batch(&self, range: Range<usize>) -> Batch {
        self.spec.assert_validates(&range);
        self.batch(self.noise.examples.validation(range))
    }

    fn test_batch(&self, condition: usize, range: Range<usize>) -> Batch {
        self.spec.assert_has(condition, &range);
        self.batch(self.noise.examples.test(range))
    }
}

/// Noise of one length and bandwidth, for training and for testing.
pub(crate) struct Noise {
    seq_len: usize,
    /// Number of waves that pass: the lowest ones.
    waves: usize,
    /// From amplitudes of waves to their sum at every token.
    sum: Arc<dyn Fft<f64>>,
    examples: Examples,
}

/// Everything that keeps such noise of `seq_len` tokens from being made, and what the task itself refuses.
pub(crate) fn refusals(
    bandwidth: f64,
    seq_len: usize,
    of_task: impl FnOnce() -> Option<Refusal>,
) -> Vec<Refusal> {
    match seq_len {
        0 | 1 => {
            let rule = "noise starts at zero, so a single token carries no information";
            vec![wrong_length(rule, 2)]
        }
        _ => no_wave(bandwidth, seq_len).into_iter().chain(of_task()).collect(),
    }
}

fn no_wave(bandwidth: f64, seq_len: usize) -> Option<Refusal> {
    Refusal::when(waves(bandwidth, seq_len) == 0, &["bandwidth"], || {
        let least = 1.0 / seq_len.div_ceil(2) as f64;
        format!(
            "bandwidth = {bandwidth:?} leaves no wave that fits into {seq_len} tokens; choose at least {least:?}"
        )
    })
}

fn waves(bandwidth: f64, seq_len: usize) -> usize {
    // A product that rounding left just below a whole number is that number.
    (bandwidth * seq_len.div_ceil(2) as f64 + 1e-9) as usize
}

impl Noise {
    /// The noise of this task; a seed draws the training examples, of which a fixed set has so many; 0: all are fresh.
    pub(crate) fn new(
        task: &str,
        bandwidth: f64,
        seq_len: usize,
        (seed, train_examples): (u64, usize),
    ) -> Self {
        let examples = Examples::new(task, seed, train_examples);
        // The same sums whatever vectors a machine has.
        let sum = FftPlannerScalar::new().plan_fft_inverse(seq_len.next_multiple_of(2));
        Self { seq_len, waves: waves(bandwidth, seq_len), sum, examples }
    }

    /// `u_t`, `[seq]`. The inverse transform, which is not divided by `n`, adds up the waves.
    fn signal(&self, mut draws: Draws) -> Vec<f32> {
        let mut x = self.amplitudes(&mut draws);
        self.sum.process(&mut x);
        x[..self.seq_len].iter().map(|value| (value.re - x[0].re) as f32).collect()
    }

    /// With one wave per frequency.
    fn amplitudes(&self, draws: &mut Draws) -> Vec<Complex<f64>> {
        let n = self.seq_len.next_multiple_of(2);
        let size = RMS / (self.waves as f64).sqrt();
        let mut amplitudes = vec![Complex::default(); n];
        for (k, amplitude) in amplitudes.iter_mut().enumerate().skip(1).take(self.waves) {
            let (re, im) = (f64::from(draws.normal()), f64::from(draws.normal()));
            *amplitude = match 2 * k == n {
                true => Complex { re: size * re / 2.0, im: 0.0 },
                false => Complex { re: size * re, im: size * im },
            };
        }
        amplitudes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stream;

    fn noise(bandwidth: f64, seq_len: usize) -> Noise {
        Noise::new("test", bandwidth, seq_len, (0, 0))
    }

    fn signals(noise: &Noise, range: Range<usize>) -> Vec<Vec<f32>> {
        noise.examples.test(range).map(|draws| noise.signal(draws)).collect()
    }

    /// Squares of the amplitudes of all waves in a signal, by the definition.
    fn power(signal: &[f32]) -> Vec<f64> {
        let n = signal.len();
        let power = |k: usize| {
            let wave = signal.iter().enumerate().map(|(t, u)| {
                let (sin, cos) = (std::f64::consts::TAU * (k * t % n) as f64 / n as f64).sin_cos();
                (f64::from(*u) * cos, f64::from(*u) * sin)
            });
            let (re, im) = wave.fold((0.0, 0.0), |sum, (re, im)| (sum.0 + re, sum.1 + im));
            (re * re + im * im) / (n * n) as f64
        };
        (0..=n / 2).map(power).collect()
    }

    /// Power of f32 rounding errors: (6e-8 x 2)^2 spread over the waves.
    const NO_POWER: f64 = 1e-14;

    #[test]
    fn no_wave_above_the_band_limit_has_power_and_every_wave_below_has() {
        for (bandwidth, seq_len, waves) in [(0.5, 64, 16), (0.2, 100, 10), (0.2, 4000, 400), (1.0, 32, 16)] {
            if seq_len == 4000 {
                assert_eq!(noise(bandwidth, seq_len).waves, waves, "as published for reconstruction");
                continue;
            }
            for signal in signals(&noise(bandwidth, seq_len), 0..3) {
                let power = power(&signal);
                assert!(power[1..=waves].iter().all(|p| *p > 1e3 * NO_POWER), "{power:?}");
                assert!(power[waves + 1..].iter().all(|p| *p < NO_POWER), "{power:?}");
            }
        }
    }

    /// The published recipe: rms sqrt(1/2) per part, divided by sqrt(1 - zeroed / n_c), times sqrt(2 n_c), then an
    /// inverse transform that divides by n and counts both signs of a frequency, and the first sample subtracted.
    #[test]
    fn a_signal_is_the_published_recipe_step_by_step() {
        let (seq_len, bandwidth) = (40, 0.35);
        let (n_c, n) = (20_usize, 40_usize);
        let mut draws = Stream::new(0, "test/test").at(7, 0);
        let zeroed = (0..=n_c).filter(|k| *k as f64 > bandwidth * n_c as f64).count();
        let factor =
            RMS * 0.5_f64.sqrt() / (1.0 - zeroed as f64 / n_c as f64).sqrt() * (2.0 * n_c as f64).sqrt();
        let coefficients: Vec<(f64, f64)> = (1..=n_c - zeroed)
            .map(|_| (factor * f64::from(draws.normal()), factor * f64::from(draws.normal())))
            .collect();
        let x = |t: usize| {
            let waves = coefficients.iter().zip(1..).map(|((re, im), k)| {
                let (sin, cos) = (std::f64::consts::TAU * (k * t) as f64 / n as f64).sin_cos();
                2.0 * (re * cos - im * sin)
            });
            waves.sum::<f64>() / n as f64
        };
        for (t, got) in signals(&noise(bandwidth, seq_len), 7..8).concat().into_iter().enumerate() {
            let wanted = x(t) - x(0);
            assert!((f64::from(got) - wanted).abs() < 1e-6, "t = {t}: {got} for {wanted}"); // f32 of about 1
        }
    }

    #[test]
    fn noise_starts_from_zero_and_has_the_published_size() {
        for seq_len in [101, 128] {
            let signals = signals(&noise(0.4, seq_len), 0..2000);
            assert!(signals.iter().all(|signal| signal.len() == seq_len && signal[0] == 0.0));
            // Far from the start, u_t = x_t - x_0 is the difference of two almost uncorrelated numbers of variance 0.25.
            let mean_square = signals.iter().map(|s| f64::from(s[51]).powi(2)).sum::<f64>() / 2000.0;
            assert!((mean_square - 0.5).abs() < 0.08, "{mean_square}"); // five standard errors of 0.016
        }
    }

    #[test]
    fn one_wave_at_the_nyquist_frequency_alternates() {
        let signal = signals(&noise(1.0, 2), 0..1).concat();
        assert_eq!(signal[0], 0.0);
        assert!(signal[1] != 0.0);
    }
}
