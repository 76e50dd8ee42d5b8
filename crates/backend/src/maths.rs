//! Elementary functions that vectorise: no branches, no tables, no calls. Errors are measured in the tests below.

/// `e^x` within 2e-7 of it; 0 below -87, where f32 runs out of exponents, and no more than `e^88`. NaN stays NaN.
///
/// `x = n ln 2 + r` with `|r| <= ln 2 / 2`, so `e^x = 2^n e^r`, and eight terms of `e^r` leave out less than 1e-8.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // Adding 1.5 * 2^23 leaves no bits behind the point: the sum ends in the integer nearest to x / ln 2.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts; the first has so few bits that n times it is exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    const EXPONENT_SHIFT: u32 = f32::MANTISSA_DIGITS - 1;
    // Not f32::min, which forgets NaN.
    let x = if x > 88.0 { 88.0 } else { x };
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let tail = 1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0)));
    let e_r = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * tail)));
    let two_n = f32::from_bits((rounded.to_bits() << EXPONENT_SHIFT).wrapping_add(1.0_f32.to_bits()));
    if x < -87.0 { 0.0 } else { e_r * two_n }
}

/// `(sin x, cos x)`, each within 2e-7 for `|x|` up to 1000, within one more f32 rounding of `x` beyond, and between -1 and 1
/// (and those 2e-7) always. NaN stays NaN.
///
/// `x = n pi / 2 + r` with `|r| <= pi / 4` (Cody, Waite 1980: pi / 2 in parts), and polynomials of `r` with the minimax
/// coefficients of Moshier's Cephes library (`sinf.c`).
#[inline(always)]
pub fn sin_cos(x: f32) -> (f32, f32) {
    // Adding 1.5 * 2^23 leaves no bits behind the point: the sum ends in the integer nearest to 2 x / pi.
    const ROUND: f32 = 12_582_912.0;
    // pi / 2: the first two parts have so few bits that n times them is exact.
    const HIGH: f32 = 1.570_312_5;
    const MIDDLE: f32 = 4.837_513e-4;
    const LOW: f32 = 7.549_79e-8;
    let rounded = x * std::f32::consts::FRAC_2_PI + ROUND;
    let n = rounded - ROUND;
    // Beyond 10^7 the integer has no last bits, and the rest is anything.
    let r = (((x - n * HIGH) - n * MIDDLE) - n * LOW).clamp(-1.0, 1.0);
    let z = r * r;
    let sin = r + r * z * (-0.166_666_55 + z * (8.332_161e-3 - z * 1.951_529_6e-4));
    let cos = 1.0 - 0.5 * z + z * z * (4.166_664_6e-2 + z * (-1.388_731_6e-3 + z * 2.443_315_7e-5));
    let quarter = rounded.to_bits();
    let (sin, cos) = if quarter & 1 == 0 { (sin, cos) } else { (cos, sin) };
    (negate_if(sin, quarter), negate_if(cos, quarter.wrapping_add(1)))
}

