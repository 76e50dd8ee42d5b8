//! Assertions about numbers.

use std::fmt::Display;

use subquad_mixer::published::{Values, rel_error};

/// # Panics
/// If [`rel_error`] is above `tolerance`, or NaN.
#[track_caller]
pub fn assert_rel_close(actual: impl Values, expected: impl Values, tolerance: f64, what: impl Display) {
    let (actual, expected) = (actual.values(), expected.values());
    assert_eq!(actual.len(), expected.len(), "{what}: different numbers of values");
    let error = rel_error(&actual, &expected);
    assert!(error <= tolerance, "{what}: relative error {error:.2e} is above {tolerance:.0e}");
}
