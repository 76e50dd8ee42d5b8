//! Elementary functions that vectorise: no branches, no tables, no calls. Errors are measured in the tests below.

/// `e^x` to about 1e-7 relative; 0 below -87, clamped at e^88.
///
/// Range reduction `x = k ln 2 + r` with `|r| <= ln 2 / 2`, a polynomial in `r` (Taylor, degree 6), `2^k` by exponent bits.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // Adding and subtracting 1.5 * 2^23 rounds to the nearest integer.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts: the first has few bits, so k times it is exact.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let k = (x * std::f32::consts::LOG2_E + ROUND) - ROUND;
    let r = (x - k * LN2_HIGH) - k * LN2_LOW;
    let tail = 1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0)));
    let p = 1.0 + r + r * r * (0.5 + r * tail);
    p * f32::from_bits(((k as i32 + 127) << 23) as u32)
}

#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Error function: odd rational approximation on [-4, 4], where f32 reaches +-1 (minimax coefficients as in Eigen's
/// `generic_fast_erf_float`).
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
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

#[inline(always)]
pub(crate) fn gelu(x: f32) -> f32 {
    x * normal_cdf(x)
}

/// `Phi(x) + x phi(x)`.
#[inline(always)]
pub(crate) fn gelu_slope(x: f32) -> f32 {
    const INV_SQRT_2PI: f32 = 0.398_942_3;
    normal_cdf(x) + x * INV_SQRT_2PI * exp(-0.5 * x * x)
}

#[cfg(test)]
mod tests {
    use super::super::reference;
    use super::*;

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

    #[test]
    fn exp_is_right_to_a_few_ulp() {
        let error = |x: f32| (f64::from(exp(x)) / f64::from(x).exp() - 1.0).abs();
        let worst = grid(86.0).map(error).fold(0.0, f64::max);
        assert!(worst < 3e-7, "relative error {worst:e}");
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
