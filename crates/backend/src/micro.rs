//! The micro-kernel: the inner loop of every product of matrices that a fused kernel makes.
//!
//! A block of the result stays in registers while its sums grow: `acc[i][j] += a(i, t) b[t][j]`, where `a(i, t)` is one
//! number for all lanes and `b[t][j]` a vector. `b` must be stored in rows; `a` may have any layout.
#![allow(unsafe_code)]

use crate::simd::{Lockstep, Simd, array, mul_add};

/// A matrix that is read number by number: entry `(i, t)` is at `i * row + t * step`.
#[derive(Debug, Clone, Copy)]
pub struct Scalars<'a> {
    /// The numbers.
    pub data: &'a [f32],
    /// Distance of two rows.
    pub row: usize,
    /// Distance of two entries of a row.
    pub step: usize,
}

impl<'a> Scalars<'a> {
    /// Rows that start `stride` apart.
    #[inline(always)]
    pub fn rows(data: &'a [f32], stride: usize) -> Self {
        Self { data, row: stride, step: 1 }
    }

    /// The transpose of rows that start `stride` apart.
    #[inline(always)]
    pub fn columns(data: &'a [f32], stride: usize) -> Self {
        Self { data, row: 1, step: stride }
    }
}

/// `sums(i, j) = sum over t of a(i, t) b[t][j]` for `rows` x `vectors` results and `inner` terms, each handed to
/// `store(i, j, sum)` once, of each row columns `2 k` and `2 k + 1` one directly after the other. `b` has rows of `width` vectors. Every sum runs over `t` in order, so the result depends neither
/// on blocks nor on the number of lanes.
///
/// Inline it in code that [`dispatch`](crate::simd::dispatch) runs, and mark `store` `#[inline(always)]`: a closure that is
/// called costs more than the sums it stores.
///
/// # Panics
/// If an operand is too short.
#[inline(always)]
pub fn product<S: Simd>(
    simd: S,
    a: Scalars<'_>,
    (b, width): (&[S::f32s], usize),
    sizes: [usize; 3],
    store: impl FnMut(usize, usize, S::f32s),
) {
    // SAFETY: a vector consists only of its lanes, which are aligned at least as its first is.
    let lanes = unsafe { std::slice::from_raw_parts(b.as_ptr().cast(), b.len() * S::F32_LANES) };
    product_of_rows(simd, a, (lanes, width * S::F32_LANES), sizes, store);
}

/// [`product`] with a right operand whose rows lie `stride` floats apart, which need be no number of whole vectors.
///
/// # Panics
/// If an operand is too short.
#[inline(always)]
pub fn product_of_rows<S: Simd>(
    simd: S,
    a: Scalars<'_>,
    (b, stride): (&[f32], usize),
    [rows, vectors, inner]: [usize; 3],
    mut store: impl FnMut(usize, usize, S::f32s),
) {
    let columns = vectors.checked_mul(S::F32_LANES);
    assert!(holds(a.data.len(), rows, a.row, Some(inner), a.step), "left operand of a product");
    assert!(holds(b.len(), inner, stride, columns, 1), "right operand of a product");
    if inner == 0 {
        return no_terms(simd, rows, vectors, store);
    }
    // Two multipliers with a latency of four keep eight sums busy. 16 sums, 4 vectors and a number need more than 16
    // registers; 12 sums, 2 vectors and a number do not. 64 and 112 rows, of which most products consist, are then a number of sixes
    // and four.
    let wide = S::REGISTER_COUNT >= 32;
    let sizes = [rows, inner];
    let mut j = 0;
    while j < vectors {
        let left = vectors - j;
        let b = (&b[j * S::F32_LANES..], stride);
        // SAFETY: the asserts above hold for the part of `b` from column `j` on and a block of at most `left` columns.
        unsafe {
            if wide && left >= 4 {
                strip::<S, 4, 2, 4>(simd, a, b, sizes, j, &mut store);
                j += 4;
            } else if left >= 2 {
                match wide {
                    true => strip::<S, 8, 4, 2>(simd, a, b, sizes, j, &mut store),
                    false => strip::<S, 6, 4, 2>(simd, a, b, sizes, j, &mut store),
                }
                j += 2;
            } else {
                strip::<S, 8, 4, 1>(simd, a, b, sizes, j, &mut store);
                j += 1;
            }
        }
    }
}

