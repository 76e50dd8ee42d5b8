//! The definition in f64. Tests compare against it.

use rustfft::FftPlannerScalar;
use rustfft::num_complex::Complex;

/// Tokens up to which every product is made and summed by itself. From there on that would take minutes, and two FFTs in f64
/// make the same sums with errors of 1e-15.
const DIRECT: usize = 1 << 14;

/// `y_t = sum over s <= t of k_{t-s} u_s`, one channel.
pub fn causal_conv(u: &[f64], kernel: &[f64]) -> Vec<f64> {
    two_sided_conv(u, kernel, &[])
}

/// [`causal_conv`] plus `sum over s > t of r_{s-t-1} u_s`, one channel.
pub fn two_sided_conv(u: &[f64], kernel: &[f64], reverse: &[f64]) -> Vec<f64> {
    match u.len() <= DIRECT {
        true => direct(u, kernel, reverse),
        false => by_fft(u, kernel, reverse),
    }
}

/// Loops, quadratic.
fn direct(u: &[f64], kernel: &[f64], reverse: &[f64]) -> Vec<f64> {
    let tap = |t: usize, s: usize| match s <= t {
        true => kernel.get(t - s).copied().unwrap_or(0.0),
        false => reverse.get(s - t - 1).copied().unwrap_or(0.0),
    };
    (0..u.len()).map(|t| (0..u.len()).map(|s| tap(t, s) * u[s]).sum()).collect()
}

/// A circular convolution that is long enough to hold the taps of both sides.
fn by_fft(u: &[f64], kernel: &[f64], reverse: &[f64]) -> Vec<f64> {
    let (seq, n) = (u.len(), (2 * u.len()).next_power_of_two());
    let mut taps = vec![0.0; n];
    taps.iter_mut().zip(kernel.iter().take(seq)).for_each(|(to, tap)| *to = *tap);
    taps.iter_mut().rev().zip(reverse.iter().take(seq - 1)).for_each(|(to, tap)| *to = *tap);
    // Vectors in f64 would only make the build longer: no program waits for them.
    let mut planner = FftPlannerScalar::new();
    let mut spectrum = |values: &[f64]| {
        let mut points = vec![Complex::new(0.0, 0.0); n];
        points.iter_mut().zip(values).for_each(|(point, value)| point.re = *value);
        planner.plan_fft_forward(n).process(&mut points);
        points
    };
    let mut product: Vec<_> = spectrum(u).iter().zip(spectrum(&taps)).map(|(u, k)| u * k).collect();
    planner.plan_fft_inverse(n).process(&mut product);
    product[..seq].iter().map(|y| y.re / n as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeded;

    #[test]
    fn long_sums_are_the_direct_ones() {
        let seq = 1000;
        for (taps, reverse) in [(seq, 0), (seq, seq), (seq + 7, seq + 7), (3, 5)] {
            let [u, k, r] = [(seq, 1), (taps, 2), (reverse, 3)].map(|(n, seed)| seeded(n, seed));
            let (direct, fft) = (direct(&u, &k, &r), by_fft(&u, &k, &r));
            let error = direct.iter().zip(&fft).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(error < 1e-10, "{taps} and {reverse} taps: {error:.1e}");
        }
    }
}
