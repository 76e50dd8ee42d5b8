//! Exponents, slopes and crossovers of curves whose answers are known.

use subquad_plot::Point;
use subquad_plot::fit::{
    Comparison, Crossover, End, Meaning, PowerLaw, Which, crossovers, local_slopes, power_law,
};

/// Rounding of sums of a few logarithms in f64.
const ROUNDING: f64 = 1e-12;

const LENGTHS: [f64; 8] = [64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0];

fn curve(y: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    LENGTHS.iter().map(|&x| (x, y(x))).collect()
}

/// A curve with a band from `y / factor` to `y * factor`.
fn banded(xs: &[f64], y: impl Fn(f64) -> f64, factor: f64) -> Vec<Point> {
    xs.iter().map(|&x| Point { x, y: y(x), low: y(x) / factor, high: y(x) * factor }).collect()
}

fn bare(points: &[(f64, f64)]) -> Vec<Point> {
    points.iter().map(|&(x, y)| Point::new(x, y)).collect()
}

fn compare(first: &[Point], second: &[Point]) -> Comparison {
    crossovers(first, second).unwrap()
}

fn assert_close(found: f64, expected: f64, what: &str) {
    assert!((found / expected - 1.0).abs() < ROUNDING, "{what}: {found}, expected {expected}");
}

fn assert_end(found: End, expected: f64, what: &str) {
    match found {
        End::At(x) => assert_close(x, expected, what),
        End::Open(_) => panic!("{what}: {found:?}, expected {expected}"),
    }
}

#[test]
fn a_power_law_is_found_again_with_no_interval() {
    for (c, p) in [(3.0, 2.0), (100.0, 1.0), (7.0, 0.0), (1e-9, -0.5), (2.0, 1.5)] {
        let fit = power_law(&curve(|x| c * x.powf(p))).unwrap();
        assert!((fit.exponent - p).abs() < ROUNDING && fit.half_width < ROUNDING, "{c} x^{p}: {fit:?}");
        assert_close(fit.coefficient, c, "coefficient");
        assert_close(fit.at(3000.0), c * 3000f64.powf(p), "value");
        assert_eq!((fit.points, fit.range), (4, (1024.0, 8192.0)));
    }
}

#[test]
fn the_upper_half_is_fitted_and_never_fewer_than_four_points() {
    let fitted = |n: u32| power_law(&(1..=n).map(|i| (f64::from(i), f64::from(i))).collect::<Vec<_>>());
    assert_eq!((0..4).map(fitted).collect::<Vec<_>>(), [None; 4]);
    for (n, used, from) in [(4, 4, 1.0), (5, 4, 2.0), (8, 4, 5.0), (9, 5, 5.0), (10, 5, 6.0)] {
        let fit = fitted(n).unwrap();
        assert_eq!((fit.points, fit.range), (used, (from, f64::from(n))), "{n} points");
    }
}

#[test]
fn the_lower_half_has_no_say_and_order_does_not_matter() {
    let mut points = curve(|x| if x < 1000.0 { 1e6 } else { 3.0 * x * x });
    let fit = power_law(&points).unwrap();
    assert!((fit.exponent - 2.0).abs() < ROUNDING, "{fit:?}");
    points.reverse();
    assert_eq!(power_law(&points), Some(fit));
}

#[test]
fn values_without_a_logarithm_and_repeated_x_give_no_fit() {
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        for at in [0, 7] {
            let mut points = curve(|x| x);
            points[at].1 = bad;
            assert_eq!(power_law(&points), None, "y = {bad}");
            points[at] = (bad, 1.0);
            assert_eq!(power_law(&points), None, "x = {bad}");
        }
    }
    assert_eq!(power_law(&[(1.0, 1.0), (2.0, 2.0), (4.0, 4.0), (4.0, 5.0)]), None);
}

