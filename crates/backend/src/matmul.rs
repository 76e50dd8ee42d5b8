//! Matrix products over slices: a safe face for the `gemm` crate, which takes raw pointers.
#![allow(unsafe_code)]

use gemm::Parallelism;

/// A matrix in a slice: entry `(i, j)` is at `i * row_stride + j * col_stride`.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> Matrix<'a> {
    /// The first `cols` entries of `rows` rows that start `stride` apart.
    ///
    /// # Panics
    /// If the slice is too short or rows overlap.
    pub fn new(data: &'a [f32], rows: usize, cols: usize, stride: usize) -> Self {
        check(data, rows, cols, stride);
        Self { data, rows, cols, row_stride: stride, col_stride: 1 }
    }

    /// Rows and columns exchanged; no value moves.
    #[must_use]
    pub fn transposed(self) -> Self {
        let Self { data, rows, cols, row_stride, col_stride } = self;
        Self { data, rows: cols, cols: rows, row_stride: col_stride, col_stride: row_stride }
    }
}

/// [`Matrix`] that can be written.
#[derive(Debug)]
pub struct MatrixMut<'a> {
    data: &'a mut [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    parallelism: Parallelism,
}

impl<'a> MatrixMut<'a> {
    /// # Panics
    /// As for [`Matrix::new`].
    pub fn new(data: &'a mut [f32], rows: usize, cols: usize, stride: usize) -> Self {
        check(data, rows, cols, stride);
        Self { data, rows, cols, row_stride: stride, parallelism: Parallelism::None }
    }

    /// The same matrix, whose product all threads share. Otherwise the calling thread makes it alone.
    #[must_use]
    pub fn on_all_threads(self) -> Self {
        Self { parallelism: Parallelism::Rayon(0), ..self }
    }

    /// `self = scale * lhs * rhs`
    ///
    /// # Panics
    /// If the sizes do not fit.
    pub fn set_product(self, scale: f32, lhs: Matrix<'_>, rhs: Matrix<'_>) {
        self.product(false, scale, lhs, rhs);
    }

    /// `self += scale * lhs * rhs`
    ///
    /// # Panics
    /// If the sizes do not fit.
    pub fn add_product(self, scale: f32, lhs: Matrix<'_>, rhs: Matrix<'_>) {
        self.product(true, scale, lhs, rhs);
    }

    fn product(self, add: bool, scale: f32, lhs: Matrix<'_>, rhs: Matrix<'_>) {
        assert_eq!(
            (self.rows, self.cols, lhs.cols),
            (lhs.rows, rhs.cols, rhs.rows),
            "sizes of a matrix product"
        );
        // SAFETY: the constructors checked that `rows * stride <= data.len()` and `cols <= stride`, and a transpose
        // names the same entries, so every entry that gemm reaches lies in its slice. The strides are at most a slice
        // length, so they fit an isize. The destination is borrowed mutably: nothing else reads or writes it.
        unsafe {
            gemm::gemm(
                self.rows,
                self.cols,
                lhs.cols,
                self.data.as_mut_ptr(),
                1,
                self.row_stride as isize,
                add,
                lhs.data.as_ptr(),
                lhs.col_stride as isize,
                lhs.row_stride as isize,
                rhs.data.as_ptr(),
                rhs.col_stride as isize,
                rhs.row_stride as isize,
                1.0,
                scale,
                false,
                false,
                false,
                self.parallelism,
            );
        }
    }
}

/// Every row lies in the slice, and no two share an entry.
fn check(data: &[f32], rows: usize, cols: usize, stride: usize) {
    let fits = rows.checked_mul(stride).is_some_and(|end| end <= data.len());
    assert!(
        rows > 0 && cols > 0 && cols <= stride && fits,
        "no {rows} x {cols} matrix of stride {stride} fits in {} floats",
        data.len()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small integers have exact products and sums in f32, so any order of summation gives the same bits.
    fn integers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7 + seed * 5) % 11) as f32 - 5.0).collect()
    }

    fn get(m: &Matrix<'_>, i: usize, j: usize) -> f32 {
        m.data[i * m.row_stride + j * m.col_stride]
    }

    /// `before + scale * lhs * rhs` in rows `stride` apart; entries between the rows stay.
    fn by_loops(before: &[f32], stride: usize, scale: f32, lhs: &Matrix<'_>, rhs: &Matrix<'_>) -> Vec<f32> {
        let mut out = before.to_vec();
        for i in 0..lhs.rows {
            for j in 0..rhs.cols {
                out[i * stride + j] +=
                    scale * (0..lhs.cols).map(|l| get(lhs, i, l) * get(rhs, l, j)).sum::<f32>();
            }
        }
        out
    }

    #[test]
    fn products_equal_loops_for_plain_and_transposed_operands_with_gaps() {
        for (m, n, k) in
            [(1, 1, 1), (1, 5, 3), (5, 1, 4), (3, 7, 2), (16, 16, 16), (65, 33, 17), (64, 130, 16)]
        {
            let data = integers(3 * (m + 3) * (n + 3) * (k + 3), 1);
            for (lhs_t, rhs_t) in [(false, false), (true, false), (false, true), (true, true)] {
                let lhs = if lhs_t {
                    Matrix::new(&data, k, m, m + 2).transposed()
                } else {
                    Matrix::new(&data, m, k, k + 1)
                };
                let rhs = if rhs_t {
                    Matrix::new(&data, n, k, k + 3).transposed()
                } else {
                    Matrix::new(&data, k, n, n)
                };
                let stride = n + 1;
                let before = integers(m * stride, 2);
                let mut out = before.clone();
                MatrixMut::new(&mut out, m, n, stride).add_product(0.5, lhs, rhs);
                assert_eq!(out, by_loops(&before, stride, 0.5, &lhs, &rhs), "{m} {n} {k} {lhs_t} {rhs_t}");
            }
        }
    }

    #[test]
    fn setting_a_product_forgets_what_was_there_even_if_it_is_not_a_number() {
        let (lhs, rhs) = (integers(6, 0), integers(8, 1));
        let mut out = vec![f32::NAN; 12];
        MatrixMut::new(&mut out, 3, 4, 4).set_product(
            2.0,
            Matrix::new(&lhs, 3, 2, 2),
            Matrix::new(&rhs, 2, 4, 4),
        );
        let expected = by_loops(&[0.0; 12], 4, 2.0, &Matrix::new(&lhs, 3, 2, 2), &Matrix::new(&rhs, 2, 4, 4));
        assert_eq!(out, expected);
    }

    #[test]
    #[should_panic(expected = "no 2 x 3 matrix of stride 4 fits in 7 floats")]
    fn a_matrix_beyond_its_slice_is_refused() {
        Matrix::new(&[0.0; 7], 2, 3, 4);
    }

    #[test]
    #[should_panic(expected = "fits in 8 floats")]
    fn a_matrix_whose_size_overflows_is_refused() {
        Matrix::new(&[0.0; 8], usize::MAX / 2, 3, 4);
    }

    #[test]
    #[should_panic(expected = "sizes of a matrix product")]
    fn operands_of_other_sizes_are_refused() {
        let data = [0.0; 16];
        MatrixMut::new(&mut [0.0; 4], 2, 2, 2).set_product(
            1.0,
            Matrix::new(&data, 2, 3, 3),
            Matrix::new(&data, 2, 2, 2),
        );
    }
}
