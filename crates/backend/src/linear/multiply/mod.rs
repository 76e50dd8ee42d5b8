//! A product of two matrices in blocks that stay in a core's cache.
#![allow(unsafe_code)]

mod right;

use std::mem::MaybeUninit;
use std::ops::Range;

use crate::kernel::Part;
use crate::micro::{Scalars, product_of_rows};
use crate::simd::{Simd, WithSimd, dispatch, load};

use self::right::panel_width;
pub use self::right::{Panels, Right};

/// Terms that are summed in registers before they are added to what came before. A constant, so that a sum is the same
/// whatever else is computed with it.
const TERMS: usize = 256;

/// `out = start + a b`, made by the calling thread.
///
/// A row of `out` is the same bits whichever rows and columns are made with it.
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

    /// So many rows that start `stride` apart.
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
    /// What is there.
    Out,
}

impl<'a> From<Option<&'a [f32]>> for Start<'a> {
    fn from(columns: Option<&'a [f32]>) -> Self {
        columns.map_or(Self::Zeros, Self::Columns)
    }
}

impl Multiply<'_> {
    /// Makes the product.
    ///
    /// # Panics
    /// If an operand is too short; or if `out` is still to be written, and the product has other columns, no terms, or a `start`
    /// that would read it.
    pub fn run(self) {
        let Self { out: Out { data, rows, stride }, a, b, terms, cols, start } = self;
        let sizes = [rows, terms, cols];
        match data {
            Numbers::Written(data) => {
                // SAFETY: `Blocks` writes lanes of vectors of numbers and nothing else.
                let out = unsafe { slots(data) };
                dispatch(Blocks { out, stride, a, b, sizes, start });
            }
            Numbers::Unwritten(part) => {
                let writes_all = terms > 0 && cols == stride && !matches!(start, Start::Out);
                assert!(writes_all, "a product that writes every number");
                // SAFETY: the first block of terms writes all `cols` numbers of every row without reading them, and such rows,
                // one directly after the other, are all there is.
                unsafe { part.write(|out| dispatch(Blocks { out, stride, a, b, sizes, start })) };
            }
        }
    }
}

/// Numbers as places to write to.
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
        let mut scratch = vec![];
        for k in ranges(terms, TERMS) {
            let a = Scalars { data: &a.data[k.start * a.step..], ..a };
            for c in ranges(cols, panel_width::<S>()) {
                let start = if k.start == 0 { start } else { Start::Out };
                let vectors = c.len().div_ceil(S::F32_LANES);
                let strip = b.strip::<S>(&k, &c, rows, &mut scratch);
                product_of_rows(
                    simd,
                    a,
                    strip,
                    [rows, vectors, k.len()],
                    #[inline(always)]
                    |i, j, sum| {
                        let from = c.start + j * S::F32_LANES;
                        let to = cols.min(from + S::F32_LANES);
                        let out = &mut out[i * stride..][from..to];
                        let sum = match start {
                            Start::Zeros => sum,
                            Start::Columns(start) => simd.add_f32s(load(simd, &start[from..to]), sum),
                            Start::Rows(start) => simd.add_f32s(simd.splat_f32s(start[i]), sum),
                            // SAFETY: written, by the first block of terms or by whoever asks for what is there.
                            Start::Out => simd.add_f32s(load(simd, unsafe { out.assume_init_ref() }), sum),
                        };
                        write::<S>(out, sum);
                    },
                );
            }
        }
    }
}

fn ranges(len: usize, step: usize) -> impl Iterator<Item = Range<usize>> {
    (0..len).step_by(step).map(move |start| start..len.min(start + step))
}

/// As many numbers of a vector as there is room for.
#[inline(always)]
fn write<S: Simd>(to: &mut [MaybeUninit<f32>], vector: S::f32s) {
    let from: *const S::f32s = &raw const vector;
    // SAFETY: a vector is nothing but its lanes, and no more of them are copied than there are on either side.
    unsafe {
        match to.len() >= S::F32_LANES {
            true => to.as_mut_ptr().cast::<S::f32s>().write_unaligned(vector),
            false => to.as_mut_ptr().copy_from_nonoverlapping(from.cast(), to.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Unwritten;

    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919 + seed * 31) % 1009) as f32 / 1009.0 - 0.5).collect()
    }

    struct Case {
        rows: usize,
        terms: usize,
        cols: usize,
        a: Vec<f32>,
        b: Vec<f32>,
    }

    impl Case {
        fn new([rows, terms, cols]: [usize; 3]) -> Self {
            Self { rows, terms, cols, a: numbers(rows * terms, 1), b: numbers(terms * cols, 2) }
        }

        fn run(&self, out: Out<'_>, start: Start<'_>) {
            let (a, b) =
                (Scalars::rows(&self.a, self.terms), Right::Rows { data: &self.b, stride: self.cols });
            Multiply { out, a, b, terms: self.terms, cols: self.cols, start }.run();
        }

        /// Into numbers that are still to be written, `width` a row.
        fn unwritten(&self, width: usize, start: Start<'_>) -> Vec<f32> {
            let mut out = Unwritten::new(self.rows * width);
            out.parts(self.rows * width).into_iter().for_each(|part| self.run(Out::part(part, width), start));
            out.into_vec()
        }
    }

    #[test]
    fn what_is_still_to_be_written_becomes_the_same_bits_as_what_was_there() {
        for sizes @ [rows, _, cols] in [[1, 1, 1], [3, 256, 17], [9, 257, 64], [5, 513, 70]] {
            let case = Case::new(sizes);
            let (by_row, by_column) = (numbers(rows, 3), numbers(cols, 4));
            for start in [Start::Zeros, Start::Rows(&by_row), Start::Columns(&by_column)] {
                let mut whole = vec![f32::NAN; rows * cols];
                case.run(Out::whole(&mut whole, cols), start);
                assert_eq!(case.unwritten(cols, start), whole, "{sizes:?}");
                assert!(whole.iter().all(|x| x.is_finite()), "{sizes:?}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "a product that writes every number")]
    fn a_product_of_fewer_columns_than_the_rows_have_leaves_numbers_unwritten() {
        Case::new([2, 3, 4]).unwritten(8, Start::Zeros);
    }

    #[test]
    #[should_panic(expected = "a product that writes every number")]
    fn a_product_of_no_terms_writes_nothing() {
        Case::new([2, 0, 4]).unwritten(4, Start::Zeros);
    }

    #[test]
    #[should_panic(expected = "a product that writes every number")]
    fn nothing_is_added_to_what_is_not_there_yet() {
        Case::new([2, 3, 4]).unwritten(4, Start::Out);
    }

    #[test]
    #[should_panic(expected = "numbers written")]
    fn what_a_product_that_panics_should_have_written_is_not_there() {
        let (mut case, mut out) = (Case::new([2, 3, 4]), Unwritten::new(8));
        case.b.truncate(5);
        let parts = out.parts(8);
        let product = || parts.into_iter().for_each(|part| case.run(Out::part(part, 4), Start::Zeros));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(product)).is_err());
        out.into_vec();
    }
}