#[test]
fn the_interval_is_the_textbook_one() {
    // ln x = 0, 1, 2, 3 and ln y = 0, 1, 2, 4 by hand: slope 1.3, squares 0.3 with 2 degrees of freedom, sum of squares
    // of ln x 5, t 4.30265 (table of Student's t to five decimals).
    let e = |v: f64| v.exp();
    let fit = power_law(&[(1.0, 1.0), (e(1.0), e(1.0)), (e(2.0), e(2.0)), (e(3.0), e(4.0))]).unwrap();
    assert_close(fit.exponent, 1.3, "exponent");
    assert_close(fit.residual, 0.15f64.sqrt(), "residual");
    assert_close(fit.coefficient, e(-0.2), "coefficient");
    assert!((fit.half_width - 4.30265 * (0.15f64 / 5.0).sqrt()).abs() < 1e-5, "{fit:?}");
    assert_eq!(fit.exponent_words(), "1.30 ± 0.75");
}

#[test]
fn the_interval_holds_the_true_exponent_in_about_95_of_100_noisy_curves() {
    // The noise is normal, from a counter-based hash, by Box and Muller; 2000 curves leave a standard error of 0.5 %.
    let uniform = |i: u64| {
        let mut z = i.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    };
    let normal = |i: u64| {
        (-2.0 * (1.0 - uniform(2 * i)).ln()).sqrt() * (std::f64::consts::TAU * uniform(2 * i + 1)).cos()
    };
    let holds = |i: &u64| {
        let noisy = (0..8)
            .map(|k| (LENGTHS[k], 3.0 * LENGTHS[k].powf(1.5) * (0.05 * normal(8 * i + k as u64 + 1)).exp()));
        let fit = power_law(&noisy.collect::<Vec<_>>()).unwrap();
        (fit.exponent - 1.5).abs() < fit.half_width
    };
    let share = (0..2000).filter(holds).count() as f64 / 2000.0;
    assert!((share - 0.95).abs() < 0.02, "{share}");
}

#[test]
fn exponents_are_written_with_two_decimals_and_a_visible_interval() {
    let words = |exponent, half_width| {
        PowerLaw { exponent, half_width, coefficient: 1.0, range: (1.0, 2.0), points: 4, residual: 0.0 }
            .exponent_words()
    };
    assert_eq!(words(1.926, 0.054), "1.93 ± 0.05");
    assert_eq!(words(1.0, 1e-9), "1.00");
    assert_eq!(words(-1e-17, 0.0), "0.00");
}

#[test]
fn local_slopes_are_those_between_neighbours() {
    let slopes = local_slopes(&curve(|x| if x <= 512.0 { x } else { x * x / 512.0 }));
    let middles: Vec<f64> = LENGTHS.windows(2).map(|pair| (pair[0] * pair[1]).sqrt()).collect();
    assert_eq!(slopes.len(), middles.len());
    for ((x, slope), middle) in slopes.into_iter().zip(middles) {
        assert_close(x, middle, "place");
        assert_close(slope, if x < 512.0 { 1.0 } else { 2.0 }, "slope");
    }
}

#[test]
fn no_local_slope_bridges_a_missing_value() {
    let slopes = local_slopes(&[(8.0, 8.0), (1.0, 1.0), (2.0, f64::NAN), (4.0, 4.0), (8.0, 9.0)]);
    assert_eq!(slopes.len(), 1, "{slopes:?}");
    assert_close(slopes[0].0, 32f64.sqrt(), "place");
    assert_eq!(local_slopes(&[(1.0, 1.0)]), []);
}

#[test]
fn power_laws_cross_where_they_are_equal() {
    for xs in [&[1.0, 10.0, 100.0][..], &[33.0, 34.0], &[1.0, 1000.0]] {
        let found = compare(&banded(xs, |x| 3.0 * x * x, 1.0), &banded(xs, |x| 100.0 * x, 1.0));
        let [crossover] = found.crossovers[..] else { panic!("{found:?}") };
        assert_close(crossover.x, 100.0 / 3.0, "crossover");
        assert_end(crossover.low, 100.0 / 3.0, "without bands the interval is the crossover");
        assert_end(crossover.high, 100.0 / 3.0, "without bands the interval is the crossover");
        assert_eq!((found.cheaper, crossover.cheaper_after), (Some(Which::First), Which::Second));
        assert_eq!((found.touches.len(), found.overlap_elsewhere), (0, false));
    }
}

