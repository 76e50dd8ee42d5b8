//! The left operand of a product, a block of rows and terms at a time.

use std::ops::Range;

use super::TERMS;
use crate::micro::{Scalars, TALLEST};
use crate::simd;

/// Rows of a block: a whole number of the tallest blocks of sums, whose terms stay in a core's second cache.
pub(super) const ROWS: usize = 8 * TALLEST;

/// Floats between two copied rows more than they need: rows of a power of two would meet in the same places of the cache.
const APART: usize = 16;

/// Room for any block of so many rows and terms.
pub(super) fn scratch(rows: usize, terms: usize) -> Vec<f32> {
    vec![0.0; rows.min(ROWS) * (terms.min(TERMS) + APART)]
}

/// Rows `r` and terms `k` of `a`, copied to lie close to each other.
#[inline(always)]
pub(super) fn block<'a>(
    a: Scalars<'a>,
    r: &Range<usize>,
    k: &Range<usize>,
    scratch: &'a mut [f32],
) -> Scalars<'a> {
    let from = &a.data[r.start * a.row + k.start * a.step..];
    match (a.row, a.step) {
        (row, 1) => {
            let stride = k.len() + APART;
            copy(scratch, from, [r.len(), k.len()], [stride, row]);
            Scalars::rows(scratch, stride)
        }
        (1, step) => {
            copy(scratch, from, [k.len(), r.len()], [r.len(), step]);
            Scalars::columns(scratch, r.len())
        }
        _ => Scalars { data: from, ..a },
    }
}

/// So many rows of so many numbers, from one distance to another.
#[inline(always)]
fn copy(to: &mut [f32], from: &[f32], [rows, width]: [usize; 2], [stride, far]: [usize; 2]) {
    for (row, to) in to.chunks_mut(stride).take(rows).enumerate() {
        simd::copy(&mut to[..width], &from[row * far..]);
    }
}
