//! What a few seeds say about the mean over all seeds.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// A mean with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The mean of the values.
    pub mean: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The fewest values for which an interval is worth showing: with two, Student's t is 12.7 standard errors wide.
pub const FEWEST: usize = 3;

impl Interval {
    /// The two-sided 95 % interval of the mean by Student's t, which takes the values as drawn independently from one normal
    /// distribution. `None` for fewer than [`FEWEST`] values, or if one is not finite: a run that diverged has no place in a mean.
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.len() < FEWEST || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let t = StudentsT::new(0.0, 1.0, n - 1.0).ok()?.inverse_cdf(0.975);
        let half = t * (variance / n).sqrt();
        Some(Self { mean, low: mean - half, high: mean + half })
    }

    /// Whether 0 is outside.
    pub fn excludes_zero(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles from tables of Student's t: 4.303 for 2 degrees of freedom, 2.776 for 4, 2.045 for 29.
    #[test]
    fn an_interval_is_as_many_standard_errors_wide_as_the_tables_say() {
        for (n, quantile) in [(3, 4.302_653), (5, 2.776_445), (30, 2.045_230)] {
            let values: Vec<f64> = (0..n).map(f64::from).collect();
            let n = f64::from(n);
            // The variance of 0 to n - 1 is n (n + 1) / 12.
            let error = ((n + 1.0) / 12.0).sqrt();
            let Interval { mean, low, high } = Interval::of(&values).expect("enough values");
            assert_eq!(mean, (n - 1.0) / 2.0);
            assert!((high - mean - quantile * error).abs() < 1e-5 * error, "{n}");
            assert!((mean - low - quantile * error).abs() < 1e-5 * error, "{n}");
        }
    }

    #[test]
    fn too_few_values_and_values_that_are_none_have_no_interval() {
        for values in [&[][..], &[1.0], &[1.0, 2.0], &[1.0, 2.0, f64::NAN], &[1.0, 2.0, f64::INFINITY]] {
            assert_eq!(Interval::of(values), None, "{values:?}");
        }
        assert_eq!(Interval::of(&[0.5; 3]), Some(Interval { mean: 0.5, low: 0.5, high: 0.5 }));
    }

    #[test]
    fn zero_is_excluded_only_beyond_both_ends() {
        let of = |low, high| Interval { mean: (low + high) / 2.0, low, high };
        assert!(of(0.1, 0.2).excludes_zero() && of(-0.2, -0.1).excludes_zero());
        assert!(!of(-0.1, 0.1).excludes_zero() && !of(0.0, 0.1).excludes_zero());
    }
}
