//! What the filter network reads, and the decay on its output: functions of only the position, in f64.
//!
//! ```text
//! t_l = l / (l_max - 1)
//! z_l = [t_l, cos(f_b 2 pi l / l_max).., -sin(f_b 2 pi l / l_max)..]      f_b evenly spaced, b < (emb_dim - 1) / 2
//! decay_lh = exp(-t_l |delta_h|)
//! ```

use std::f64::consts::TAU;

/// The decay of the slowest channel: down to 1 % after 1.5 times the filter's length.
const SLOWEST: f64 = 1.5;
/// The decay of the fastest channel: down to 1 % after 0.3 of the filter's length.
const FASTEST: f64 = 0.3;
const DECAYED: f64 = 1e-2;
/// Lowest frequency. It is not 0, for which the sine would always be 0.
const LOWEST_FREQUENCY: f64 = 1e-4;

/// Positions from 0 to 1: `[l_max]`.
pub(crate) fn positions(l_max: usize) -> Vec<f64> {
    linspace(0.0, 1.0, l_max)
}

/// Positional features, row-major `[l_max, emb_dim]`.
pub(crate) fn positional(l_max: usize, emb_dim: usize) -> Vec<f64> {
    let bands = (emb_dim - 1) / 2;
    let frequencies = linspace(LOWEST_FREQUENCY, bands as f64 - 1.0, bands);
    let row = |(l, t): (usize, f64)| {
        let angles = frequencies.iter().map(move |f| f * TAU * l as f64 / l_max as f64);
        std::iter::once(t).chain(angles.clone().map(f64::cos)).chain(angles.map(|a| -a.sin()))
    };
    positions(l_max).into_iter().enumerate().flat_map(row).collect()
}

/// The decay rate of each channel: `[d_model]`, all negative.
pub(crate) fn rates(d_model: usize) -> Vec<f64> {
    linspace(DECAYED.ln() / SLOWEST, DECAYED.ln() / FASTEST, d_model)
}

/// `exp(-t |rate|)`, row-major `[positions, rates]`.
pub(crate) fn decay(positions: &[f64], rates: &[f64]) -> Vec<f64> {
    positions.iter().flat_map(|t| rates.iter().map(move |rate| (-t * rate.abs()).exp())).collect()
}

/// `n` evenly spaced numbers from `first` to `last`; only `[first]` for `n = 1`.
fn linspace(first: f64, last: f64, n: usize) -> Vec<f64> {
    let step = (last - first) / n.saturating_sub(1).max(1) as f64;
    (0..n).map(|i| first + step * i as f64).collect()
}

#[cfg(test)]
mod tests {
    use std::f64::consts::FRAC_1_SQRT_2;

    use super::*;

    /// The expected numbers are given to ten digits.
    const DIGITS: f64 = 1e-9;

    fn assert_close(actual: &[f64], expected: &[f64]) {
        assert_eq!(actual.len(), expected.len());
        assert!(actual.iter().zip(expected).all(|(a, e)| (a - e).abs() < DIGITS), "{actual:?} {expected:?}");
    }

    #[test]
    fn two_bands_over_eight_positions_have_their_known_features() {
        let features = positional(8, 5);
        assert_close(&features[..5], &[0.0, 1.0, 1.0, 0.0, 0.0]);
        let second = [0.1428571429, 0.9999999969, FRAC_1_SQRT_2, -0.0000785398, -FRAC_1_SQRT_2];
        assert_close(&features[5..10], &second);
    }

    #[test]
    fn four_channels_have_their_known_decay_rates() {
        assert_close(&rates(4), &[-3.0701134573, -7.1635980671, -11.2570826769, -15.3505672866]);
    }

    #[test]
    fn one_position_and_one_channel_are_enough() {
        assert_close(&positional(1, 3), &[0.0, 1.0, 0.0]);
        assert_close(&decay(&positions(1), &rates(1)), &[1.0]);
    }
}
