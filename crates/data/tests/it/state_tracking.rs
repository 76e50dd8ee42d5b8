//! Running products of elements of groups.

use subquad_data::{Group, StateTrackingConfig, Task, TaskOptions};

use crate::solved::{accuracy, assert_streams, checksum};

const GROUPS: [Group; 3] = [Group::A5, Group::A4Z5, Group::Z60];
const COUNT: usize = 100;

fn task(group: Group, seed: u64) -> Box<dyn Task> {
    StateTrackingConfig { group, ..StateTrackingConfig::default() }.open(32, seed).unwrap()
}

/// Products from the first factor on, each `step(product, factor)`.
fn products(factors: &[u32], step: impl Fn(u32, u32) -> u32) -> Vec<u32> {
    let mut all = vec![];
    for factor in factors {
        all.push(all.last().map_or(*factor, |product| step(*product, *factor)));
    }
    all
}

#[test]
fn every_table_is_that_of_a_group() {
    for group in GROUPS {
        let table = group.table();
        let times = |a: usize, b: usize| table[a][b] as usize;
        let unit =
            (0..60).find(|unit| (0..60).all(|a| times(*unit, a) == a && times(a, *unit) == a)).unwrap();
        for (a, row) in table.iter().enumerate() {
            let mut row = row.clone();
            row.sort_unstable();
            assert_eq!(row, (0..60).collect::<Vec<_>>(), "every element once");
            assert!((0..60).any(|b| times(a, b) == unit), "an inverse");
            for b in 0..60 {
                assert!(
                    (0..60).step_by(7).all(|c| times(times(a, b), c) == times(a, times(b, c))),
                    "associative"
                );
            }
        }
    }
}

/// Elements of A5 have orders 1, 2, 3 and 5: 1, 15, 20 and 24 of them. Commutators of A5 give all of it; of A4 x Z5 only the four of the Klein group; of Z60 only
/// the unit.
#[test]
fn the_groups_are_those_that_they_are_called() {
    for (group, orders, commutators) in [
        (Group::A5, vec![(1, 1), (2, 15), (3, 20), (5, 24)], 60),
        (Group::A4Z5, vec![(1, 1), (2, 3), (3, 8), (5, 4), (10, 12), (15, 32)], 4),
        (
            Group::Z60,
            vec![
                (1, 1),
                (2, 1),
                (3, 2),
                (4, 2),
                (5, 4),
                (6, 2),
                (10, 4),
                (12, 4),
                (15, 8),
                (20, 8),
                (30, 8),
                (60, 16),
            ],
            1,
        ),
    ] {
        let table = group.table();
        let times = |a: usize, b: usize| table[a][b] as usize;
        let unit = (0..60).find(|unit| times(*unit, *unit) == *unit).unwrap();
        let order = |a: usize| {
            std::iter::successors(Some(a), |power| Some(times(*power, a)))
                .position(|power| power == unit)
                .unwrap()
                + 1
        };
        let count = |wanted: usize| (0..60).filter(|a| order(*a) == wanted).count();
        let found: Vec<_> =
            (1..=60).filter(|order| count(*order) > 0).map(|order| (order, count(order))).collect();
        assert_eq!(found, orders, "{group:?}");
        let inverse = |a: usize| (0..60).find(|b| times(a, *b) == unit).unwrap();
        let commutator = |a: usize, b: usize| times(times(inverse(a), inverse(b)), times(a, b));
        let mut all: Vec<usize> = (0..3600).map(|pair| commutator(pair / 60, pair % 60)).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), commutators, "{group:?}");
    }
}

#[test]
fn a_running_product_answers_everything_and_other_orders_only_in_a_commutative_group() {
    for group in GROUPS {
        let table = group.table();
        let right =
            |tokens: &[u32]| products(tokens, |product, factor| table[product as usize][factor as usize]);
        assert_eq!(accuracy(&*task(group, 0), COUNT, right), 1.0);
        // The deliberate mistake lets the newest factor act first.
        let reversed =
            |tokens: &[u32]| products(tokens, |product, factor| table[factor as usize][product as usize]);
        let score = accuracy(&*task(group, 0), COUNT, reversed);
        assert!(if group == Group::Z60 { score == 1.0 } else { score < 0.4 }, "{group:?}: {score}");
    }
}

#[test]
fn without_memory_only_the_first_token_is_more_than_a_guess() {
    for group in GROUPS {
        let score = accuracy(&*task(group, 0), COUNT, <[u32]>::to_vec);
        let expected = 1.0 / 32.0 + 31.0 / 32.0 / 60.0;
        assert!((score - expected).abs() < 0.012, "{group:?}: {score} for {expected}"); // five standard errors of 0.0023
    }
}

#[test]
fn the_examples_are_those_that_were_written_down() {
    let checksums = GROUPS.map(|group| checksum(&*task(group, 0)));
    assert_eq!(checksums, ["c8324c1793e79cf8", "ff66e78570d1cf33", "a6ca904e71743eef"]);
    assert_streams(|seed| task(Group::A5, seed));
}
