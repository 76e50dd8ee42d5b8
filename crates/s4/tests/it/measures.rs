//! HiPPO matrices, what they do, and their diagonal form.

use std::f64::consts::{PI, SQRT_2};

use subquad_s4::hippo::{Complex, Hippo, Measure, NormalPair};
use subquad_s4::reference::{Matrix, real};
use subquad_testkit::assert_rel_close;

use crate::truncation::dense_of;

const SIZES: [usize; 5] = [2, 4, 8, 64, 256];

/// Ten digits were computed beforehand.
const PRINTED: f64 = 1e-9;

/// Rounding of sums of `n` numbers, over their size and `n`: measured 2e-15.
const ROUNDING: f64 = 1e-14;

fn close(got: Complex, wanted: Complex, tolerance: f64, what: &str) {
    let error = (got - wanted).norm();
    assert!(error <= tolerance, "{what}: {got:?}, wanted {wanted:?}, {error:e} apart, allowed {tolerance:e}");
}

/// `S = A + sum over r of P_r P_r^T`, row by row.
fn normal_part(Hippo { a, p, .. }: &Hippo) -> Vec<Vec<f64>> {
    let entry = |n: usize, k: usize| a[n][k] + p.iter().map(|p| p[n] * p[k]).sum::<f64>();
    (0..a.len()).map(|n| (0..a.len()).map(|k| entry(n, k)).collect()).collect()
}

fn largest(rows: &[Vec<f64>]) -> f64 {
    rows.iter().flatten().fold(0.0, |most, x| most.max(x.abs()))
}

#[test]
fn the_matrices_of_four_states_are_those_computed_by_hand() {
    let root = |n: usize| ((2 * n + 1) as f64).sqrt();
    let legs = [
        [-1.0, 0.0, 0.0, 0.0],
        [-1.7320508076, -2.0, 0.0, 0.0],
        [-2.2360679775, -3.8729833462, -3.0, 0.0],
        [-2.6457513111, -4.5825756950, -5.9160797831, -4.0],
    ];
    let legt = [
        [-0.5, 0.8660254, -1.1180340, 1.3228757],
        [-0.8660254, -1.5, 1.9364917, -2.2912878],
        [-1.1180340, -1.9364917, -2.5, 2.9580399],
        [-1.3228757, -2.2912878, -2.9580399, -3.5],
    ];
    let fout =
        [[-1.0, 0.0, -SQRT_2, 0.0], [0.0, 0.0, 0.0, 0.0], [-SQRT_2, 0.0, -2.0, -PI], [0.0, 0.0, PI, 0.0]];
    let b = [
        [0, 1, 2, 3].map(root).to_vec(),
        [0.5, 0.8660254, 1.1180340, 1.3228757].to_vec(),
        [1.0, 0.0, SQRT_2, 0.0].to_vec(),
    ];
    for ((measure, a), b) in Measure::ALL.into_iter().zip([legs, legt, fout]).zip(b) {
        let hippo = measure.matrix(4);
        // Seven decimals are known.
        assert_rel_close(hippo.a.concat(), a.concat(), 1e-7, format!("A of {measure:?}"));
        assert_rel_close(hippo.b, b, 1e-7, format!("B of {measure:?}"));
    }
}

#[test]
fn the_corrected_matrix_is_normal_and_all_but_a_multiple_of_one_is_skew() {
    for measure in Measure::ALL {
        for n in SIZES {
            let hippo = measure.matrix(n);
            assert_eq!(hippo.p.len(), measure.rank());
            let s = normal_part(&hippo);
            let tolerance = ROUNDING * largest(&hippo.a);
            let mean = if measure == Measure::Legs { -0.5 } else { 0.0 };
            for (i, row) in s.iter().enumerate() {
                for (j, entry) in row.iter().enumerate() {
                    let wanted = if i == j { 2.0 * mean } else { 0.0 };
                    let error = (entry + s[j][i] - wanted).abs();
                    assert!(error <= tolerance, "{measure:?}, N = {n}, entry {i}, {j}: {error:e}");
                }
            }
        }
    }
}

fn times(s: &[Vec<f64>], v: &[Complex]) -> Vec<Complex> {
    let dot = |row: &Vec<f64>| row.iter().zip(v).map(|(s, v)| real(*s) * *v).sum();
    s.iter().map(dot).collect()
}

/// Eigenvalue, `B'` and `P'` are what the vector says they are.
fn eigenpair(hippo: &Hippo, pair: &NormalPair, tolerance: f64, what: &str) {
    for (got, v) in times(&normal_part(hippo), &pair.v).into_iter().zip(&pair.v) {
        close(got, pair.a * *v, tolerance, what);
    }
    close(pair.b, pair.project(&hippo.b), tolerance, what);
    for (p, row) in pair.p.iter().zip(&hippo.p) {
        close(*p, pair.project(row), tolerance, what);
    }
}

