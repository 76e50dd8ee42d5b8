//! y = c x^p through the larger half of the points.

use super::{positive, student};

/// No exponent is fitted to fewer points: three leave one degree of freedom and an interval several units wide.
pub const LEAST_POINTS: usize = 4;

/// A fitted power law and its uncertainty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PowerLaw {
    /// p in y = c x^p.
    pub exponent: f64,
    /// The 95 % interval of the exponent is `exponent` plus and minus this: Student's t with `points - 2` degrees of
    /// freedom times the standard error of the slope. Small and systematic curvature widens it too.
    pub half_width: f64,
    /// c in y = c x^p, in the unit of y.
    pub coefficient: f64,
    /// Smallest and largest x that were fitted.
    pub range: (f64, f64),
    /// How many points were fitted.
    pub points: usize,
    /// Standard deviation of ln y about the fit (`points - 2` degrees of freedom): 0.02 is a scatter of about 2 %.
    pub residual: f64,
}

impl PowerLaw {
    /// The fitted y at x.
    pub fn at(&self, x: f64) -> f64 {
        self.coefficient * x.powf(self.exponent)
    }

    /// The exponent and its interval: `1.93 ± 0.05`. An interval that would read `± 0.00` is left out.
    pub fn exponent_words(&self) -> String {
        // Adding 0 turns -0 into 0.
        let exponent = format!("{:.2}", (self.exponent * 100.0).round() / 100.0 + 0.0);
        if self.half_width < 0.005 { exponent } else { format!("{exponent} ± {:.2}", self.half_width) }
    }
}

/// Least squares on logarithms over the upper half of the points: with n points the `max(ceil(n / 2), 4)` of largest
/// x, because a cost shows its order of growth only once it has outgrown the constant and lower-order parts.
///
/// Each point is (x, y), in any order. `None` if there are fewer than [`LEAST_POINTS`] points, if two points share
/// their x (summarise repeats first), or if any x or y, in the lower half too, is not finite or not above 0: leaving
/// such a point out would move the range of the fit, so only the caller may do that.
pub fn power_law(points: &[(f64, f64)]) -> Option<PowerLaw> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let usable = sorted.iter().all(|&(x, y)| positive(x) && positive(y));
    if !usable || sorted.len() < LEAST_POINTS || sorted.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return None;
    }
    let used = sorted.len().div_ceil(2).max(LEAST_POINTS);
    Some(straight_line(&sorted[sorted.len() - used..]))
}

/// The least-squares line through the logarithms of at least three points, x ascending.
fn straight_line(points: &[(f64, f64)]) -> PowerLaw {
    let n = points.len() as f64;
    let logs = || points.iter().map(|&(x, y)| (x.ln(), y.ln()));
    let mean = |sum: (f64, f64), (u, v): (f64, f64)| (sum.0 + u / n, sum.1 + v / n);
    let (u0, v0) = logs().fold((0.0, 0.0), mean);
    let about_mean = || logs().map(|(u, v)| (u - u0, v - v0));
    let uu: f64 = about_mean().map(|(u, _)| u * u).sum();
    let exponent = about_mean().map(|(u, v)| u * v).sum::<f64>() / uu;
    let squares: f64 = about_mean().map(|(u, v)| (v - exponent * u).powi(2)).sum();
    let residual = (squares / (n - 2.0)).sqrt();
    PowerLaw {
        exponent,
        half_width: student::quantile_95(points.len() - 2) * residual / uu.sqrt(),
        coefficient: (v0 - exponent * u0).exp(),
        range: (points[0].0, points[points.len() - 1].0),
        points: points.len(),
        residual,
    }
}
