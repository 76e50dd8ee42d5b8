//! Softmax of rows, and its gradient, in loops that compile to vector code for whatever the machine has.

use subquad_backend::maths::exp;
use subquad_backend::simd;

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
    simd::run(
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
    simd::run(
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
            part[i] = exp(part[i] - max);
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

#[cfg(test)]
mod tests {
    use super::*;

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