#[test]
fn every_pair_is_an_eigenpair_of_the_normal_part_and_the_slowest_comes_first() {
    for measure in Measure::ALL {
        for n in SIZES {
            let (hippo, pairs) = (measure.matrix(n), measure.pairs(n));
            assert_eq!(pairs.len(), n / 2);
            assert!(pairs[0].a.im >= 0.0 && pairs.windows(2).all(|two| two[0].a.im < two[1].a.im));
            let tolerance = ROUNDING * n as f64 * largest(&hippo.a);
            for pair in &pairs {
                let what = format!("{measure:?}, N = {n}, w = {}", pair.a.im);
                assert_eq!(pair.p.len(), measure.rank());
                eigenpair(&hippo, pair, tolerance, &what);
            }
        }
    }
}

#[test]
fn the_eigenvectors_and_their_conjugates_are_an_orthonormal_basis() {
    for measure in Measure::ALL {
        for n in SIZES {
            let pairs = measure.pairs(n);
            for (i, x) in pairs.iter().enumerate() {
                for (j, y) in pairs.iter().enumerate() {
                    let product = |conj: fn(Complex) -> Complex| -> Complex {
                        x.v.iter().zip(&y.v).map(|(x, y)| conj(*x) * *y).sum()
                    };
                    let (same, what) =
                        (f64::from(i == j), format!("{measure:?}, N = {n}, vectors {i} and {j}"));
                    close(product(|z| z.conj()), real(same), ROUNDING * n as f64, &what);
                    close(product(|z| z), real(0.0), ROUNDING * n as f64, &what);
                }
            }
        }
    }
}

#[test]
fn pairs_put_together_again_are_the_normal_part() {
    for measure in Measure::ALL {
        for n in SIZES {
            let pairs = measure.pairs(n);
            let entry = |i: usize, j: usize| -> f64 {
                pairs.iter().map(|pair| 2.0 * (pair.a * pair.v[i] * pair.v[j].conj()).re).sum()
            };
            let s = normal_part(&measure.matrix(n));
            let again: Vec<f64> =
                (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).map(|(i, j)| entry(i, j)).collect();
            assert_rel_close(again, s.concat(), ROUNDING * n as f64, format!("{measure:?}, N = {n}"));
        }
    }
}

#[test]
fn eigenvectors_begin_with_a_positive_number_where_the_clip_depends_on_it() {
    for measure in [Measure::Legs, Measure::Legt] {
        for n in SIZES {
            assert!(
                measure.pairs(n).iter().all(|pair| pair.v[0].re > 1e-6 && pair.v[0].im == 0.0),
                "{measure:?}"
            );
        }
    }
}

#[test]
fn low_rank_weights_are_the_input_weights_again() {
    for n in SIZES {
        let sum = |pair: &NormalPair| pair.p.iter().copied().sum::<Complex>();
        let ratios = [(Measure::Legs, 2f64.sqrt()), (Measure::Legt, 0.5f64.sqrt()), (Measure::Fout, 1.0)];
        for (measure, ratio) in ratios {
            for pair in measure.pairs(n) {
                let tolerance = ROUNDING * n as f64 * pair.b.norm();
                close(pair.b, real(ratio) * sum(&pair), tolerance, &format!("{measure:?}, N = {n}"));
            }
        }
    }
}

/// The first and the last row of `S v = i w v` hold a total of all odd and all even entries.
#[test]
fn both_ends_of_a_legt_eigenvector_know_its_low_rank_weights() {
    for n in SIZES {
        let root = ((2 * n - 1) as f64).sqrt();
        for pair in Measure::Legt.pairs(n) {
            let scale = real(2f64.sqrt()) * pair.a;
            let ends = [scale * pair.v[0], -scale * pair.v[n - 1] * real(1.0 / root)];
            for (p, end) in pair.p.iter().zip(ends) {
                close(p.conj(), end, ROUNDING * (n * n) as f64, &format!("N = {n}"));
            }
        }
    }
}

#[test]
fn all_of_b_is_in_the_pairs() {
    for measure in Measure::ALL {
        for n in SIZES {
            let whole: f64 = measure.matrix(n).b.iter().map(|b| b * b).sum();
            let pairs: f64 = measure.pairs(n).iter().map(|pair| 2.0 * pair.b.norm().powi(2)).sum();
            assert!(
                (pairs / whole - 1.0).abs() < ROUNDING * n as f64,
                "{measure:?}, N = {n}: {pairs}, wanted {whole}"
            );
        }
    }
}

