//! Sums that threads make in parts. The number of parts depends only on the sizes, and they are added in order, so a
//! sum has the same bits on any number of threads.

use rayon::prelude::*;

use crate::kernel::Unwritten;
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

/// `dx` in chunks of `len` numbers, on all threads, and the sum of `others` numbers that each chunk makes beside them, in the order
/// of the chunks. `chunk` takes the chunks of `dx`, of `x` and of `dy`, and zeros for its other numbers.
///
/// Mark `chunk` `#[inline(always)]`, so that it is compiled for the instruction set.
pub(crate) fn grads_by_chunk(
    [x, dy]: [&[f32]; 2],
    len: usize,
    others: usize,
    chunk: impl Fn(&mut [f32], &[f32], &[f32], &mut [f32]) + Sync,
) -> (Vec<f32>, Vec<f32>) {
    let mut dx = Unwritten::new(x.len());
    let chunks = dx.parts(len).into_par_iter().zip(x.par_chunks(len)).zip(dy.par_chunks(len));
    let sums = chunks.map(|((dx, x), dy)| {
        let (dx, mut sum) = (dx.zeros(), vec![0.0; others]);
        simd::run(
            #[inline(always)]
            || chunk(dx, x, dy, &mut sum),
        );
        sum
    });
    let sums: Vec<Vec<f32>> = sums.collect();
    let mut total = vec![0.0; others];
    sums.iter().for_each(|sum| simd::add(&mut total, sum));
    (dx.into_vec(), total)
}