/// [`product_of_rows`] for a right operand of at most [`PANEL`] vectors a row, one directly after the other, as long as many rows use
/// it: taller blocks of sums read it less often.
///
/// # Panics
/// If an operand is too short, or has more vectors.
#[inline(always)]
pub fn product_of_panel<S: Simd>(
    simd: S,
    a: Scalars<'_>,
    b: &[f32],
    [rows, vectors, inner]: [usize; 3],
    mut store: impl FnMut(usize, usize, S::f32s),
) {
    let width = vectors * S::F32_LANES;
    assert!(vectors <= PANEL, "vectors of a panel");
    assert!(holds(a.data.len(), rows, a.row, Some(inner), a.step), "left operand of a product");
    assert!(holds(b.len(), inner, width, Some(width), 1), "right operand of a product");
    if inner == 0 {
        return no_terms(simd, rows, vectors, store);
    }
    let (b, sizes) = ((b, width), [rows, inner]);
    // SAFETY: the asserts above hold for all rows and for as many vectors as the strips have.
    unsafe {
        match (vectors, S::REGISTER_COUNT >= 32) {
            // 28 sums, 2 vectors and a number leave one of 32 registers.
            (PANEL, true) => strip::<S, 14, 4, PANEL>(simd, a, b, sizes, 0, &mut store),
            (PANEL, false) => strip::<S, 6, 4, PANEL>(simd, a, b, sizes, 0, &mut store),
            _ => strip::<S, 8, 4, 1>(simd, a, b, sizes, 0, &mut store),
        }
    }
}

/// Vectors of a row of a panel: 256 of these rows leave half of a core's first cache to the other operands.
pub const PANEL: usize = 2;

/// Rows of the tallest block of sums.
pub const TALLEST: usize = 14;

/// Sums of nothing.
#[inline(always)]
fn no_terms<S: Simd>(simd: S, rows: usize, vectors: usize, mut store: impl FnMut(usize, usize, S::f32s)) {
    for i in 0..rows {
        for j in 0..vectors {
            store(i, j, simd.splat_f32s(0.0));
        }
    }
}

/// One more than the largest index of `count` rows `row` apart with `entries` entries `step` apart; none if no slice is that long.
#[inline(always)]
fn reaches(count: usize, row: usize, entries: usize, step: usize) -> Option<usize> {
    if count == 0 || entries == 0 {
        return Some(0);
    }
    let (last_row, last_entry) = ((count - 1).checked_mul(row)?, (entries - 1).checked_mul(step)?);
    last_row.checked_add(last_entry)?.checked_add(1)
}

/// Whether `floats` floats hold such rows.
#[inline(always)]
fn holds(floats: usize, count: usize, row: usize, entries: Option<usize>, step: usize) -> bool {
    let Some(entries) = entries else { return false };
    matches!(reaches(count, row, entries, step), Some(end) if end <= floats)
}

/// `V` columns of the result from column `j` on: `R` rows at a time, then `HALF`, and the rest one by one.
///
/// # Safety
/// `a` must have `rows x inner` entries, and `b` `inner` rows of at least `V` vectors.
#[inline(always)]
unsafe fn strip<S: Simd, const R: usize, const HALF: usize, const V: usize>(
    simd: S,
    a: Scalars<'_>,
    b: (&[f32], usize),
    [rows, inner]: [usize; 2],
    j: usize,
    store: &mut impl FnMut(usize, usize, S::f32s),
) {
    let mut i = 0;
    // SAFETY: every block ends at `rows` at the latest, and the caller vouches for those.
    unsafe {
        while i + R <= rows {
            put((i, j), block::<S, R, V>(simd, a, i, b, inner), store);
            i += R;
        }
        while i + HALF <= rows {
            put((i, j), block::<S, HALF, V>(simd, a, i, b, inner), store);
            i += HALF;
        }
        while i < rows {
            put((i, j), block::<S, 1, V>(simd, a, i, b, inner), store);
            i += 1;
        }
    }
}

/// Written as loops, because a closure that is not inlined is not compiled for the instruction set.
#[inline(always)]
fn put<T: Copy, const R: usize, const V: usize>(
    (first, column): (usize, usize),
    sums: [[T; V]; R],
    store: &mut impl FnMut(usize, usize, T),
) {
    for (i, sums) in sums.iter().enumerate() {
        for (j, sum) in sums.iter().enumerate() {
            store(first + i, column + j, *sum);
        }
    }
}

/// # Safety
/// `a` must have the rows `first..first + R` of `inner` entries, and `b` `inner` rows of at least `V` vectors.
#[inline(always)]
unsafe fn block<S: Simd, const R: usize, const V: usize>(
    simd: S,
    a: Scalars<'_>,
    first: usize,
    (b, stride): (&[f32], usize),
    inner: usize,
) -> [[S::f32s; V]; R] {
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    let (a, row, step) = (a.data.as_ptr(), a.row, a.step);
    for t in 0..inner {
        // SAFETY: `t < inner`, `i < R` and `j < V`, so by the caller's promise every index is inside its slice.
        unsafe {
            let b: *const S::f32s = b.as_ptr().add(t * stride).cast();
            let b: [S::f32s; V] = array(|j| b.add(j).read_unaligned());
            for (i, sums) in sums.iter_mut().enumerate() {
                let a = simd.splat_f32s(*a.add((first + i) * row + t * step));
                for (sum, b) in sums.iter_mut().lockstep(&b) {
                    *sum = mul_add(simd, a, *b, *sum);
                }
            }
        }
    }
    sums
}