#[test]
fn swapping_the_curves_swaps_the_answer_only() {
    let (a, b) = (banded(&LENGTHS, |x| 3.0 * x * x, 1.1), banded(&LENGTHS, |x| 3000.0 * x, 1.2));
    let (ab, ba) = (compare(&a, &b), compare(&b, &a));
    assert_close(ab.crossovers[0].x, ba.crossovers[0].x, "crossover");
    assert_eq!((ab.cheaper, ba.cheaper), (Some(Which::First), Some(Which::Second)));
    assert_eq!(ba.crossovers[0].cheaper_after, Which::First);
}

#[test]
fn curves_may_be_measured_at_different_x() {
    let found = compare(
        &banded(&[1.0, 20.0, 90.0], |x| 3.0 * x * x, 1.0),
        &banded(&[2.0, 30.0, 500.0], |x| 100.0 * x, 1.0),
    );
    assert_eq!(found.range, (2.0, 90.0));
    assert_close(found.crossovers[0].x, 100.0 / 3.0, "crossover");
}

#[test]
fn the_interval_is_where_the_bands_overlap() {
    // 3 x^2 / f = 100 x f at x = 100 f^2 / 3, and the other way round at 100 / (3 f^2).
    let xs = [1.0, 10.0, 100.0, 1000.0];
    let found = compare(&banded(&xs, |x| 3.0 * x * x, 1.3), &banded(&xs, |x| 100.0 * x, 1.3));
    let crossover = found.crossovers[0];
    assert_close(crossover.x, 100.0 / 3.0, "crossover");
    assert_end(crossover.low, 100.0 / 3.0 / 1.69, "low end");
    assert_end(crossover.high, 100.0 / 3.0 * 1.69, "high end");
    assert!(!found.overlap_elsewhere);
}

#[test]
fn an_interval_that_reaches_the_end_of_the_range_is_open() {
    let xs = [20.0, 40.0, 80.0];
    let found = compare(&banded(&xs, |x| 3.0 * x * x, 2.0), &banded(&xs, |x| 100.0 * x, 2.0));
    let Crossover { low, high, .. } = found.crossovers[0];
    assert_eq!((low, high), (End::Open(20.0), End::Open(80.0)));
    assert_eq!(
        found.words(["attention", "s4d"], "tokens", Meaning::Cost),
        "attention costs more than s4d from 33.3 (< 20 to > 80) tokens on"
    );
}

#[test]
fn without_a_crossover_one_curve_is_cheaper_throughout() {
    let (a, b) = (banded(&LENGTHS, |x| 3.0 * x, 1.1), banded(&LENGTHS, |x| 2.0 * x, 1.1));
    let found = compare(&a, &b);
    assert_eq!(
        (found.cheaper, found.crossovers.len(), found.range),
        (Some(Which::Second), 0, (64.0, 8192.0))
    );
    assert!(!found.overlap_elsewhere);
    let words = "attention costs more than s4d throughout, from 64 to 8192 tokens";
    assert_eq!(found.words(["attention", "s4d"], "tokens", Meaning::Cost), words);
    let faster = "attention is faster than s4d throughout, from 64 to 8192 tokens";
    assert_eq!(found.words(["attention", "s4d"], "tokens", Meaning::Speed), faster);
    let wide = compare(&banded(&LENGTHS, |x| 3.0 * x, 1.5), &b);
    assert!(wide.overlap_elsewhere);
    assert_eq!(
        wide.words(["attention", "s4d"], "tokens", Meaning::Cost),
        format!("{words}, but the spreads overlap")
    );
}

#[test]
fn several_crossovers_are_all_found_in_order() {
    let (a, b) =
        ([(1.0, 1.0), (2.0, 4.0), (4.0, 4.0), (8.0, 32.0)], [(1.0, 2.0), (2.0, 2.0), (4.0, 8.0), (8.0, 8.0)]);
    let found = compare(&bare(&a), &bare(&b));
    // ln a - ln b is -1, 1, -1, 2 times ln 2: zeros at 1/2, 1/2 and 1/3 of the steps.
    let expected = [(0.5, Which::Second), (1.5, Which::First), (2.0 + 1.0 / 3.0, Which::Second)];
    assert_eq!(found.crossovers.len(), 3);
    for (crossover, (x, after)) in found.crossovers.iter().zip(expected) {
        assert_close(crossover.x, 2f64.powf(x), "crossover");
        assert_eq!(crossover.cheaper_after, after);
    }
    assert_eq!(
        found.words(["a", "b"], "tokens", Meaning::Cost),
        "a costs more than b from 1.41 tokens on, less from 2.83 tokens on, more from 5.04 tokens on"
    );
}

