//! The whole numbers nearest to a budget.

use std::ops::RangeInclusive;

/// How far apart numbers that go with the rest of a config may lie: a width that 128 heads must share equally is a multiple of 128.
const REACH: i64 = 256;

/// A number, and what it measures.
pub(super) type Found = (i64, f64);

/// The numbers whose measures are nearest to `target` from below and from above, the nearest first. `measure` grows with the number,
/// and is `None` for a number that does not go with the rest.
pub(super) fn nearest(
    ends: &RangeInclusive<i64>,
    target: f64,
    measure: impl Fn(i64) -> Option<f64>,
) -> Vec<Found> {
    let next = |from: i64| {
        let last = ends.end().min(&from.saturating_add(REACH)).to_owned();
        (from..=last).find_map(|number| Some((number, measure(number)?)))
    };
    let Some(first) = next(*ends.start()) else { return vec![] };
    let (below, above) =
        if first.1 >= target { (None, Some(first)) } else { around(first, ends, target, next) };
    let mut found: Vec<Found> = below.into_iter().chain(above).collect();
    found.sort_by(|(_, one), (_, other)| (one - target).abs().total_cmp(&(other - target).abs()));
    found
}

/// The last number below the target, from `low` on, and the first that is not.
fn around(
    mut low: Found,
    ends: &RangeInclusive<i64>,
    target: f64,
    next: impl Fn(i64) -> Option<Found>,
) -> (Option<Found>, Option<Found>) {
    let (mut above, mut end) = (None, ends.end().saturating_add(1));
    // Doubling first: a model far above the target may take long to count.
    let mut step = 1;
    while low.0 + 1 < end {
        let from = if above.is_none() { low.0.saturating_add(step) } else { low.0 + (end - low.0) / 2 };
        let from = from.min(end - 1);
        match next(from).filter(|(number, _)| *number < end) {
            Some(found) if found.1 < target => low = found,
            Some(found) => (above, end) = (Some(found), from),
            None => end = from,
        }
        step *= 2;
    }
    (Some(low), above)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By trying every number.
    fn by_hand(ends: &RangeInclusive<i64>, target: f64, measure: impl Fn(i64) -> Option<f64>) -> Vec<Found> {
        let all: Vec<Found> = ends.clone().filter_map(|number| Some((number, measure(number)?))).collect();
        let below = all.iter().rfind(|(_, measured)| *measured < target);
        let above = all.iter().find(|(_, measured)| *measured >= target);
        let mut found: Vec<Found> = below.into_iter().chain(above).copied().collect();
        found.sort_by(|(_, one), (_, other)| (one - target).abs().total_cmp(&(other - target).abs()));
        found
    }

    #[test]
    fn the_nearest_numbers_are_those_that_trying_all_finds() {
        let square = |number: i64| Some((number * number) as f64);
        let multiples = |number: i64| (number % 12 == 0).then_some((100 + 7 * number) as f64);
        let plateaus = |number: i64| Some((number / 5 * 5) as f64);
        let few = |number: i64| (number <= 40).then_some(number as f64);
        let measures: [&dyn Fn(i64) -> Option<f64>; 4] = [&square, &multiples, &plateaus, &few];
        for measure in measures {
            for ends in [1..=1, 1..=2, 1..=500, 3..=64, 60..=1000] {
                for target in [0.0, 1.0, 2.0, 37.0, 40.5, 130.0, 1000.0, 3600.0, 1e9] {
                    let expected = by_hand(&ends, target, measure);
                    let found = nearest(&ends, target, measure);
                    assert_eq!(found.first(), expected.first(), "{ends:?} for {target}");
                    assert_eq!(found.len(), expected.len(), "{ends:?} for {target}");
                }
            }
        }
    }

    #[test]
    fn no_number_far_above_the_answer_is_measured() {
        let largest = std::cell::Cell::new(0);
        let measure = |number: i64| {
            largest.set(number.max(largest.get()));
            Some(number as f64)
        };
        assert_eq!(nearest(&(1..=1 << 40), 1000.0, measure)[0], (1000, 1000.0));
        assert!(largest.get() <= 2048, "{}", largest.get());
    }
}
