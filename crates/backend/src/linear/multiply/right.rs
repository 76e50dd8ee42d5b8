//! The right operand of a product, in panels of columns as wide as a block of sums.

use std::ops::Range;

use rayon::prelude::*;

use super::{TERMS, ranges};
use crate::kernel::Unwritten;
use crate::linear::transpose::transpose;
use crate::micro::PANEL;
use crate::simd::{self, Lockstep, Simd};

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
    /// Copied in advance, because several threads need it or it is a transpose: made by [`Panels::all`] or [`Panels::from`].
    Panels {
        /// The panels, from the first column on.
        data: &'a [f32],
        /// Terms of a panel.
        terms: usize,
        /// The first one that the product takes.
        first: usize,
    },
}

/// Panels whose columns are copied together: each row is then a stretch of memory, and the copies of 256 terms stay in a core's
/// second cache.
const PANELS_AT_ONCE: usize = 8;

/// Columns that are copied together.
#[inline(always)]
pub(super) fn group<S: Simd>() -> usize {
    PANELS_AT_ONCE * PANEL * S::F32_LANES
}

impl Right<'_> {
    /// Room for the copies of any block of so many terms and columns: of `all` its columns, or of a [`group`] of them.
    #[inline(always)]
    pub(super) fn copies<S: Simd>(&self, all: bool, [terms, cols]: [usize; 2]) -> Copies {
        let cols = match self {
            Self::Panels { .. } => 0,
            Self::Rows { .. } if all => cols,
            Self::Rows { .. } => cols.min(group::<S>()),
        };
        Copies { data: vec![0.0; cols.next_multiple_of(S::F32_LANES) * terms.min(TERMS)], all }
    }

    /// Terms `k` of a [`group`] of columns `c`, as panels. They are copied if they are `fresh`, and else they are still there.
    #[inline(always)]
    pub(super) fn block<'a, S: Simd>(
        &'a self,
        k: &Range<usize>,
        c: &Range<usize>,
        copies: &'a mut Copies,
        fresh: bool,
    ) -> Block<'a> {
        let width = PANEL * S::F32_LANES;
        match *self {
            Self::Panels { data, terms, first } => {
                Block { data: &data[c.start * terms..], terms, first: first + k.start, cols: c.len() }
            }
            Self::Rows { data, stride } => {
                let numbers = c.len().next_multiple_of(S::F32_LANES) * k.len();
                let data_of_group = copies.place(c.start * k.len(), numbers);
                if fresh {
                    let from = &data[k.start * stride + c.start..];
                    copy_group(data_of_group, from, stride, [k.len(), c.len(), width]);
                }
                Block { data: data_of_group, terms: k.len(), first: 0, cols: c.len() }
            }
        }
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
        ranges(self.cols, PANEL * S::F32_LANES).map(|c| {
            let width = c.len().next_multiple_of(S::F32_LANES);
            let first = c.start * self.terms + self.first * width;
            (c, &self.data[first..])
        })
    }
}

/// Copied panels of one block of terms: all of them, if several blocks of rows need them, and else those of the latest group.
#[derive(Debug)]
pub(super) struct Copies {
    data: Vec<f32>,
    all: bool,
}

impl Copies {
    #[inline(always)]
    fn place(&mut self, first: usize, len: usize) -> &mut [f32] {
        let first = if self.all { first } else { 0 };
        &mut self.data[first..first + len]
    }
}

/// `terms` rows of `cols` numbers, from `stride` apart to panels of `whole` columns.
#[inline(always)]
fn copy_group(to: &mut [f32], from: &[f32], stride: usize, [terms, cols, whole]: [usize; 3]) {
    let end = cols / whole * whole;
    for (t, from) in from.chunks(stride).take(terms).enumerate() {
        for (panel, from) in to.chunks_exact_mut(terms * whole).lockstep(from[..end].chunks_exact(whole)) {
            simd::copy(&mut panel[t * whole..][..whole], from);
        }
    }
    if end < cols {
        let last = &mut to[end * terms..];
        copy_rows(last, &from[end..], stride, last.len() / terms, cols - end);
    }
}

#[inline(always)]
fn copy_rows(to: &mut [f32], from: &[f32], stride: usize, width: usize, cols: usize) {
    for (to, from) in to.chunks_exact_mut(width).lockstep(from.chunks(stride)) {
        simd::copy(&mut to[..cols], from);
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

    /// All of it.
    pub fn all(&self) -> Right<'_> {
        self.from([0, 0])
    }

    /// The part from this term and column on.
    ///
    /// # Panics
    /// If the column is not the first of a panel.
    pub fn from(&self, [term, column]: [usize; 2]) -> Right<'_> {
        assert!(column.is_multiple_of(PANEL * simd::f32_lanes()), "the first column of a panel");
        Right::Panels { data: &self.data[column * self.terms..], terms: self.terms, first: term }
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
