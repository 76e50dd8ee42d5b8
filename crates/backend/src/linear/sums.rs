//! Sums that threads make in parts. The number of parts depends only on the sizes, and they are added in order, so a
//! sum has the same bits on any number of threads.

use rayon::prelude::*;

use crate::simd;

/// Most parts of a sum over tokens.
pub const PARTS: usize = 8;

/// The sum of arrays of `len` numbers, in their order.
pub fn sum_of_parts(mut parts: Vec<f32>, len: usize) -> Vec<f32> {
    const AT_ONCE: usize = 1 << 12;
    let (total, rest) = parts.split_at_mut(len);
    total.par_chunks_mut(AT_ONCE).enumerate().for_each(|(index, total)| {
        for part in rest.chunks(len) {
            simd::add(total, &part[index * AT_ONCE..][..total.len()]);
        }
    });
    parts.truncate(len);
    parts
}

/// The sum over the rows of `[rows, width]`, `width` at least 1: the gradient of a bias.
pub fn sum_of_rows(values: &[f32], width: usize) -> Vec<f32> {
    let part = (values.len() / width).div_ceil(PARTS).max(1);
    let mut parts = vec![0.0; (values.len() / width).div_ceil(part).max(1) * width];
    parts.par_chunks_mut(width).zip(values.par_chunks(part * width)).for_each(|(sum, rows)| {
        simd::run(
            #[inline(always)]
            || {
                for row in rows.chunks(width) {
                    simd::add(sum, row);
                }
            },
        );
    });
    sum_of_parts(parts, width)
}
