//! Keeps at most as many points as pixels can show: of consecutive points in one column, those that reach furthest.

use crate::scene::Xy;

/// Width of a column: a pixel of the PNG.
const COLUMN: f64 = 0.5;

fn column((x, _): Xy) -> f64 {
    (x / COLUMN).floor()
}

/// A path that looks the same: of every stretch within one column the first, the lowest, the highest and the last
/// point, in their order. A path that does not turn back keeps at most four points per column.
pub(crate) fn thin(path: &[Xy]) -> Vec<Xy> {
    path.chunk_by(|a, b| column(*a) == column(*b)).flat_map(extremes).collect()
}

fn extremes(stretch: &[Xy]) -> Vec<Xy> {
    let by_height = |a: &usize, b: &usize| stretch[*a].1.total_cmp(&stretch[*b].1);
    let all = || 0..stretch.len();
    let mut kept = [Some(0), all().min_by(by_height), all().max_by(by_height), all().last()];
    kept.sort_unstable();
    let repeated = |i: usize| i > 0 && kept[i] == kept[i - 1];
    (0..kept.len()).filter(|i| !repeated(*i)).filter_map(|i| Some(stretch[kept[i]?])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_room_for_its_points_stays_as_it_is() {
        let path: Vec<Xy> = (0..500).map(|i| (f64::from(i) * 0.6, f64::from(i % 7))).collect();
        assert_eq!(thin(&path), path);
        let few = [(0.1, 3.0), (0.2, 1.0), (0.3, 2.0), (0.4, 5.0)];
        assert_eq!(thin(&few[..3]), few[..3]);
        assert_eq!(thin(&[]), []);
    }

    #[test]
    fn a_column_keeps_its_first_lowest_highest_and_last_point_in_their_order() {
        let heights = [4.0, 5.0, 9.0, 5.0, 1.0, 2.0, 3.0];
        let path: Vec<Xy> = heights.iter().zip(0..).map(|(y, i)| (f64::from(i) * 0.01, *y)).collect();
        let kept: Vec<f64> = thin(&path).iter().map(|(_, y)| *y).collect();
        assert_eq!(kept, [4.0, 9.0, 1.0, 3.0]);
        let level: Vec<Xy> = (0..100).map(|i| (f64::from(i) * 0.001, 2.0)).collect();
        assert_eq!(thin(&level), [level[0], level[99]]);
    }

    #[test]
    fn a_path_that_turns_back_is_followed() {
        let there = (0..1000).map(|i| f64::from(i) * 0.1);
        let path: Vec<Xy> = there.clone().chain(there.rev()).map(|x| (x, 1.0)).collect();
        let kept = thin(&path);
        assert_eq!((kept[0], kept[kept.len() - 1]), (path[0], path[path.len() - 1]));
        assert!(kept.iter().any(|(x, _)| *x >= 99.5) && kept.len() <= 4 * 400, "{}", kept.len());
    }
}