/// `-x` if the second bit of `turn` is set.
#[inline(always)]
fn negate_if(x: f32, turn: u32) -> f32 {
    const TO_SIGN: u32 = 30;
    f32::from_bits(x.to_bits() ^ ((turn & 2) << TO_SIGN))
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Error function: odd rational approximation on [-4, 4], where f32 reaches +-1 (minimax coefficients as in Eigen's
/// `generic_fast_erf_float`).
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let x = x.clamp(-4.0, 4.0);
    let s = x * x;
    let p = -2.726_142_3e-10;
    let p = p * s + 2.770_681_4e-8;
    let p = p * s - 2.101_024e-6;
    let p = p * s - 5.692_506_4e-5;
    let p = p * s - 7.349_906e-4;
    let p = p * s - 2.954_6e-3;
    let p = p * s - 1.609_603_3e-2;
    let q = -1.456_607_2e-5;
    let q = q * s - 2.133_740_6e-4;
    let q = q * s - 1.682_827e-3;
    let q = q * s - 7.373_329_2e-3;
    let q = q * s - 1.426_473_9e-2;
    x * p / q
}

/// The normal distribution function.
#[inline(always)]
fn normal_cdf(x: f32) -> f32 {
    0.5 * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// `x Phi(x)`, the exact GELU.
#[inline(always)]
pub fn gelu(x: f32) -> f32 {
    x * normal_cdf(x)
}

/// `Phi(x) + x phi(x)`.
#[inline(always)]
pub fn gelu_slope(x: f32) -> f32 {
    const INV_SQRT_2PI: f32 = 0.398_942_3;
    normal_cdf(x) + x * INV_SQRT_2PI * exp(-0.5 * x * x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pointwise::reference;

    fn grid(limit: f64) -> impl Iterator<Item = f32> {
        (-20_000..=20_000).map(move |i| (f64::from(i) / 20_000.0 * limit) as f32)
    }

    fn worst(limit: f64, f: fn(f32) -> f32, exact: fn(f64) -> f64) -> f64 {
        grid(limit).map(|x| (f64::from(f(x)) - exact(f64::from(x))).abs()).fold(0.0, f64::max)
    }

    /// f32 rounding of values near 1 is 6e-8; a few operations each add one.
    const ABSOLUTE: f64 = 4e-7;
    /// Two polynomials of degree six and four and a division: 4.5e-7, measured.
    const RATIONAL: f64 = 5e-7;

    /// Roundings of f32 (6e-8 each) of the rest, of the polynomial, and of the value.
    const SINE: f64 = 2e-7;
    /// Two roundings of f32 (6e-8 each) and the polynomial.
    const EXP_REL_TOL: f64 = 2e-7;

    #[test]
    fn the_exponential_is_right_to_the_last_bits_between_its_ends() {
        for i in -870_000..=880_000 {
            let x = i as f32 * 1e-4;
            let expected = f64::from(x).exp();
            let error = (f64::from(exp(x)) - expected).abs() / expected;
            assert!(error < EXP_REL_TOL, "exp({x}): {error:e}");
        }
        assert_eq!((exp(0.0), exp(-87.1), exp(f32::NEG_INFINITY)), (1.0, 0.0, 0.0));
        assert_eq!(exp(f32::INFINITY), exp(88.0));
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn sine_and_cosine_are_right_to_f32_and_bounded_where_f32_cannot_tell() {
        let error = |x: f32| {
            let ((sin, cos), (exact_sin, exact_cos)) = (sin_cos(x), f64::from(x).sin_cos());
            (f64::from(sin) - exact_sin).abs().max((f64::from(cos) - exact_cos).abs())
        };
        let near = grid(1000.0).map(error).fold(0.0, f64::max);
        let far = grid(1e6).map(|x| error(x) / f64::from(x.abs().max(1000.0))).fold(0.0, f64::max);
        assert!(near < SINE && far < f64::from(f32::EPSILON), "{near:e} {far:e}");
        for huge in [1e7, -3e9, f32::MAX] {
            let (sin, cos) = sin_cos(huge);
            assert!(f64::from(sin.abs().max(cos.abs())) < 1.0 + SINE, "{huge}: {sin} {cos}");
        }
        assert!(sin_cos(f32::NAN).0.is_nan() && sin_cos(f32::INFINITY).1.is_nan());
        assert_eq!(sin_cos(0.0), (0.0, 1.0));
    }

    #[test]
    fn sigmoid_and_erf_are_right_to_f32() {
        let sigmoid_error = worst(30.0, sigmoid, |x| 1.0 / (1.0 + (-x).exp()));
        let erf_error = worst(5.0, erf, reference::erf);
        assert!(sigmoid_error < ABSOLUTE && erf_error < RATIONAL, "{sigmoid_error:e} {erf_error:e}");
    }

    #[test]
    fn gelu_and_its_slope_are_right_to_f32() {
        let value = worst(6.0, gelu, reference::gelu);
        let slope = worst(6.0, gelu_slope, reference::gelu_slope);
        assert!(value < 6.0 * ABSOLUTE && slope < 2.0 * ABSOLUTE, "{value:e} {slope:e}");
    }
}