#[test]
fn legs_has_its_known_values() {
    // The published solver keeps the other member of each pair: its weights are the conjugates.
    let wanted = [[0.5565011151, 0.6462349417, -0.7192609314], [4.6032930071, 0.2870198601, -2.6424730297]];
    for (pair, [w, re, im]) in Measure::Legs.pairs(4).iter().zip(wanted) {
        close(pair.a, Complex { re: -0.5, im: w }, PRINTED, "A");
        close(pair.b, Complex { re, im }, PRINTED, "B");
    }
    let frequencies = Measure::Legs.pairs(64);
    close(frequencies[0].a, Complex { re: -0.5, im: 0.2638569311 }, PRINTED, "slowest of 64");
    close(frequencies[31].a, Complex { re: -0.5, im: 1303.2738429812 }, PRINTED, "fastest of 64");
}

/// `e^A` by squaring, with a Taylor series of `A / 2^14`.
fn exponential(a: &Matrix) -> Matrix {
    let small = a.affine(real(0.5f64.powi(14)), real(0.0));
    let mut sum = Matrix::identity(a.size());
    for order in (1..=10).rev() {
        sum = small.product(&sum).affine(real(1.0 / f64::from(order)), real(1.0));
    }
    sum.power(1 << 14)
}

/// `e^(tA) B` at `t = step, 2 step, ..`, real.
fn responses(measure: Measure, n: usize, step: f64, count: usize) -> Vec<Vec<f64>> {
    let hippo = measure.matrix(n);
    let dense = dense_of(&hippo, &hippo.b);
    let turn = exponential(&dense.a.affine(real(step), real(0.0)));
    let mut x = dense.b;
    let mut next = || {
        x = turn.times(&x);
        x.iter().map(|x| x.re).collect()
    };
    (0..count).map(|_| next()).collect()
}

/// `P_n(x)` for `n < count`, by the recurrence of three terms.
fn legendre(count: usize, x: f64) -> Vec<f64> {
    let mut p = vec![1.0, x];
    for n in 2..count {
        let n_f = n as f64;
        p.push(((2.0 * n_f - 1.0) * x * p[n - 1] - (n_f - 1.0) * p[n - 2]) / n_f);
    }
    p
}

#[test]
fn legs_weighs_the_past_with_legendre_polynomials_of_its_exponential() {
    let n = 8;
    for (i, got) in responses(Measure::Legs, n, 0.25, 16).into_iter().enumerate() {
        let decayed = (-0.25 * (i + 1) as f64).exp();
        let polynomials = legendre(n, 2.0 * decayed - 1.0);
        let wanted: Vec<f64> =
            (0..n).map(|n| ((2 * n + 1) as f64).sqrt() * polynomials[n] * decayed).collect();
        // The exponential is squared 14 times: measured 5e-12.
        assert_rel_close(got, wanted, 5e-11, format!("t = {}", 0.25 * (i + 1) as f64));
    }
}

/// `e^(tA) B` of the first four states inside the window of 2 units of time.
fn window(measure: Measure, t: f64) -> Vec<f64> {
    let (half, polynomials) = (0.5f64.sqrt(), legendre(4, 1.0 - t));
    let turn = |k: f64| (PI * k * t).sin_cos();
    match measure {
        Measure::Legs => vec![0.0; 4],
        Measure::Legt => (0..4).map(|n| 0.5 * ((2 * n + 1) as f64).sqrt() * polynomials[n]).collect(),
        Measure::Fout => vec![0.5, 0.0, half * turn(1.0).1, half * turn(1.0).0],
    }
}

/// The largest difference, away from both ends of the window.
fn distance_to_window(measure: Measure, n: usize) -> f64 {
    let mut most: f64 = 0.0;
    for (i, got) in responses(measure, n, 0.125, 24).iter().enumerate() {
        let t = 0.125 * (i + 1) as f64;
        let wanted = if t < 2.0 { window(measure, t) } else { vec![0.0; 4] };
        if t >= 0.25 && (t - 2.0).abs() >= 0.25 {
            most = got.iter().zip(wanted).map(|(got, wanted)| (got - wanted).abs()).fold(most, f64::max);
        }
    }
    most
}

/// Sharp ends have a ripple that is smaller the more states there are.
#[test]
fn legt_and_fout_weigh_a_window_with_their_basis_and_forget_what_is_before() {
    for measure in [Measure::Legt, Measure::Fout] {
        let [few, many] = [16, 64].map(|n| distance_to_window(measure, n));
        assert!(few < 0.15 && many < 0.5 * few, "{measure:?}: {few} with 16 states, {many} with 64");
    }
}
