//! Functions of whole vectors.

use pulp::Simd;

/// `a b + c`, rounded once where the machine has such an instruction.
#[inline(always)]
pub fn mul_add<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
    // Without the instruction, a single rounding would take a function call per number.
    match S::IS_SCALAR {
        true => simd.add_f32s(simd.mul_f32s(a, b), c),
        false => simd.mul_add_e_f32s(a, b, c),
    }
}

/// `-x`. pulp's own is not always inlined, and neither is its absolute value.
#[inline(always)]
pub fn neg<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    simd.xor_f32s(simd.splat_f32s(-0.0), x)
}

/// `|x|`
#[inline(always)]
pub fn abs<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    const ALL_BUT_THE_SIGN: u32 = !(1 << (u32::BITS - 1));
    simd.and_f32s(simd.splat_f32s(f32::from_bits(ALL_BUT_THE_SIGN)), x)
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
    // Beyond 10^7 the integer has no last bits, and the rest is arbitrary.
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

/// A vector, or as much of it as fits.
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
