//! The left operand of a product, a block of rows and terms at a time.

use std::ops::Range;

use crate::micro::{Scalars, TALLEST};

/// Rows of a block: a whole number of the tallest blocks of sums, whose terms stay in a core's second cache.
pub(super) const ROWS: usize = 8 * TALLEST;

/// Floats between two copied rows more than they need: rows of a power of two would meet in the same places of the cache.
const APART: usize = 16;

/// Rows `r` and terms `k` of `a`, copied to lie close to each other.
#[inline(always)]
pub(super) fn block<'a>(
    a: Scalars<'a>,
    r: &Range<usize>,
    k: &Range<usize>,
    scratch: &'a mut Vec<f32>,
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
fn copy(to: &mut Vec<f32>, from: &[f32], [rows, width]: [usize; 2], [stride, far]: [usize; 2]) {
    to.resize(rows * stride, 0.0);
    for (row, to) in to.chunks_mut(stride).enumerate() {
        to[..width].copy_from_slice(&from[row * far..][..width]);
    }
}
