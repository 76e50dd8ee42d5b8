//! The right operand of a product, in panels of columns as wide as a block of sums.

use std::ops::Range;

use rayon::prelude::*;

use super::ranges;
use crate::kernel::Unwritten;
use crate::linear::transpose::transpose;
use crate::micro::PANEL;
use crate::simd::{self, Simd};

/// The right operand of a product.
#[derive(Debug, Clone, Copy)]
pub enum Right<'a> {
    /// Rows `stride` apart, of which every product copies what it needs.
    Rows {
        /// The numbers.
        data: &'a [f32],
        /// Distance of two rows.
        stride: usize,
    },
    /// Copied in advance, because several threads need it or it is a transpose. It may have more terms than the sums.
    Panels(&'a Panels),
}

impl Right<'_> {
    /// Terms `k` of all columns, as panels.
    #[inline(always)]
    pub(super) fn block<'a, S: Simd>(
        &'a self,
        k: &Range<usize>,
        cols: usize,
        scratch: &'a mut Vec<f32>,
    ) -> Block<'a> {
        let (data, stride) = match *self {
            Self::Panels(Panels { data, terms }) => {
                return Block { data, terms: *terms, first: k.start, cols };
            }
            Self::Rows { data, stride } => (&data[k.start * stride..], stride),
        };
        scratch.resize(k.len() * cols.next_multiple_of(S::F32_LANES), 0.0);
        let whole = PANEL * S::F32_LANES;
        let panels = scratch.chunks_mut(k.len() * whole).zip(ranges(cols, whole));
        for (panel, c) in panels {
            copy_rows(panel, &data[c.start..], stride, c.len().next_multiple_of(S::F32_LANES), c.len());
        }
        Block { data: scratch, terms: k.len(), first: 0, cols }
    }
}

/// A block of terms in panels, which may have more terms than the block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a> {
    data: &'a [f32],
    /// Terms of a panel.
    terms: usize,
    /// The block's first.
    first: usize,
    cols: usize,
}

impl Block<'_> {
    /// Each panel's columns, and its rows of whole vectors from the block's first term on.
    #[inline(always)]
    pub(super) fn panels<S: Simd>(&self) -> impl Iterator<Item = (Range<usize>, &[f32])> {
        let whole = PANEL * S::F32_LANES;
        ranges(self.cols, whole).map(|c| {
            let width = c.len().next_multiple_of(S::F32_LANES);
            let first = c.start * self.terms + self.first * width;
            (c, &self.data[first..])
        })
    }
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
        let lanes = simd::f32_lanes();
        let width = PANEL * lanes;
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
