//! What measured costs say about growth: exponents with intervals, local slopes, and where two curves cross. These are
//! pure functions of measured points; all use logarithms, in which a power law is a straight line.

mod bands;
mod crossover;
mod power_law;
mod student;

pub use crossover::{Comparison, Crossover, End, Meaning, Which, crossovers};
pub use power_law::{LEAST_POINTS, PowerLaw, power_law};

/// The slope ln(y2 / y1) / ln(x2 / x1) between neighbours, each at the geometric middle of their x, by ascending x.
///
/// Each point is (x, y), in any order. A point whose x or y is not finite or not above 0 has no slope to either
/// neighbour, and no slope bridges it; nor has a point at the x of its neighbour.
pub fn local_slopes(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    sorted.windows(2).filter_map(|pair| slope(pair[0], pair[1])).collect()
}

fn slope((x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> Option<(f64, f64)> {
    let usable = [x1, y1, x2, y2].into_iter().all(positive) && x1 < x2;
    usable.then(|| (x1.sqrt() * x2.sqrt(), (y2 / y1).ln() / (x2 / x1).ln()))
}

/// Whether the value has a logarithm.
fn positive(value: f64) -> bool {
    value > 0.0 && value.is_finite()
}

/// A whole number from 100 on, otherwise three digits: 512, 33.3, 64; with a power of ten if that would be long.
pub(crate) fn short(value: f64) -> String {
    if !(1e-6..1e15).contains(&value) {
        return format!("{value:.2e}");
    }
    if value >= 100.0 {
        return format!("{value:.0}");
    }
    let decimals = (2 - value.log10().floor() as i32).max(0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
