//! Softmax of rows, and its gradient, in loops that compile to vector code for whatever the machine has.

use pulp::Arch;

/// Floats that a loop treats side by side: one AVX-512 register, two AVX ones. Sums are made in this many parts on
/// every machine, so that all give the same bits.
pub(super) const LANES: usize = 16;

/// The shortest row that holds `len` scores in whole lanes.
pub(super) fn row_width(len: usize) -> usize {
    len.next_multiple_of(LANES)
}

/// Softmax of every row of `scores` over its first `seen(row)` entries; the others get 0 exactly.
///
/// Rows are `width` long, a multiple of [`LANES`].
pub(super) fn softmax_rows(scores: &mut [f32], width: usize, seen: impl Fn(usize) -> usize) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (row, scores) in scores.chunks_exact_mut(width).enumerate() {
                scores[seen(row)..].fill(f32::NEG_INFINITY);
                softmax(scores);
            }
        },
    );
}

/// From the gradient by the weights to the gradient by the scores, in place: `ds = p (dp - sum over j of p_j dp_j)`.
///
/// The sums come as one number a row, `dots`.
pub(super) fn softmax_rows_backward(grads: &mut [f32], weights: &[f32], dots: &[f32], width: usize) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let rows = grads.chunks_exact_mut(width).zip(weights.chunks_exact(width)).zip(dots);
            for ((grads, weights), dot) in rows {
                grads.iter_mut().zip(weights).for_each(|(grad, weight)| *grad = weight * (*grad - dot));
            }
        },
    );
}

#[inline(always)]
fn softmax(scores: &mut [f32]) {
    let (lanes, _) = scores.as_chunks_mut::<LANES>();
    let max = largest(lanes);
    let mut sums = [0.0; LANES];
    for part in lanes.iter_mut() {
        for i in 0..LANES {
            part[i] = exp_of_negative(part[i] - max);
            sums[i] += part[i];
        }
    }
    let inverse = 1.0 / sums.iter().sum::<f32>();
    lanes.as_flattened_mut().iter_mut().for_each(|weight| *weight *= inverse);
}

#[inline(always)]
fn largest(lanes: &[[f32; LANES]]) -> f32 {
    let mut max = [f32::NEG_INFINITY; LANES];
    for part in lanes {
        for i in 0..LANES {
            max[i] = if part[i] > max[i] { part[i] } else { max[i] };
        }
    }
    max.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

/// e^x for x <= 0, within 2e-7 of it; 0 below -87, where f32 runs out of exponents. NaN stays NaN.
///
/// `x = n ln 2 + r` with `|r| <= ln 2 / 2`, so `e^x = 2^n e^r`, and seven terms of e^r leave out less than 1e-8.
#[inline(always)]
fn exp_of_negative(x: f32) -> f32 {
    // Adding 1.5 * 2^23 leaves no bits behind the point: the sum ends in the integer nearest to x / ln 2.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts; the first has so few bits that n times it is exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    const EXPONENT_SHIFT: u32 = f32::MANTISSA_DIGITS - 1;
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let tail = 1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0)));
    let e_r = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * tail)));
    let two_n = f32::from_bits((rounded.to_bits() << EXPONENT_SHIFT).wrapping_add(1.0_f32.to_bits()));
    if x < -87.0 { 0.0 } else { e_r * two_n }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two roundings of f32 (6e-8 each) and the polynomial.
    const EXP_REL_TOL: f64 = 2e-7;

    #[test]
    fn the_exponential_is_right_to_the_last_bits_down_to_where_it_becomes_0() {
        for i in 0..=870_000 {
            let x = -(i as f32) * 1e-4;
            let expected = f64::from(x).exp();
            let error = (f64::from(exp_of_negative(x)) - expected).abs() / expected;
            assert!(error < EXP_REL_TOL, "exp({x}): {error:e}");
        }
        assert_eq!(exp_of_negative(0.0), 1.0);
        assert_eq!(exp_of_negative(-87.1), 0.0);
        assert_eq!(exp_of_negative(f32::MIN), 0.0);
        assert_eq!(exp_of_negative(f32::NEG_INFINITY), 0.0);
        assert!(exp_of_negative(f32::NAN).is_nan());
    }

    #[test]
    fn entries_that_are_not_seen_get_0_and_do_not_count() {
        let mut scores = vec![f32::NAN; 2 * LANES];
        scores[..3].copy_from_slice(&[1.0, 1.0, 1.0]);
        scores[LANES..LANES + 2].copy_from_slice(&[5.0, 5.0]);
        softmax_rows(&mut scores, LANES, |row| 3 - row);
        assert_eq!(scores[..4], [1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0]);
        assert_eq!(scores[LANES..LANES + 3], [0.5, 0.5, 0.0]);
        assert!(scores[LANES + 3..].iter().all(|weight| *weight == 0.0));
    }
}
