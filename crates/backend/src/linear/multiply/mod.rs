//! A product of two matrices in blocks that stay in a core's cache.
#![allow(unsafe_code)]

mod left;
mod right;

use std::mem::MaybeUninit;
use std::ops::Range;

use crate::kernel::Part;
use crate::micro::{Scalars, product_of_panel};
use crate::simd::{Simd, WithSimd, dispatch, load};

pub use self::right::{Panels, Right};

/// How many terms are summed in registers before they are added to the previous ones. It is a constant, so that a sum
/// is the same whatever else is computed with it.
pub(crate) const TERMS: usize = 256;

/// `out = start + a b`, made by the calling thread.
///
/// A row of `out` has the same bits whichever rows and columns are computed with it.
pub struct Multiply<'a> {
    /// `[rows, cols]`
    pub out: Out<'a>,
    /// `[rows, terms]`
    pub a: Scalars<'a>,
    /// `[terms, cols]`
    pub b: Right<'a>,
    /// Terms of a sum.
    pub terms: usize,
    /// Columns.
    pub cols: usize,
    /// What it is added to.
    pub start: Start<'a>,
}

/// Rows that a product is written to.
#[derive(Debug)]
pub struct Out<'a> {
    data: Numbers<'a>,
    rows: usize,
    stride: usize,
}

#[derive(Debug)]
enum Numbers<'a> {
    Written(&'a mut [f32]),
    Unwritten(Part<'a>),
}

impl<'a> Out<'a> {
    /// Rows of `cols` numbers, one directly after the other.
    pub fn whole(data: &'a mut [f32], cols: usize) -> Self {
        let rows = data.len() / cols;
        Self::rows(data, rows, cols)
    }

    /// This many rows that start `stride` apart.
    pub fn rows(data: &'a mut [f32], rows: usize, stride: usize) -> Self {
        Self { data: Numbers::Written(data), rows, stride }
    }

    /// Rows of `cols` numbers, one directly after the other, which are still to be written.
    ///
    /// # Panics
    /// If they do not end with a row, or rows have no numbers.
    pub fn part(data: Part<'a>, cols: usize) -> Self {
        assert!(cols > 0 && data.len().is_multiple_of(cols), "a part of whole rows");
        Self { rows: data.len() / cols, stride: cols, data: Numbers::Unwritten(data) }
    }
}

/// What a product is added to.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a> {
    /// Nothing.
    Zeros,
    /// `[cols]`, the same for every row.
    Columns(&'a [f32]),
    /// `[rows]`, the same for every column.
    Rows(&'a [f32]),
    /// What `out` already holds.
    Out,
}

impl<'a> From<Option<&'a [f32]>> for Start<'a> {
    fn from(columns: Option<&'a [f32]>) -> Self {
        columns.map_or(Self::Zeros, Self::Columns)
    }
}

impl<'a> Multiply<'a> {
    /// Makes the product, and returns the numbers of `out`.
    ///
    /// # Panics
    /// If an operand is too short; or if `out` is still to be written, and the product has other columns, no terms, or a `start`
    /// that would read it.
    pub fn run(self) -> &'a mut [f32] {
        let Self { out: Out { data, rows, stride }, a, b, terms, cols, start } = self;
        let sizes = [rows, terms, cols];
        match data {
            Numbers::Written(data) => {
                // SAFETY: `Blocks` writes lanes of vectors of numbers and nothing else.
                let out = unsafe { slots(data) };
                dispatch(Blocks { out, stride, a, b, sizes, start });
                data
            }
            Numbers::Unwritten(part) => {
                let writes_all = terms > 0 && cols == stride && !matches!(start, Start::Out);
                assert!(writes_all, "a product that writes every number");
                // SAFETY: the first block of terms writes all `cols` numbers of every row without reading them, and such rows,
                // one directly after the other, are all there is.
                unsafe { part.write(|out| dispatch(Blocks { out, stride, a, b, sizes, start })) }
            }
        }
    }
}

/// Views numbers as places to write to.
///
/// # Safety
/// Only initialised numbers may be written to them: `data` is read as numbers again afterwards.
unsafe fn slots(data: &mut [f32]) -> &mut [MaybeUninit<f32>] {
    // SAFETY: the layouts are the same, and the caller promises that every place still holds a number at the end.
    unsafe { &mut *(std::ptr::from_mut(data) as *mut [MaybeUninit<f32>]) }
}

/// A product, block by block.
struct Blocks<'a> {
    /// Rows `stride` apart; written already if `start` is [`Start::Out`].
    out: &'a mut [MaybeUninit<f32>],
    stride: usize,
    a: Scalars<'a>,
    b: Right<'a>,
    /// Rows, terms, columns.
    sizes: [usize; 3],
    start: Start<'a>,
}

impl WithSimd for Blocks<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { out, stride, a, b, sizes: [rows, terms, cols], start } = self;
        let mut left_scratch = left::scratch(rows, terms);
        let mut copies = b.copies::<S>(rows > left::ROWS, [terms, cols]);
        for k in ranges(terms, TERMS) {
            let start = if k.start == 0 { start } else { Start::Out };
            for r in ranges(rows, left::ROWS) {
                let a = left::block(a, &r, &k, &mut left_scratch);
                let out = &mut out[r.start * stride..];
                for g in ranges(cols, right::group::<S>()) {
                    let b = b.block::<S>(&k, &g, &mut copies, r.start == 0);
                    for (c, panel) in b.panels::<S>() {
                        let c = g.start + c.start..g.start + c.end;
                        product_of_panel(
                            simd,
                            a,
                            panel,
                            [r.len(), c.len().div_ceil(S::F32_LANES), k.len()],
                            #[inline(always)]
                            |i, j, sum| {
                                let from = c.start + j * S::F32_LANES;
                                let to = cols.min(from + S::F32_LANES);
                                let out = &mut out[i * stride..][from..to];
                                let sum = match start {
                                    Start::Zeros => sum,
                                    Start::Columns(start) => simd.add_f32s(load(simd, &start[from..to]), sum),
                                    Start::Rows(start) => {
                                        simd.add_f32s(simd.splat_f32s(start[r.start + i]), sum)
                                    }
                                    // SAFETY: written, by the first block of terms or by whoever asks for what is there.
                                    Start::Out => {
                                        simd.add_f32s(load(simd, unsafe { out.assume_init_ref() }), sum)
                                    }
                                };
                                write::<S>(out, sum);
                            },
                        );
                    }
                }
            }
        }
    }
}

/// `0..len` in ranges of `step`, the last of what is left.
pub(crate) fn ranges(len: usize, step: usize) -> impl Iterator<Item = Range<usize>> {
    (0..len).step_by(step).map(move |start| start..len.min(start + step))
}

/// As many numbers of a vector as fit.
#[inline(always)]
fn write<S: Simd>(to: &mut [MaybeUninit<f32>], vector: S::f32s) {
    let from: *const S::f32s = &raw const vector;
    // SAFETY: a vector consists only of its lanes, and no more of them are copied than there are on either side.
    unsafe {
        match to.len() >= S::F32_LANES {
            true => to.as_mut_ptr().cast::<S::f32s>().write_unaligned(vector),
            false => to.as_mut_ptr().copy_from_nonoverlapping(from.cast(), to.len()),
        }
    }
}
