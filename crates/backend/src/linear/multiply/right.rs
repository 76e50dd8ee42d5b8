//! The right operand of a product, in strips of columns as wide as a block of sums.

use std::ops::Range;

use rayon::prelude::*;

use crate::kernel::Unwritten;
use crate::linear::transpose::transpose;
use crate::simd::{self, Simd};

/// The right operand of a product.
#[derive(Debug, Clone, Copy)]
pub enum Right<'a> {
    /// Rows `stride` apart, read in place.
    Rows {
        /// The numbers.
        data: &'a [f32],
        /// Distance of two rows.
        stride: usize,
    },
    /// The same, but so far apart that a core's cache could not hold a block of them: blocks are copied first.
    FarRows {
        /// The numbers.
        data: &'a [f32],
        /// Distance of two rows.
        stride: usize,
    },
    /// Copied in advance, because several threads need it or it is a transpose. It may have more terms than the sums.
    Panels(&'a Panels),
}

impl Right<'_> {
    /// Terms `k` of columns `c`, filled up to whole vectors, and the distance of two rows.
    #[inline(always)]
    pub(super) fn strip<'a, S: Simd>(
        &'a self,
        k: &Range<usize>,
        c: &Range<usize>,
        rows: usize,
        scratch: &'a mut Vec<f32>,
    ) -> (&'a [f32], usize) {
        let width = c.len().next_multiple_of(S::F32_LANES);
        let (data, stride, far) = match *self {
            Self::Panels(panels) => return (&panels.data[c.start * panels.terms + k.start * width..], width),
            Self::Rows { data, stride } => (data, stride, false),
            Self::FarRows { data, stride } => (data, stride, true),
        };
        if c.len() == width && !(far && rows >= ROWS_WORTH_A_COPY) {
            return (&data[k.start * stride + c.start..], stride);
        }
        scratch.resize(k.len() * width, 0.0);
        copy_rows(scratch, &data[k.start * stride + c.start..], stride, width, c.len());
        (scratch, width)
    }
}

/// Each number of a strip is used once per row.
const ROWS_WORTH_A_COPY: usize = 32;

/// The columns that a block of sums reads.
#[inline(always)]
pub(super) fn panel_width(lanes: usize, registers: usize) -> usize {
    let vectors = if registers >= 32 { 4 } else { 2 };
    vectors * lanes
}

#[inline(always)]
fn copy_rows(to: &mut [f32], from: &[f32], stride: usize, width: usize, cols: usize) {
    for (to, from) in to.chunks_exact_mut(width).zip(from.chunks(stride)) {
        to[..cols].copy_from_slice(&from[..cols]);
        to[cols..].fill(0.0);
    }
}

/// A right operand as panels, each as wide as a block of sums: one row of whole vectors per term.
#[derive(Debug)]
pub struct Panels {
    /// `[terms, width]` a panel; the last is as wide as its columns need.
    data: Vec<f32>,
    terms: usize,
}

impl Panels {
    /// Of `[terms, cols]`.
    pub fn of_rows(data: &[f32], [terms, cols]: [usize; 2]) -> Self {
        Self::new([terms, cols], |panel, width, c| {
            copy_rows(panel, &data[c.start..], cols, width, c.len());
        })
    }

    /// Of the transpose of `[cols, terms]`.
    pub fn of_columns(data: &[f32], [terms, cols]: [usize; 2]) -> Self {
        Self::new([terms, cols], |panel, width, c| {
            transpose(&data[c.start * terms..], terms, [c.len(), terms], panel, width);
        })
    }

    fn new([terms, cols]: [usize; 2], fill: impl Fn(&mut [f32], usize, Range<usize>) + Sync) -> Self {
        let [lanes, registers] = simd::lanes_and_registers();
        let width = panel_width(lanes, registers);
        let mut data = Unwritten::new(terms * cols.next_multiple_of(lanes));
        data.parts(terms * width).into_par_iter().enumerate().for_each(|(index, panel)| {
            let panel = panel.zeros();
            let c = index * width..cols.min((index + 1) * width);
            let width = panel.len() / terms;
            fill(panel, width, c);
        });
        Self { data: data.into_vec(), terms }
    }
}
