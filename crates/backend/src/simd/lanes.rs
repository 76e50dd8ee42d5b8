//! Functions of whole vectors.

use pulp::Simd;

/// `a b + c`, rounded once where the machine has such an instruction.
#[inline(always)]
pub fn mul_add<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
    // Without the instruction a single rounding would be a call of a function for each number.
    match S::IS_SCALAR {
        true => simd.add_f32s(simd.mul_f32s(a, b), c),
        false => simd.mul_add_e_f32s(a, b, c),
    }
}

/// `2^x` within 2e-7 of it for `x` from -126 to 127; 0 from -150 down, less than `2^-125` between, at least `2^127` above, and
/// infinite from 128 up. NaN stays NaN.
///
/// `x = n + r` with `|r| <= 1/2`, so `2^x = 2^n 2^r`, and five terms after the 1 leave out less than 1e-7 of `2^r`
/// (coefficients: smallest relative error, found by reweighted least squares).
#[inline(always)]
pub fn exp2<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    #[cfg(target_arch = "x86_64")]
    if avx512::runs::<S>() {
        return avx512::exp2(simd, x);
    }
    // Adding 1.5 * 2^23 leaves no bits behind the point: the sum ends in the integer nearest to x.
    const ROUND: f32 = 12_582_912.0;
    const EXPONENT_SHIFT: u32 = f32::MANTISSA_DIGITS - 1;
    // From -127, where the bits of the exponent are 0, and those of `2^0 = 1` too, to 128, where they are those of infinity.
    let x = clamp(simd, x, [-127.0, 128.0]);
    let rounded = simd.add_f32s(x, simd.splat_f32s(ROUND));
    let r = simd.sub_f32s(x, simd.sub_f32s(rounded, simd.splat_f32s(ROUND)));
    let n = simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(rounded), simd.splat_u32s(EXPONENT_SHIFT));
    simd.transmute_f32s_u32s(simd.add_u32s(simd.transmute_u32s_f32s(small_exp2(simd, r)), n))
}

/// `x` or the nearest number of the range. NaN stays NaN.
#[inline(always)]
pub(super) fn clamp<S: Simd>(simd: S, x: S::f32s, [lowest, highest]: [f32; 2]) -> S::f32s {
    let (lowest, highest) = (simd.splat_f32s(lowest), simd.splat_f32s(highest));
    if S::IS_SCALAR {
        let x = simd.select_f32s(simd.less_than_f32s(x, lowest), lowest, x);
        return simd.select_f32s(simd.greater_than_f32s(x, highest), highest, x);
    }
    // A vector's minimum or maximum is the second operand if one is not a number. A scalar's is the other one.
    simd.min_f32s(highest, simd.max_f32s(lowest, x))
}

/// `2^r` for `|r| <= 1/2`.
#[inline(always)]
fn small_exp2<S: Simd>(simd: S, r: S::f32s) -> S::f32s {
    // The fifth is near ln 2, but not it.
    #[allow(clippy::approx_constant)]
    const TERMS: [f32; 6] = [0.001_326_472_7, 0.009_671_513, 0.055_507_336, 0.240_222_42, 0.693_147, 1.0];
    polynomial(simd, r, TERMS)
}

/// By Horner's rule, highest term first. A loop: a closure that is not inlined is not compiled for the instruction set.
#[inline(always)]
pub(super) fn polynomial<S: Simd, const N: usize>(simd: S, x: S::f32s, terms: [f32; N]) -> S::f32s {
    let mut sum = simd.splat_f32s(terms[0]);
    for term in &terms[1..] {
        sum = mul_add(simd, sum, x, simd.splat_f32s(*term));
    }
    sum
}

/// `(sin x, cos x)`, each within 2e-7 for `|x|` up to 1000, within one more f32 rounding of `x` beyond, and between -1 and 1
/// (and those 2e-7) always. NaN stays NaN.
///
/// `x = n pi / 2 + r` with `|r| <= pi / 4` (Cody, Waite 1980: pi / 2 in parts), and polynomials of `r` with the minimax
/// coefficients of Moshier's Cephes library (`sinf.c`).
#[inline(always)]
pub fn sin_cos<S: Simd>(simd: S, x: S::f32s) -> (S::f32s, S::f32s) {
    const SIN: [f32; 3] = [-1.951_529_6e-4, 8.332_161e-3, -0.166_666_55];
    const COS: [f32; 5] = [2.443_315_7e-5, -1.388_731_6e-3, 4.166_664_6e-2, -0.5, 1.0];
    let (r, quarter) = quarter_turns(simd, x);
    let z = simd.mul_f32s(r, r);
    let (sin, cos) =
        (mul_add(simd, simd.mul_f32s(r, z), polynomial(simd, z, SIN), r), polynomial(simd, z, COS));
    let one = simd.splat_u32s(1);
    let even = simd.equal_u32s(simd.and_u32s(quarter, one), simd.splat_u32s(0));
    let (sin, cos) = (simd.select_f32s(even, sin, cos), simd.select_f32s(even, cos, sin));
    (negate_if(simd, sin, quarter), negate_if(simd, cos, simd.add_u32s(quarter, one)))
}

