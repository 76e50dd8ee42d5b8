//! Products with the first factor, block by block.

use subquad_backend::micro::{Scalars, product_of_rows};
use subquad_backend::simd::{Simd, load, save};

use super::packed::whole;

/// `out[i] = x[i] w[i]` for every row and block `i`, `w [k, terms, cols]` with padded rows.
#[inline(always)]
pub(super) fn block_products<S: Simd>(
    simd: S,
    (x, x_stride): (&[f32], usize),
    w: &[f32],
    (out, out_stride): (&mut [f32], usize),
    [rows, k, terms, cols]: [usize; 4],
) {
    let width = whole(cols);
    for i in 0..k {
        product_of_rows(
            simd,
            Scalars::rows(&x[i * terms..], x_stride),
            (&w[i * terms * width..], width),
            [rows, cols.div_ceil(S::F32_LANES), terms],
            #[inline(always)]
            |row, j, sum| {
                let from = j * S::F32_LANES;
                let to = cols.min(from + S::F32_LANES);
                let at = row * out_stride + i * cols;
                save(simd, &mut out[at + from..at + to], sum);
            },
        );
    }
}

/// `sum[i, m, q] += sum over rows of dz[row, i, m] x[row, i, q]`, with padded rows of `sum`. The padding of a row gets
/// numbers of the next block, which are never read.
#[inline(always)]
pub(super) fn outer_of_blocks<S: Simd>(
    simd: S,
    (dz, dz_stride): (&[f32], usize),
    (x, x_stride): (&[f32], usize),
    sum: &mut [f32],
    [rows, k, middle, p]: [usize; 4],
) {
    let width = whole(p);
    for i in 0..k {
        product_of_rows(
            simd,
            Scalars::columns(&dz[i * middle..], dz_stride),
            (&x[i * p..], x_stride),
            [middle, p.div_ceil(S::F32_LANES), rows],
            #[inline(always)]
            |m, j, product| {
                let sum = &mut sum[(i * middle + m) * width + j * S::F32_LANES..][..S::F32_LANES];
                let total = simd.add_f32s(load(simd, sum), product);
                save(simd, sum, total);
            },
        );
    }
}
