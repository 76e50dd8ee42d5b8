//! Random numbers: what they depend on, and their distributions.

use std::collections::BTreeSet;

use subquad_data::Stream;

#[test]
fn seed_purpose_and_place_each_change_the_numbers() {
    let first = |seed, purpose, a, b| Stream::new(seed, purpose).at(a, b).next_u64();
    let base = first(1, "data", 2, 3);
    assert_eq!(base, first(1, "data", 2, 3));
    let others =
        [first(2, "data", 2, 3), first(1, "date", 2, 3), first(1, "data", 3, 3), first(1, "data", 2, 2)];
    for other in others {
        assert_ne!(base, other);
    }
}

#[test]
fn numbers_do_not_repeat_from_block_to_block() {
    let mut draws = Stream::new(0, "test").at(0, 0);
    let numbers: BTreeSet<u64> = (0..1000).map(|_| draws.next_u64()).collect();
    assert_eq!(numbers.len(), 1000);
}

#[test]
fn uniform_numbers_lie_in_the_unit_interval_around_one_half() {
    let mut draws = Stream::new(0, "test").at(0, 0);
    let numbers: Vec<f32> = (0..10_000).map(|_| draws.uniform()).collect();
    assert!(numbers.iter().all(|x| (0.0..1.0).contains(x)));
    let mean = numbers.iter().sum::<f32>() / 10_000.0;
    assert!((mean - 0.5).abs() < 0.02, "mean {mean}"); // 7 standard errors of 0.0029
}

#[test]
fn every_number_below_n_comes_equally_often() {
    for n in [1, 2, 3, 7, 10] {
        let mut draws = Stream::new(0, "test").at(n as u64, 0);
        let mut counts = vec![0_i32; n];
        (0..1000 * n).for_each(|_| counts[draws.below(n)] += 1);
        // 1000 each, with a standard deviation under 32.
        assert!(counts.iter().all(|c| (c - 1000).abs() < 200), "n = {n}: {counts:?}");
    }
}

#[test]
fn numbers_below_a_huge_n_are_not_biased_towards_its_low_half() {
    // Three quarters of the range: a remainder would give its lowest third twice as often as the rest.
    let n = 3 * (1_usize << 62);
    let mut draws = Stream::new(0, "test").at(0, 0);
    let low = (0..3000).filter(|_| draws.below(n) < n / 3).count();
    assert!((850..1150).contains(&low), "{low} of 3000 in the lowest third");
}

#[test]
fn shuffling_keeps_every_item_and_reaches_every_order() {
    let orders: BTreeSet<[u8; 3]> = (0..200)
        .map(|i| {
            let mut items = [0, 1, 2];
            Stream::new(0, "test").at(i, 0).shuffle(&mut items);
            items
        })
        .collect();
    assert_eq!(orders.len(), 6);
}

#[test]
fn distinct_numbers_are_distinct_and_reach_both_ends() {
    let mut seen = BTreeSet::new();
    for i in 0..200 {
        let numbers = Stream::new(0, "test").at(i, 0).distinct(4, 5);
        let set: BTreeSet<usize> = numbers.into_iter().collect();
        assert_eq!(set.len(), 4);
        seen.extend(set);
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
}

#[test]
fn normal_numbers_have_mean_zero_and_variance_one() {
    let mut draws = Stream::new(0, "test").at(0, 0);
    let numbers: Vec<f32> = (0..10_000).map(|_| draws.normal()).collect();
    let mean = numbers.iter().sum::<f32>() / 10_000.0;
    let variance = numbers.iter().map(|x| x * x).sum::<f32>() / 10_000.0;
    assert!(mean.abs() < 0.05 && (variance - 1.0).abs() < 0.1, "mean {mean}, variance {variance}");
}
