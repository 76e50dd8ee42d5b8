//! The micro-kernel: the inner loop of every product of matrices that a fused kernel makes.
//!
//! A block of the result stays in registers while its sums grow: `acc[i][j] += a(i, t) b[t][j]`, where `a(i, t)` is one
//! number for all lanes and `b[t][j]` a vector. So `b` must lie in rows of whole vectors; `a` may lie anyhow.
#![allow(unsafe_code)]

use crate::simd::{Simd, mul_add};

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
/// `store(i, j, sum)` once. `b` has rows of `width` vectors. Every sum runs over `t` in order, so the result depends neither
/// on blocks nor on the number of lanes.
///
/// Inline it in code that [`dispatch`](crate::simd::dispatch) runs.
///
/// # Panics
/// If an operand is too short.
#[inline(always)]
pub fn product<S: Simd>(
    simd: S,
    a: Scalars<'_>,
    (b, width): (&[S::f32s], usize),
    [rows, vectors, inner]: [usize; 3],
    mut store: impl FnMut(usize, usize, S::f32s),
) {
    assert!(reaches(rows, a.row, inner, a.step) <= a.data.len(), "left operand of a product");
    assert!(reaches(inner, width, vectors, 1) <= b.len(), "right operand of a product");
    // 16 sums, 4 vectors and a number need more than 16 registers; 8 sums hide the latency of two multipliers.
    let wide = S::REGISTER_COUNT >= 32;
    let mut j = 0;
    while j < vectors {
        let (left, b) = (vectors - j, (&b[j..], width));
        // SAFETY: the asserts above hold for the part of `b` from column `j` on and a strip of at most `left` columns.
        j += unsafe {
            if wide && left >= 4 {
                strip::<S, 4, 4>(simd, a, b, [rows, inner], j, &mut store)
            } else if wide && left >= 2 {
                strip::<S, 8, 2>(simd, a, b, [rows, inner], j, &mut store)
            } else if left >= 2 {
                strip::<S, 4, 2>(simd, a, b, [rows, inner], j, &mut store)
            } else {
                strip::<S, 8, 1>(simd, a, b, [rows, inner], j, &mut store)
            }
        };
    }
}

/// One more than the largest index of `count` rows `row` apart with `entries` entries `step` apart.
#[inline(always)]
fn reaches(count: usize, row: usize, entries: usize, step: usize) -> usize {
    match count * entries {
        0 => 0,
        _ => (count - 1) * row + (entries - 1) * step + 1,
    }
}

/// `V` columns of the result from column `first` on, `R` rows at a time and the rest one by one. Returns `V`.
///
/// # Safety
/// `a` must have `rows x inner` entries, and `b` `inner` rows of at least `V` vectors `width` apart.
#[inline(always)]
unsafe fn strip<S: Simd, const R: usize, const V: usize>(
    simd: S,
    a: Scalars<'_>,
    b: (&[S::f32s], usize),
    [rows, inner]: [usize; 2],
    first: usize,
    store: &mut impl FnMut(usize, usize, S::f32s),
) -> usize {
    let whole = rows / R * R;
    let mut i = 0;
    while i < whole {
        // SAFETY: rows `i..i + R` are among the `rows` that the caller vouches for.
        let sums = unsafe { block::<S, R, V>(simd, a, i, b, inner) };
        for (ii, sums) in sums.into_iter().enumerate() {
            for (j, sum) in sums.into_iter().enumerate() {
                store(i + ii, first + j, sum);
            }
        }
        i += R;
    }
    for i in whole..rows {
        // SAFETY: as above, for one row.
        let [sums] = unsafe { block::<S, 1, V>(simd, a, i, b, inner) };
        for (j, sum) in sums.into_iter().enumerate() {
            store(i, first + j, sum);
        }
    }
    V
}

/// # Safety
/// `a` must have the rows `first..first + R` of `inner` entries, and `b` `inner` rows of at least `V` vectors `width` apart.
#[inline(always)]
unsafe fn block<S: Simd, const R: usize, const V: usize>(
    simd: S,
    a: Scalars<'_>,
    first: usize,
    (b, width): (&[S::f32s], usize),
    inner: usize,
) -> [[S::f32s; V]; R] {
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    let (a, row, step) = (a.data.as_ptr(), a.row, a.step);
    for t in 0..inner {
        // SAFETY: `t < inner`, `i < R` and `j < V`, so by the caller's promise every index is inside its slice.
        unsafe {
            let b: &[S::f32s; V] = &*b.as_ptr().add(t * width).cast();
            for (i, sums) in sums.iter_mut().enumerate() {
                let a = simd.splat_f32s(*a.add((first + i) * row + t * step));
                for (sum, b) in sums.iter_mut().zip(b) {
                    *sum = mul_add(simd, a, *b, *sum);
                }
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{WithSimd, dispatch};

    struct Product<'a> {
        a: Scalars<'a>,
        /// `[inner, columns]`
        b: &'a [f32],
        rows: usize,
        inner: usize,
    }

    impl WithSimd for Product<'_> {
        /// `[rows, columns]`
        type Output = Vec<f32>;

        fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
            let Self { a, b, rows, inner } = self;
            let width = b.len() / inner / S::F32_LANES;
            let mut out = vec![0.0; rows * b.len() / inner];
            let ((b, _), (sums, _)) = (S::as_simd_f32s(b), S::as_mut_simd_f32s(&mut out));
            product(simd, a, (b, width), [rows, width, inner], |i, j, sum| sums[i * width + j] = sum);
            out
        }
    }

    /// Small integers: every order of summation gives the same bits.
    fn integers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7 + seed * 5) % 11) as f32 - 5.0).collect()
    }

    #[test]
    fn products_equal_loops_for_rows_and_columns_of_any_number() {
        for (rows, columns, inner) in
            [(1, 16, 1), (3, 16, 5), (4, 64, 64), (9, 112, 3), (17, 48, 8), (64, 64, 33)]
        {
            let (a, b) = (integers(rows * inner, 1), integers(inner * columns, 2));
            for (transposed, a) in [(false, Scalars::rows(&a, inner)), (true, Scalars::columns(&a, rows))] {
                let entry = |i, t| a.data[i * a.row + t * a.step];
                let sum = |i, j| (0..inner).map(|t| entry(i, t) * b[t * columns + j]).sum::<f32>();
                let expected: Vec<f32> =
                    (0..rows * columns).map(|at| sum(at / columns, at % columns)).collect();
                let work = || Product { a, b: &b, rows, inner };
                assert_eq!(dispatch(work()), expected, "{rows} {columns} {inner} {transposed}");
                assert_eq!(pulp::Scalar.vectorize(work()), expected, "{rows} {columns} {inner} {transposed}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "left operand of a product")]
    fn an_operand_that_is_too_short_is_refused() {
        let a = integers(7, 1);
        dispatch(Product { a: Scalars::rows(&a, 4), b: &integers(64, 1), rows: 2, inner: 4 });
    }
}
