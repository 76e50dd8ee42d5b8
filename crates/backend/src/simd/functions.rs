//! Elementary functions of whole vectors, and their derivatives.

use pulp::Simd;

use super::lanes::{clamp, exp2, mul_add, polynomial};

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub(crate) fn sigmoid<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let one = simd.splat_f32s(1.0);
    let power = exp2(simd, simd.mul_f32s(x, simd.splat_f32s(-std::f32::consts::LOG2_E)));
    simd.div_f32s(one, simd.add_f32s(one, power))
}

/// [`sigmoid`] and its derivative.
#[inline(always)]
pub(crate) fn sigmoid_with_slope<S: Simd>(simd: S, x: S::f32s) -> (S::f32s, S::f32s) {
    let s = sigmoid(simd, x);
    (s, simd.mul_f32s(s, simd.sub_f32s(simd.splat_f32s(1.0), s)))
}

/// `x Phi(x)`, the exact GELU, and its derivative `Phi(x) + x phi(x)`.
#[inline(always)]
pub(crate) fn gelu_with_slope<S: Simd>(simd: S, x: S::f32s) -> (S::f32s, S::f32s) {
    const INV_SQRT_2PI: f32 = 0.398_942_3;
    let cdf = normal_cdf(simd, x);
    let exponent = simd.mul_f32s(simd.splat_f32s(-0.5 * std::f32::consts::LOG2_E), simd.mul_f32s(x, x));
    let density = simd.mul_f32s(simd.splat_f32s(INV_SQRT_2PI), exp2(simd, exponent));
    (simd.mul_f32s(x, cdf), mul_add(simd, x, density, cdf))
}

/// `x sigmoid(x)` and its derivative.
#[inline(always)]
pub(crate) fn silu_with_slope<S: Simd>(simd: S, x: S::f32s) -> (S::f32s, S::f32s) {
    let (s, slope) = sigmoid_with_slope(simd, x);
    (simd.mul_f32s(x, s), mul_add(simd, x, slope, s))
}

/// The larger of `x` and 0, and its derivative, 0 at 0. NaN stays NaN.
#[inline(always)]
pub(crate) fn relu_with_slope<S: Simd>(simd: S, x: S::f32s) -> (S::f32s, S::f32s) {
    let [zero, one] = [simd.splat_f32s(0.0), simd.splat_f32s(1.0)];
    let value = simd.select_f32s(simd.less_than_f32s(x, zero), zero, x);
    (value, simd.select_f32s(simd.greater_than_f32s(x, zero), one, zero))
}

/// Hyperbolic tangent: odd rational approximation on [-7.9, 7.9], where f32 reaches +-1 (minimax coefficients as in Eigen's
/// `generic_fast_tanh_float`).
#[inline(always)]
fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    const NUMERATOR: [f32; 7] = [
        -2.760_768_5e-16,
        2.000_188e-13,
        -8.604_672e-11,
        5.122_297_1e-8,
        1.485_722_4e-5,
        6.372_619_3e-4,
        4.893_524_6e-3,
    ];
    const DENOMINATOR: [f32; 4] = [1.198_258_4e-6, 1.185_347_1e-4, 2.268_434_6e-3, 4.893_525e-3];
    let x = clamp(simd, x, [-7.905_311, 7.905_311]);
    simd.mul_f32s(x, even_ratio(simd, x, NUMERATOR, DENOMINATOR))
}

/// [`tanh`] and its derivative.
#[inline(always)]
pub(crate) fn tanh_with_slope<S: Simd>(simd: S, x: S::f32s) -> (S::f32s, S::f32s) {
    let y = tanh(simd, x);
    (y, simd.sub_f32s(simd.splat_f32s(1.0), simd.mul_f32s(y, y)))
}

/// The normal distribution function `(1 + erf(x / sqrt 2)) / 2`: odd rational approximation of `erf` on [-4, 4], where f32
/// reaches +-1 (minimax coefficients as in Eigen's `generic_fast_erf_float`).
#[inline(always)]
fn normal_cdf<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    const NUMERATOR: [f32; 7] = [
        -2.726_142_3e-10,
        2.770_681_4e-8,
        -2.101_024e-6,
        -5.692_506_4e-5,
        -7.349_906e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ];
    const DENOMINATOR: [f32; 5] =
        [-1.456_607_2e-5, -2.133_740_6e-4, -1.682_827e-3, -7.373_329_2e-3, -1.426_473_9e-2];
    let scaled = simd.mul_f32s(x, simd.splat_f32s(std::f32::consts::FRAC_1_SQRT_2));
    let x = clamp(simd, scaled, [-4.0, 4.0]);
    let half = simd.splat_f32s(0.5);
    mul_add(simd, simd.mul_f32s(half, x), even_ratio(simd, x, NUMERATOR, DENOMINATOR), half)
}

/// A ratio of polynomials in `x^2`, highest terms first.
#[inline(always)]
fn even_ratio<S: Simd, const P: usize, const Q: usize>(
    simd: S,
    x: S::f32s,
    numerator: [f32; P],
    denominator: [f32; Q],
) -> S::f32s {
    let square = simd.mul_f32s(x, x);
    simd.div_f32s(polynomial(simd, square, numerator), polynomial(simd, square, denominator))
}
