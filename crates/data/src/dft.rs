//! The sum of waves with given amplitudes, at every token: an inverse discrete Fourier transform of any length.
//!
//! ```text
//! x_t = sum over k < n of X_k e^(2 pi i k t / n)        t = 0 .. n - 1, not divided by n
//! n = p m, p the smallest prime factor: p sums of m waves each, k = p j + r, are put together by e^(2 pi i r t / n)
//! ```
//! Cooley and Tukey 1965. The time is n times the sum of the prime factors of n.

/// A complex number.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Complex {
    pub(crate) re: f64,
    pub(crate) im: f64,
}

impl Complex {
    /// This number plus `a b`.
    fn plus_product(self, a: Self, b: Self) -> Self {
        Self { re: self.re + a.re * b.re - a.im * b.im, im: self.im + a.re * b.im + a.im * b.re }
    }
}

/// Sums of `n` waves. The roots of unity are made once.
#[derive(Clone, Debug)]
pub(crate) struct Waves {
    /// e^(2 pi i t / n)
    roots: Vec<Complex>,
}

impl Waves {
    pub(crate) fn new(n: usize) -> Self {
        let root = |t: usize| {
            let (im, re) = (std::f64::consts::TAU * t as f64 / n as f64).sin_cos();
            Complex { re, im }
        };
        Self { roots: (0..n).map(root).collect() }
    }

    /// `x_t` of `n` amplitudes.
    pub(crate) fn sum(&self, amplitudes: &[Complex]) -> Vec<Complex> {
        assert_eq!(amplitudes.len(), self.roots.len(), "one amplitude a frequency");
        self.part(amplitudes, 1)
    }

    /// The sum of every `stride`-th wave, as one of `n / stride`.
    fn part(&self, amplitudes: &[Complex], stride: usize) -> Vec<Complex> {
        let n = self.roots.len() / stride;
        let Some(p) = smallest_factor(n) else { return amplitudes[..1].to_vec() };
        let parts: Vec<_> = (0..p).map(|r| self.part(&amplitudes[r * stride..], p * stride)).collect();
        let together = |t: usize| {
            let waves = parts.iter().enumerate().map(|(r, part)| (r * t % n, part[t % (n / p)]));
            waves.fold(Complex::default(), |sum, (turn, wave)| {
                sum.plus_product(self.roots[turn * stride], wave)
            })
        };
        (0..n).map(together).collect()
    }
}

/// The smallest prime factor; 1 has none.
fn smallest_factor(n: usize) -> Option<usize> {
    let factors = (2..).take_while(|p| p * p <= n);
    (n > 1).then(|| factors.into_iter().find(|p| n.is_multiple_of(*p)).unwrap_or(n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stream;

    /// f64 rounding of up to 1009 terms of size 1, of which the sum has size 40.
    const ABS_TOL: f64 = 1e-11;

    #[test]
    fn the_sum_is_the_definition_at_every_kind_of_length() {
        for n in [1, 2, 3, 4, 5, 12, 97, 100, 128, 1000, 1009] {
            let mut draws = Stream::new(0, "test").at(n as u64, 0);
            let mut number = || f64::from(draws.normal());
            let amplitudes: Vec<_> = (0..n).map(|_| Complex { re: number(), im: number() }).collect();
            for (t, got) in Waves::new(n).sum(&amplitudes).into_iter().enumerate().step_by(1 + n / 20) {
                let wanted = (0..n).fold(Complex::default(), |sum, k| {
                    let (im, re) = (std::f64::consts::TAU * (k * t % n) as f64 / n as f64).sin_cos();
                    sum.plus_product(amplitudes[k], Complex { re, im })
                });
                let error = (got.re - wanted.re).abs().max((got.im - wanted.im).abs());
                assert!(error < ABS_TOL, "n = {n}, t = {t}: {got:?} for {wanted:?}");
            }
        }
    }
}
