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
