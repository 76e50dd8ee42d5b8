//! The closed-form spectrum of HiPPO-LegS against its matrices.

use subquad_s4::hippo::{Measure, NormalPair};
use subquad_s4::reference::{Complex, real};

fn root(n: usize) -> f64 {
    ((2 * n + 1) as f64).sqrt()
}

/// `A + P P^T + I / 2`, from the definition of LegS with `P_n = sqrt(n + 1/2)`.
fn skew_part(size: usize, n: usize, k: usize) -> f64 {
    assert!(n < size && k < size);
    let a = match n.cmp(&k) {
        std::cmp::Ordering::Greater => -root(n) * root(k),
        std::cmp::Ordering::Equal => -((n + 1) as f64),
        std::cmp::Ordering::Less => 0.0,
    };
    let correction = ((n as f64 + 0.5) * (k as f64 + 0.5)).sqrt();
    let identity = if n == k { 0.5 } else { 0.0 };
    a + correction + identity
}

/// The unit eigenvector of `w`, first entry positive, by forward substitution in `K v = i w v` scaled to `v_0 = 1`.
fn eigenvector(size: usize, w: f64) -> Vec<Complex> {
    let mut v = vec![real(1.0)];
    // Row n minus a multiple of row n - 1 holds only v_n and v_{n-1}.
    for n in 1..size {
        let (c, before) = (n as f64 + 0.5, n as f64 - 0.5);
        let turn = -Complex { re: before, im: -w } / Complex { re: c, im: w };
        v.push(v[n - 1] * turn * real(root(n) / root(n - 1)));
    }
    let length = v.iter().map(|z| z.re * z.re + z.im * z.im).sum::<f64>().sqrt();
    v.into_iter().map(|z| z * real(1.0 / length)).collect()
}

fn size(z: Complex) -> f64 {
    z.re.hypot(z.im)
}

#[test]
fn every_pair_is_an_eigenpair_of_the_normal_part() {
    for n_state in [2, 4, 8, 64] {
        let pairs = Measure::Legs.pairs(n_state);
        assert_eq!(pairs.len(), n_state / 2);
        assert!(
            pairs[0].a.im > 0.0 && pairs.windows(2).all(|p| p[0].a.im < p[1].a.im),
            "distinct, so all of them"
        );
        for NormalPair { a, b, .. } in pairs {
            let w = a.im;
            let v = eigenvector(n_state, w);
            for n in 0..n_state {
                let row = (0..n_state).fold(real(0.0), |sum, k| sum + real(skew_part(n_state, n, k)) * v[k]);
                let residual = size(row - Complex { re: 0.0, im: w } * v[n]);
                assert!(
                    residual < 1e-12 * (1.0 + w) * n_state as f64,
                    "N = {n_state}, w = {w}: {residual:e}"
                );
            }
            let weight = (0..n_state).fold(real(0.0), |sum, n| sum + v[n].conj() * real(root(n)));
            let difference = size(weight - b);
            assert!(
                difference < 1e-11 * n_state as f64,
                "N = {n_state}, w = {w}: B differs by {difference:e}"
            );
        }
    }
}

#[test]
fn the_spectrum_has_its_known_values() {
    // The published solver keeps the other member of each pair: its B is the conjugate.
    let four = Measure::Legs.pairs(4);
    let wanted = [[0.5565011151, 0.6462349417, -0.7192609314], [4.6032930071, 0.2870198601, -2.6424730297]];
    for (NormalPair { a, b, .. }, wanted) in four.into_iter().zip(wanted) {
        assert!([a.im, b.re, b.im].iter().zip(wanted).all(|(got, wanted)| (got - wanted).abs() < 1e-9));
    }
    let extremes = [
        (64, 0.2638569311, 1303.2738429812),
        (16, 0.3520179159, 80.9660809245),
        (8, 0.4274887123, 19.8574103710),
    ];
    for (n_state, least, most) in extremes {
        let pairs = Measure::Legs.pairs(n_state);
        assert!((pairs[0].a.im - least).abs() < 1e-9, "N = {n_state}: {}", pairs[0].a.im);
        assert!(
            (pairs[n_state / 2 - 1].a.im - most).abs() < 1e-8,
            "N = {n_state}: {}",
            pairs[n_state / 2 - 1].a.im
        );
    }
}

#[test]
fn the_input_weights_hold_all_of_b() {
    for n_state in [2, 16, 64, 256] {
        let sum: f64 = Measure::Legs.pairs(n_state).iter().map(|pair| pair.b.norm_sqr()).sum();
        let wanted = (n_state * n_state) as f64 / 2.0;
        assert!((sum / wanted - 1.0).abs() < 1e-12, "N = {n_state}: {sum}");
    }
}
