//! Student's t distribution at whole degrees of freedom, for which its integral is a finite sum.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

/// Number of halvings of a right angle until the halves no longer differ in f64.
const HALVINGS: usize = 60;

/// The t that a Student variable stays within, on both sides of zero, with probability 0.95. `degrees` is at least 1.
pub(super) fn quantile_95(degrees: usize) -> f64 {
    let (mut low, mut high) = (0.0, FRAC_PI_2);
    for _ in 0..HALVINGS {
        let middle = (low + high) / 2.0;
        if within(middle, degrees) < 0.95 { low = middle } else { high = middle }
    }
    (degrees as f64).sqrt() * low.tan()
}

/// Probability of |t| below `sqrt(degrees) tan(angle)`. Abramowitz and Stegun 1964, 26.7.3 and 26.7.4,
/// <https://personal.math.ubc.ca/~cbm/aands/page_948.htm>.
fn within(angle: f64, degrees: usize) -> f64 {
    let (sin, cos) = angle.sin_cos();
    let odd = degrees % 2;
    let (mut term, mut sum) = (if odd == 1 { cos } else { 1.0 }, 0.0);
    for i in 1..=degrees / 2 {
        sum += term;
        let k = (2 * i + odd) as f64;
        term *= (k - 1.0) / k * cos * cos;
    }
    if odd == 1 { FRAC_2_PI * (angle + sin * sum) } else { sin * sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, column 0.975: three decimals.
    /// <https://www.itl.nist.gov/div898/handbook/eda/section3/eda3672.htm>
    const TABLE: [(usize, f64); 15] = [
        (1, 12.706),
        (2, 4.303),
        (3, 3.182),
        (4, 2.776),
        (5, 2.571),
        (6, 2.447),
        (7, 2.365),
        (8, 2.306),
        (9, 2.262),
        (10, 2.228),
        (15, 2.131),
        (20, 2.086),
        (30, 2.042),
        (60, 2.000),
        (100, 1.984),
    ];

    /// The table is rounded to three decimals.
    const TABLE_TOL: f64 = 5.1e-4;

    /// Both sides are off by a few units in the last place.
    const CLOSED_FORM_TOL: f64 = 1e-12;

    #[test]
    fn quantiles_are_those_of_the_published_table() {
        for (degrees, expected) in TABLE {
            let found = quantile_95(degrees);
            assert!((found - expected).abs() < TABLE_TOL, "{degrees} degrees: {found}, table {expected}");
        }
    }

    #[test]
    fn one_and_two_degrees_have_the_closed_forms() {
        // Solving (2 / pi) atan t = p, and t / sqrt(2 + t^2) = p.
        let p: f64 = 0.95;
        for (degrees, expected) in [(1, (p * FRAC_PI_2).tan()), (2, p * (2.0 / (1.0 - p * p)).sqrt())] {
            let found = quantile_95(degrees);
            assert!((found / expected - 1.0).abs() < CLOSED_FORM_TOL, "{degrees}: {found}, not {expected}");
        }
    }
}
