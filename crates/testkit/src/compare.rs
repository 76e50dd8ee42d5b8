//! Relative errors.

use std::fmt::Display;

use burn::tensor::{Tensor, TensorData};

/// Anything that holds a list of numbers.
pub trait Values {
    /// The numbers, row-major, as f64.
    fn values(self) -> Vec<f64>;
}

impl<const D: usize> Values for Tensor<D> {
    fn values(self) -> Vec<f64> {
        self.into_data().values()
    }
}

impl Values for TensorData {
    fn values(self) -> Vec<f64> {
        self.iter::<f64>().collect()
    }
}

impl Values for Vec<f64> {
    fn values(self) -> Vec<f64> {
        self
    }
}

impl Values for &[f64] {
    fn values(self) -> Vec<f64> {
        self.to_vec()
    }
}

impl Values for Vec<f32> {
    fn values(self) -> Vec<f64> {
        self.into_iter().map(f64::from).collect()
    }
}

/// The numbers of a tensor, row-major.
pub fn to_f64(values: impl Values) -> Vec<f64> {
    values.values()
}

/// `max |actual - expected| / max |expected|`; the absolute error where `expected` is all zero. NaN if anything is NaN,
/// and infinite where the lengths differ.
pub fn rel_error(actual: &[f64], expected: &[f64]) -> f64 {
    if actual.len() != expected.len() {
        return f64::INFINITY;
    }
    let largest = max_or_nan(expected.iter().map(|e| e.abs()));
    let error = max_or_nan(actual.iter().zip(expected).map(|(a, e)| (a - e).abs()));
    if largest == 0.0 { error } else { error / largest }
}

/// `f64::max` forgets NaN; a comparison must not.
fn max_or_nan(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |max, value| if value > max || value.is_nan() { value } else { max })
}

/// # Panics
/// If [`rel_error`] is above `tolerance`, or not a number.
#[track_caller]
pub fn assert_rel_close(actual: impl Values, expected: impl Values, tolerance: f64, what: impl Display) {
    let (actual, expected) = (actual.values(), expected.values());
    assert_eq!(actual.len(), expected.len(), "{what}: different numbers of values");
    let error = rel_error(&actual, &expected);
    assert!(error <= tolerance, "{what}: relative error {error:.2e} is above {tolerance:.0e}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_relative_to_the_largest_value() {
        assert_eq!(rel_error(&[1.0, 9.0], &[1.0, 10.0]), 0.1);
        assert_eq!(rel_error(&[0.5], &[0.0]), 0.5);
    }

    #[test]
    fn nan_and_missing_values_never_pass() {
        assert!(rel_error(&[f64::NAN, 1.0], &[1.0, 1.0]).is_nan());
        assert!(rel_error(&[1.0, 1.0], &[f64::NAN, 1.0]).is_nan());
        assert_eq!(rel_error(&[1.0], &[1.0, 2.0]), f64::INFINITY);
    }
}
