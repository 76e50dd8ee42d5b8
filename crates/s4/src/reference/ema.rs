//! The exponential moving average by definition, and what `bench` measures of it.

use subquad_mixer::{MeasuredMixer, Sizes};

use crate::EmaConfig;

/// `h_t = a h_{t-1} + (1 - a) x_t` for one channel, from `h = 0`; `a = sigmoid(logit)`.
pub fn ema(logit: f64, x: impl Iterator<Item = f64>) -> Vec<f64> {
    let a = 1.0 / (1.0 + (-logit).exp());
    let average = |h: &mut f64, x: f64| {
        *h = a * *h + (1.0 - a) * x;
        Some(*h)
    };
    x.scan(0.0, average).collect()
}

impl MeasuredMixer for EmaConfig {
    const NAME: &'static str = "ema";
    const SUMMARY: &'static str =
        "exponential moving average, one real state per channel: the simplest state space; causal only";
    const MEASURED: &'static str = "exponential moving average: causal, reach 16";

    fn definition(sizes: &Sizes, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
        let d_model = sizes.d_model;
        let channel = |c: usize| ema(parameters[0][c], x.iter().skip(c).step_by(d_model).copied());
        let channels: Vec<Vec<f64>> = (0..d_model).map(channel).collect();
        (0..x.len()).map(|i| channels[i % d_model][i / d_model]).collect()
    }

    fn alive(sizes: &Sizes) -> f64 {
        6.0 * sizes.elements() as f64
    }
}
