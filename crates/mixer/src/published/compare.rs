//! How far a replay is from the recorded run.

use burn::tensor::{Tensor, TensorData};

use super::{Case, Replay};

/// Largest relative error of an output. f32 against f64 usually stays below 1e-5.
pub const OUTPUT_LIMIT: f64 = 1e-4;
/// Largest relative error of a gradient: sums are longer, so ten times the outputs'.
pub const GRADIENT_LIMIT: f64 = 1e-3;

/// How far one tensor of a replay is from the recorded one.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The tensor.
    pub name: String,
    /// `max |ours - recorded| / max |recorded|`; `None` if our layer did not compute it.
    pub error: Option<f64>,
    /// The largest error that counts as the same layer.
    pub limit: f64,
}

impl Comparison {
    /// Whether the tensors agree.
    pub fn agrees(&self) -> bool {
        self.error.is_some_and(|error| error <= self.limit)
    }
}

/// Compares every recorded tensor with the replay, except the given ones (`input`, `grad_output` and whatever holds integers).
pub fn compare(case: &Case, replay: &Replay) -> Vec<Comparison> {
    let is_given =
        |name: &str, data: &TensorData| ["input", "grad_output"].contains(&name) || data.dtype().is_int();
    let recorded = case.tensors.iter().filter(|(name, data)| !is_given(name, data));
    recorded.map(|(name, data)| comparison(name, data, replay.get(name))).collect()
}

fn comparison(name: &str, recorded: &TensorData, ours: Option<&TensorData>) -> Comparison {
    let limit = if name.starts_with("grad.") { GRADIENT_LIMIT } else { OUTPUT_LIMIT };
    let error = ours.map(|ours| match ours.shape() == recorded.shape() {
        true => rel_error(&to_f64(ours.clone()), &to_f64(recorded.clone())),
        false => f64::INFINITY,
    });
    Comparison { name: name.into(), error, limit }
}

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
/// and infinite if the lengths differ.
pub fn rel_error(actual: &[f64], expected: &[f64]) -> f64 {
    if actual.len() != expected.len() {
        return f64::INFINITY;
    }
    let largest = max_or_nan(expected.iter().map(|e| e.abs()));
    let error = max_or_nan(actual.iter().zip(expected).map(|(a, e)| (a - e).abs()));
    if largest == 0.0 { error } else { error / largest }
}

/// `f64::max` ignores NaN; a comparison must not.
fn max_or_nan(values: impl Iterator<Item = f64>) -> f64 {
    values.fold(0.0, |max, value| if value > max || value.is_nan() { value } else { max })
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
