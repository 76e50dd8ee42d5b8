//! Which weights are dropped, and how fast scores fall with the distance.

use subquad_attention::{Rules, WeightDropout, alibi_slopes};
use subquad_testkit::{assert_rel_close, to_f64};

use crate::FORMS;
use crate::cases::{attend, seeded_triple};

#[test]
fn alibi_slopes_are_the_published_ones() {
    let powers = |exponents: &[f64]| exponents.iter().map(|e| 2f64.powf(-e)).collect::<Vec<_>>();
    assert_eq!(alibi_slopes(8), powers(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]));
    assert_eq!(alibi_slopes(4), powers(&[2.0, 4.0, 6.0, 8.0]));
    assert_eq!(alibi_slopes(1), powers(&[8.0]));
    // The slopes of 8 heads, then the first, third, fifth and seventh of 16 heads.
    assert_eq!(alibi_slopes(12)[..8], alibi_slopes(8));
    assert_eq!(alibi_slopes(12)[8..], powers(&[0.5, 1.5, 2.5, 3.5]));
    assert_eq!(alibi_slopes(3), powers(&[4.0, 8.0, 2.0]));
}

/// How many standard deviations a count of independent draws may be off. One in 10^6 is further off, and the draws are fixed.
const SIGMAS: f64 = 5.0;

fn assert_frequency(count: usize, draws: usize, probability: f64, what: &str) {
    let sigma = (probability * (1.0 - probability) / draws as f64).sqrt();
    let got = count as f64 / draws as f64;
    assert!((got - probability).abs() < SIGMAS * sigma, "{what}: {got}, expected {probability}");
}

#[test]
fn the_share_of_dropped_weights_is_the_rate() {
    for (rate, seed) in [(0.1, 1), (0.5, 2), (0.9, 3), (0.01, 4)] {
        let dropout = WeightDropout { rate, seed };
        let kept = |head: usize| (0..316).flat_map(move |i| (0..316).map(move |j| dropout.keeps(head, i, j)));
        for head in [0, 7] {
            let dropped = kept(head).filter(|kept| !kept).count();
            assert_frequency(dropped, 316 * 316, rate, &format!("rate {rate}, head {head}"));
        }
        // No query or key is spared; each is checked with a tenth of the draws.
        for at in [0, 1, 63, 64, 315] {
            let row = (0..10_000).filter(|&j| !dropout.keeps(3, at, j)).count();
            let column = (0..10_000).filter(|&i| !dropout.keeps(3, i, at)).count();
            assert_frequency(row, 10_000, rate, &format!("rate {rate}, query {at}"));
            assert_frequency(column, 10_000, rate, &format!("rate {rate}, key {at}"));
        }
    }
}

#[test]
fn draws_know_nothing_of_each_other() {
    let dropout = WeightDropout { rate: 0.5, seed: 11 };
    let other_seed = WeightDropout { seed: 12, ..dropout };
    let pairs = || (0..316).flat_map(|i| (0..316).map(move |j| (i, j)));
    let agreeing = |a: &dyn Fn(usize, usize) -> bool| {
        pairs().filter(|&(i, j)| dropout.keeps(2, i, j) == a(i, j)).count()
    };
    let draws = 316 * 316;
    assert_frequency(agreeing(&|i, j| dropout.keeps(2, i + 1, j)), draws, 0.5, "the next query");
    assert_frequency(agreeing(&|i, j| dropout.keeps(2, i + 64, j)), draws, 0.5, "64 queries on");
    assert_frequency(agreeing(&|i, j| dropout.keeps(2, i, j + 1)), draws, 0.5, "the next key");
    assert_frequency(agreeing(&|i, j| dropout.keeps(2, i + 1, j + 1)), draws, 0.5, "both");
    assert_frequency(agreeing(&|i, j| dropout.keeps(3, i, j)), draws, 0.5, "the next head");
    assert_frequency(agreeing(&|i, j| dropout.keeps(2 + 4096, i, j)), draws, 0.5, "a far sequence");
    assert_frequency(agreeing(&|i, j| other_seed.keeps(2, i, j)), draws, 0.5, "the next seed");
}

#[test]
fn a_draw_is_a_function_of_its_arguments() {
    let draws =
        |seed| (0..1000).map(move |j| WeightDropout { rate: 0.5, seed }.keeps(1, 2, j)).collect::<Vec<_>>();
    assert_eq!(draws(1), draws(1));
    assert_ne!(draws(1), draws(2));
}

#[test]
fn a_rate_of_0_drops_nothing() {
    let inputs = seeded_triple(1, [2, 2], [65, 65], 4);
    let dropout = Some(WeightDropout { rate: 0.0, seed: 1 });
    for form in FORMS {
        let dropped = attend(inputs.clone(), &Rules { dropout, ..Rules::causal() }, form);
        let plain = attend(inputs.clone(), &Rules::causal(), form);
        assert_eq!(to_f64(dropped), to_f64(plain), "{form:?}");
    }
}

/// The mean over 400 seeds of sums of up to 65 weights, a fifth of them dropped: 0.5 / sqrt(400) of a value's size, twice that.
const MEAN_REL_TOL: f64 = 0.05;

#[test]
fn dropped_attention_is_attention_on_average() {
    let inputs = seeded_triple(1, [1, 1], [65, 65], 4);
    for form in FORMS {
        let run = |seed| {
            let dropout = Some(WeightDropout { rate: 0.2, seed });
            attend(inputs.clone(), &Rules { dropout, ..Rules::causal() }, form)
        };
        let mean = (1..400).map(run).fold(run(0), |sum, y| sum + y) / 400.0;
        let plain = attend(inputs.clone(), &Rules::causal(), form);
        assert_rel_close(mean, plain, MEAN_REL_TOL, format!("{form:?}"));
    }
}
