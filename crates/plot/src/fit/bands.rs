//! Two curves with bands, evaluated at the same x.

use super::{Which, positive};
use crate::Point;

/// An x of the common range at which at least one curve was measured, and how the curves differ there.
#[derive(Clone, Copy)]
pub(super) struct Node {
    pub(super) x: f64,
    /// ln first - ln second.
    pub(super) gap: f64,
    /// The same with the first band's lower end and the second's upper end: the bands overlap where this is not above
    /// zero and `most` not below.
    pub(super) least: f64,
    /// The same with the first band's upper end and the second's lower end.
    pub(super) most: f64,
}

impl Node {
    /// `None` if the curves are equal.
    pub(super) fn cheaper(&self) -> Option<Which> {
        match self.gap {
            0.0 => None,
            gap if gap < 0.0 => Some(Which::First),
            _ => Some(Which::Second),
        }
    }

    pub(super) fn overlap(&self) -> bool {
        self.least <= 0.0 && 0.0 <= self.most
    }
}

/// The nodes of the common range by ascending x; `None` if a curve is unusable or there is no common range.
pub(super) fn nodes(first: &[Point], second: &[Point]) -> Option<Vec<Node>> {
    let (first, second) = (ascending(first)?, ascending(second)?);
    let from = first[0].x.max(second[0].x);
    let to = first[first.len() - 1].x.min(second[second.len() - 1].x);
    let mut xs: Vec<f64> =
        first.iter().chain(&second).map(|p| p.x).filter(|x| (from..=to).contains(x)).collect();
    xs.sort_by(f64::total_cmp);
    xs.dedup();
    let node = |x: f64| {
        let (a, b) = (logs_at(&first, x), logs_at(&second, x));
        Node { x, gap: a[0] - b[0], least: a[1] - b[2], most: a[2] - b[1] }
    };
    (!xs.is_empty()).then(|| xs.into_iter().map(node).collect())
}

/// At least one point, every number positive, every y within its band, one point for each x.
fn ascending(points: &[Point]) -> Option<Vec<Point>> {
    let usable =
        |p: &Point| [p.x, p.y, p.low, p.high].into_iter().all(positive) && p.low <= p.y && p.y <= p.high;
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a.x.total_cmp(&b.x));
    let once = sorted.windows(2).all(|pair| pair[0].x < pair[1].x);
    (once && !sorted.is_empty() && sorted.iter().all(usable)).then_some(sorted)
}

/// ln y, ln low and ln high of the curve at an x of its range.
fn logs_at(points: &[Point], x: f64) -> [f64; 3] {
    let logs = |p: &Point| [p.y.ln(), p.low.ln(), p.high.ln()];
    let right = points.partition_point(|p| p.x < x);
    let after = logs(&points[right]);
    if points[right].x == x {
        return after;
    }
    let before = logs(&points[right - 1]);
    let share = (x / points[right - 1].x).ln() / (points[right].x / points[right - 1].x).ln();
    [0, 1, 2].map(|i| before[i] + share * (after[i] - before[i]))
}

/// The x between two nodes at which a quantity that is straight in ln x, `from` at the first node and `to` of another
/// sign at the second, is zero.
pub(super) fn zero(between: [&Node; 2], from: f64, to: f64) -> f64 {
    let share = (from / (from - to)).clamp(0.0, 1.0);
    between[0].x * (between[1].x / between[0].x).powf(share)
}
