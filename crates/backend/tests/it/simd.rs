//! Functions of whole vectors against those of f64.

use pulp::{Simd, WithSimd};
use subquad_backend::simd::{dispatch, exp2, sin_cos};
use subquad_testkit::cpu;

/// A function of every number.
struct Map<'a, F>(&'a mut [f32], F);

trait Function: Copy {
    fn of<S: Simd>(self, simd: S, x: S::f32s) -> S::f32s;
}

#[derive(Clone, Copy)]
struct Exp2;

impl Function for Exp2 {
    fn of<S: Simd>(self, simd: S, x: S::f32s) -> S::f32s {
        exp2(simd, x)
    }
}

#[derive(Clone, Copy)]
enum Wave {
    Sin,
    Cos,
}

impl Function for Wave {
    fn of<S: Simd>(self, simd: S, x: S::f32s) -> S::f32s {
        let (sin, cos) = sin_cos(simd, x);
        match self {
            Self::Sin => sin,
            Self::Cos => cos,
        }
    }
}

impl<F: Function> WithSimd for Map<'_, F> {
    type Output = ();
    fn with_simd<S: Simd>(self, simd: S) {
        let (vectors, rest) = S::as_mut_simd_f32s(self.0);
        assert!(rest.is_empty(), "whole vectors");
        vectors.iter_mut().for_each(|x| *x = self.1.of(simd, *x));
    }
}

fn on_every_machine(values: &[f32], f: impl Function) -> Vec<Vec<f32>> {
    cpu(); // `dispatch` takes the instructions that tests are to use.
    let run = |work: &dyn Fn(&mut [f32])| {
        let mut values = values.to_vec();
        work(&mut values);
        values
    };
    let mut results = vec![run(&|x| pulp::Scalar.vectorize(Map(x, f))), run(&|x| dispatch(Map(x, f)))];
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        results.push(run(&|x| Simd::vectorize(simd, Map(x, f))));
    }
    results
}

/// Roundings of f32 (6e-8 each) and the polynomial (1e-7).
const REL_TOL: f64 = 2e-7;

#[test]
fn powers_of_two_are_right_to_the_last_bits() {
    let x: Vec<f32> = (0..2_530_000).map(|i| -126.0 + i as f32 * 1e-4).collect();
    let x = &x[..x.len() / 16 * 16];
    for got in on_every_machine(x, Exp2) {
        for (x, got) in x.iter().zip(got) {
            let expected = f64::from(*x).exp2();
            let error = (f64::from(got) - expected).abs() / expected;
            assert!(error < REL_TOL, "2^{x}: {error:e}");
        }
    }
}

#[test]
fn no_score_at_all_has_weight_0_and_what_is_too_large_is_infinite_and_nan_stays() {
    let mut x = [0.0; 16];
    x[..8].copy_from_slice(&[f32::NEG_INFINITY, -150.0, -1e30, f32::NAN, -126.5, 1e30, f32::INFINITY, 127.9]);
    for got in on_every_machine(&x, Exp2) {
        assert_eq!((got[0], got[1], got[2], got[8]), (0.0, 0.0, 0.0, 1.0));
        assert!(got[3].is_nan());
        assert!((0.0..2.4e-38).contains(&got[4]), "{}", got[4]);
        assert_eq!((got[5], got[6]), (f32::INFINITY, f32::INFINITY));
        assert!(got[7] >= 127f32.exp2() && got[7].is_finite(), "{}", got[7]);
    }
}

/// Roundings of f32 (6e-8 each) of the rest, of the polynomial, and of the value.
const SINE: f64 = 2e-7;

/// Largest error of sines or cosines on every machine, divided by `scale(x)`.
fn worst(x: &[f32], scale: fn(f32) -> f32) -> f64 {
    let exact: [fn(f64) -> f64; 2] = [f64::sin, f64::cos];
    let mut worst = 0f64;
    for (wave, exact) in [Wave::Sin, Wave::Cos].into_iter().zip(exact) {
        for got in on_every_machine(x, wave) {
            let error = |(x, got): (&f32, f32)| {
                assert!(got.is_finite(), "{x}: {got}");
                (f64::from(got) - exact(f64::from(*x))).abs() / f64::from(scale(*x))
            };
            worst = x.iter().zip(got).map(error).fold(worst, f64::max);
        }
    }
    worst
}

#[test]
fn sine_and_cosine_are_right_to_f32() {
    let grid = |limit: f32| -> Vec<f32> { (-20_000..20_000).map(|i| i as f32 / 20_000.0 * limit).collect() };
    let near = worst(&grid(1000.0), |_| 1.0);
    let far = worst(&grid(1e6), |x| x.abs().max(1000.0));
    assert!(near < SINE && far < f64::from(f32::EPSILON), "{near:e} {far:e}");
}

#[test]
fn sine_and_cosine_are_bounded_where_f32_cannot_tell_and_nan_stays() {
    let mut x = [0.0; 16];
    x[..6].copy_from_slice(&[1e7, -3e9, f32::MAX, f32::MIN, f32::NAN, f32::INFINITY]);
    for (wave, at_zero) in [(Wave::Sin, 0.0), (Wave::Cos, 1.0)] {
        for got in on_every_machine(&x, wave) {
            assert!(got[..4].iter().all(|wave| f64::from(wave.abs()) < 1.0 + SINE), "{got:?}");
            assert!(got[4].is_nan() && got[5].is_nan() && got[6] == at_zero, "{got:?}");
        }
    }
}
