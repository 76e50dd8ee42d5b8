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

/// `2^x` within 2e-7 of it for `x` from -126 to 127; 0 from -127 down, garbage below `2^-126` between. NaN stays NaN.
///
/// `x = n + r` with `|r| <= 1/2`, so `2^x = 2^n 2^r`, and five terms after the 1 leave out less than 1e-7 of `2^r`
/// (coefficients: smallest relative error, found by reweighted least squares).
#[inline(always)]
pub fn exp2<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    // Adding 1.5 * 2^23 leaves no bits behind the point: the sum ends in the integer nearest to x.
    const ROUND: f32 = 12_582_912.0;
    const EXPONENT_SHIFT: u32 = f32::MANTISSA_DIGITS - 1;
    const TERMS: [f32; 5] = [0.001_326_472_7, 0.009_671_513, 0.055_507_336, 0.240_222_42, 0.693_147];
    // At -127 the exponent's bits are 0 and those of 2^0 = 1 too: the result is 0 itself.
    let lowest = simd.splat_f32s(-127.0);
    let x = simd.select_f32s(simd.less_than_f32s(x, lowest), lowest, x);
    let rounded = simd.add_f32s(x, simd.splat_f32s(ROUND));
    let r = simd.sub_f32s(x, simd.sub_f32s(rounded, simd.splat_f32s(ROUND)));
    let mut two_r = simd.splat_f32s(TERMS[0]);
    for term in &TERMS[1..] {
        two_r = mul_add(simd, two_r, r, simd.splat_f32s(*term));
    }
    let two_r = mul_add(simd, two_r, r, simd.splat_f32s(1.0));
    let bits = simd.transmute_u32s_f32s(rounded);
    let n = simd.wrapping_dyn_shl_u32s(bits, simd.splat_u32s(EXPONENT_SHIFT));
    simd.transmute_f32s_u32s(simd.add_u32s(simd.transmute_u32s_f32s(two_r), n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulp::WithSimd;

    struct Exp2<'a>(&'a mut [f32]);

    impl WithSimd for Exp2<'_> {
        type Output = ();
        fn with_simd<S: Simd>(self, simd: S) {
            let (vectors, rest) = S::as_mut_simd_f32s(self.0);
            assert!(rest.is_empty(), "whole vectors");
            vectors.iter_mut().for_each(|x| *x = exp2(simd, *x));
        }
    }

    fn on_every_machine(values: &[f32]) -> Vec<Vec<f32>> {
        let run = |work: &dyn Fn(&mut [f32])| {
            let mut values = values.to_vec();
            work(&mut values);
            values
        };
        let mut results =
            vec![run(&|x| pulp::Scalar.vectorize(Exp2(x))), run(&|x| crate::simd::dispatch(Exp2(x)))];
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = pulp::x86::V3::try_new() {
            results.push(run(&|x| Simd::vectorize(simd, Exp2(x))));
        }
        results
    }

    /// Roundings of f32 (6e-8 each) and the polynomial (1e-7).
    const REL_TOL: f64 = 2e-7;

    #[test]
    fn powers_of_two_are_right_to_the_last_bits() {
        let x: Vec<f32> = (0..2_530_000).map(|i| -126.0 + i as f32 * 1e-4).collect();
        let x = &x[..x.len() / 16 * 16];
        for got in on_every_machine(x) {
            for (x, got) in x.iter().zip(got) {
                let expected = f64::from(*x).exp2();
                let error = (f64::from(got) - expected).abs() / expected;
                assert!(error < REL_TOL, "2^{x}: {error:e}");
            }
        }
    }

    #[test]
    fn no_score_at_all_has_weight_0_and_nan_stays() {
        let mut x = [0.0; 16];
        x[..5].copy_from_slice(&[f32::NEG_INFINITY, -127.0, -1e30, f32::NAN, -126.5]);
        for got in on_every_machine(&x) {
            assert_eq!((got[0], got[1], got[2], got[5]), (0.0, 0.0, 0.0, 1.0));
            assert!(got[3].is_nan());
            assert!((0.0..2e-38).contains(&got[4]), "{}", got[4]);
        }
    }
}
