//! How the exponent changes along a curve.

use super::positive;

/// The slope ln(y2 / y1) / ln(x2 / x1) between neighbours, each at the geometric middle of their x, by ascending x.
///
/// Each point is (x, y), in any order. A point whose x or y is not finite or not above 0 has no slope to either
/// neighbour, and no slope bridges it; neither has a point at the x of its neighbour.
pub fn local_slopes(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    sorted.windows(2).filter_map(|pair| slope(pair[0], pair[1])).collect()
}

fn slope((x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> Option<(f64, f64)> {
    let usable = [x1, y1, x2, y2].into_iter().all(positive) && x1 < x2;
    usable.then(|| (x1.sqrt() * x2.sqrt(), (y2 / y1).ln() / (x2 / x1).ln()))
}