/// `r` and `n` of `x = n pi / 2 + r`; of `n` the last bits.
#[inline(always)]
fn quarter_turns<S: Simd>(simd: S, x: S::f32s) -> (S::f32s, S::u32s) {
    // Adding 1.5 * 2^23 leaves no bits behind the point: the sum ends in the integer nearest to 2 x / pi.
    const ROUND: f32 = 12_582_912.0;
    // pi / 2: the first two parts have so few bits that n times them is exact.
    const MINUS_PARTS: [f32; 3] = [-1.570_312_5, -4.837_513e-4, -7.549_79e-8];
    let round = simd.splat_f32s(ROUND);
    let rounded = mul_add(simd, x, simd.splat_f32s(std::f32::consts::FRAC_2_PI), round);
    let n = simd.sub_f32s(rounded, round);
    let mut r = x;
    for part in MINUS_PARTS {
        r = mul_add(simd, n, simd.splat_f32s(part), r);
    }
    // Beyond 10^7 the integer has no last bits, and the rest is anything.
    (clamp(simd, r, [-1.0, 1.0]), simd.transmute_u32s_f32s(rounded))
}

/// `-x` if the second bit of `turn` is set.
#[inline(always)]
fn negate_if<S: Simd>(simd: S, x: S::f32s, turn: S::u32s) -> S::f32s {
    const TO_SIGN: u32 = 30;
    let bit = simd.and_u32s(turn, simd.splat_u32s(2));
    let sign = simd.wrapping_dyn_shl_u32s(bit, simd.splat_u32s(TO_SIGN));
    simd.transmute_f32s_u32s(simd.xor_u32s(simd.transmute_u32s_f32s(x), sign))
}

/// The vector that begins `from`, filled up with zeros if that is shorter.
#[inline(always)]
pub fn load<S: Simd>(simd: S, from: &[f32]) -> S::f32s {
    match S::as_simd_f32s(from).0.first() {
        Some(whole) => *whole,
        None => simd.partial_load_f32s(from),
    }
}

/// A vector, or as much of it as there is room for.
#[inline(always)]
pub fn save<S: Simd>(simd: S, to: &mut [f32], value: S::f32s) {
    match S::as_mut_simd_f32s(to).0.first_mut() {
        Some(whole) => *whole = value,
        None => simd.partial_store_f32s(to, value),
    }
}

/// AVX-512 rounds and scales by a power of two in one instruction each.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
mod avx512 {
    use std::any::TypeId;
    use std::arch::x86_64::{__m512, _mm512_roundscale_ps, _mm512_scalef_ps};

    use std::mem::transmute_copy;

    use pulp::Simd;
    use pulp::x86::V4;

    /// Whether `S` is AVX-512.
    #[inline(always)]
    pub(super) fn runs<S: Simd>() -> bool {
        TypeId::of::<S>() == TypeId::of::<V4>()
    }

    #[inline(always)]
    pub(super) fn exp2<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
        assert!(runs::<S>(), "only for AVX-512");
        // SAFETY: `S` is V4, so its vectors are 16 floats, as `__m512` is; and `simd`, a value of type V4, exists only where
        // the machine has AVX-512F, which is what the two instructions need.
        unsafe {
            let wide = transmute_copy::<S::f32s, __m512>(&x);
            let n = _mm512_roundscale_ps::<0>(wide);
            let r = simd.sub_f32s(x, transmute_copy::<__m512, S::f32s>(&n));
            let small = transmute_copy::<S::f32s, __m512>(&super::small_exp2(simd, r));
            transmute_copy::<__m512, S::f32s>(&_mm512_scalef_ps(small, n))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulp::WithSimd;

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
        let run = |work: &dyn Fn(&mut [f32])| {
            let mut values = values.to_vec();
            work(&mut values);
            values
        };
        let mut results =
            vec![run(&|x| pulp::Scalar.vectorize(Map(x, f))), run(&|x| crate::simd::dispatch(Map(x, f)))];
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
        x[..8].copy_from_slice(&[
            f32::NEG_INFINITY,
            -150.0,
            -1e30,
            f32::NAN,
            -126.5,
            1e30,
            f32::INFINITY,
            127.9,
        ]);
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
        let grid =
            |limit: f32| -> Vec<f32> { (-20_000..20_000).map(|i| i as f32 / 20_000.0 * limit).collect() };
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
}