#[test]
fn curves_that_meet_without_passing_touch() {
    let flat = [(1.0, 2.0), (2.0, 2.0), (4.0, 2.0), (8.0, 2.0)];
    let inside = compare(&bare(&[(1.0, 1.0), (2.0, 2.0), (4.0, 1.0), (8.0, 1.0)]), &bare(&flat));
    assert_eq!((inside.crossovers.len(), &inside.touches[..]), (0, &[2.0][..]));
    assert!(!inside.overlap_elsewhere);
    assert_eq!(
        inside.words(["a", "b"], "tokens", Meaning::Cost),
        "a costs less than b throughout, from 1 to 8 tokens, meeting it at 2"
    );
    let stretch = compare(&bare(&[(1.0, 1.0), (2.0, 2.0), (4.0, 2.0), (8.0, 1.0)]), &bare(&flat));
    assert_close(stretch.touches[0], 8f64.sqrt(), "the middle of the stretch");
    let ends = compare(&bare(&[(1.0, 2.0), (2.0, 1.0), (4.0, 1.0), (8.0, 2.0)]), &bare(&flat));
    assert_eq!((ends.cheaper, &ends.touches[..]), (Some(Which::First), &[1.0, 8.0][..]));
}

#[test]
fn a_crossover_at_a_measured_point_or_along_a_stretch_is_one_crossover() {
    let flat = [(1.0, 2.0), (2.0, 2.0), (4.0, 2.0), (8.0, 2.0)];
    let point = compare(&bare(&[(1.0, 1.0), (2.0, 2.0), (4.0, 3.0), (8.0, 3.0)]), &bare(&flat));
    assert_eq!((point.crossovers.len(), point.crossovers[0].x, point.touches.len()), (1, 2.0, 0));
    assert_end(point.crossovers[0].high, 2.0, "no band");
    let stretch = compare(&bare(&[(1.0, 1.0), (2.0, 2.0), (4.0, 2.0), (8.0, 3.0)]), &bare(&flat));
    let [crossover] = stretch.crossovers[..] else { panic!("{stretch:?}") };
    assert_close(crossover.x, 8f64.sqrt(), "the middle of the stretch");
    assert_end(crossover.low, 2.0, "the stretch is the interval");
    assert_end(crossover.high, 4.0, "the stretch is the interval");
}

#[test]
fn equal_curves_have_no_crossover_and_no_cheaper_one() {
    let found = compare(&bare(&curve(|x| x)), &bare(&curve(|x| x)));
    assert_eq!((found.cheaper, found.crossovers.len(), found.touches.len()), (None, 0, 0));
    let words = found.words(["s4d", "m2"], "tokens", Meaning::Cost);
    assert_eq!(words, "s4d and m2 cost the same from 64 to 8192 tokens");
}

#[test]
fn curves_that_cannot_be_compared_give_nothing() {
    let good = bare(&curve(|x| x));
    let point = Point::new(64.0, 1.0);
    for bad in [
        vec![],
        vec![Point::new(1.0, 1.0), Point::new(2.0, 1.0)],
        vec![point, point],
        vec![Point::new(64.0, f64::NAN)],
        vec![Point::new(64.0, 0.0)],
        vec![Point { low: -1.0, ..point }],
        vec![Point { low: 2.0, ..point }],
        vec![Point { high: f64::INFINITY, ..point }],
    ] {
        assert_eq!(crossovers(&good, &bad), None, "{bad:?}");
        assert_eq!(crossovers(&bad, &good), None, "{bad:?}");
    }
    assert_eq!(
        compare(&[point], &good).range,
        (64.0, 64.0),
        "one common x is enough to tell the cheaper one"
    );
}
