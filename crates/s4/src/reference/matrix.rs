//! Square complex matrices, by loops.

use super::{Complex, real};

/// A square matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// Row by row, all of the length of the list.
    pub rows: Vec<Vec<Complex>>,
}

impl Matrix {
    /// Entry `(n, k)` from a function of `n` and `k`.
    pub fn new(size: usize, entry: impl Fn(usize, usize) -> Complex) -> Self {
        Self { rows: (0..size).map(|n| (0..size).map(|k| entry(n, k)).collect()).collect() }
    }

    /// Ones on the diagonal.
    pub fn identity(size: usize) -> Self {
        Self::new(size, |n, k| real(if n == k { 1.0 } else { 0.0 }))
    }

    /// Number of rows, and of columns.
    pub fn size(&self) -> usize {
        self.rows.len()
    }

    /// `factor` times this plus `shift` times the identity.
    pub fn affine(&self, factor: Complex, shift: Complex) -> Self {
        Self::new(self.size(), |n, k| factor * self.rows[n][k] + if n == k { shift } else { real(0.0) })
    }

    /// Rows become columns; nothing is conjugated.
    pub fn transpose(&self) -> Self {
        Self::new(self.size(), |n, k| self.rows[k][n])
    }

    /// This times a column.
    pub fn times(&self, column: &[Complex]) -> Vec<Complex> {
        self.rows.iter().map(|row| dot(row, column)).collect()
    }

    /// This times another.
    pub fn product(&self, other: &Self) -> Self {
        let columns = other.transpose().rows;
        Self::new(self.size(), |n, k| dot(&self.rows[n], &columns[k]))
    }

    /// This times itself, `exponent` factors, by squaring.
    pub fn power(&self, exponent: usize) -> Self {
        let (mut result, mut square, mut left) = (Self::identity(self.size()), self.clone(), exponent);
        while left > 0 {
            if left % 2 == 1 {
                result = result.product(&square);
            }
            square = square.product(&square);
            left /= 2;
        }
        result
    }

    /// The columns `x` with `self x = column`, one for each column given: Gaussian elimination with row exchanges.
    pub fn solve(&self, columns: &[Vec<Complex>]) -> Vec<Vec<Complex>> {
        let right = |n: usize| columns.iter().map(move |column| column[n]);
        let mut rows: Vec<Vec<Complex>> = self.rows.clone();
        rows.iter_mut().enumerate().for_each(|(n, row)| row.extend(right(n)));
        (0..self.size()).for_each(|pivot| eliminate(&mut rows, pivot));
        (0..columns.len()).map(|j| substitute(&rows, self.size() + j)).collect()
    }
}

/// `sum of x_n y_n`, nothing conjugated.
pub(super) fn dot(x: &[Complex], y: &[Complex]) -> Complex {
    x.iter().zip(y).map(|(x, y)| *x * *y).sum()
}

/// Clears the column below the pivot.
fn eliminate(rows: &mut [Vec<Complex>], pivot: usize) {
    let size = |n: usize| rows[n][pivot].norm();
    let largest = (pivot..rows.len()).max_by(|n, m| size(*n).total_cmp(&size(*m)));
    rows.swap(pivot, largest.unwrap_or(pivot));
    let (above, below) = rows.split_at_mut(pivot + 1);
    let top = &above[pivot];
    for row in below {
        let factor = row[pivot] / top[pivot];
        row.iter_mut().zip(top).skip(pivot).for_each(|(entry, top)| *entry -= factor * *top);
    }
}

/// The unknowns of an upper triangular system, from the last one up; `right` is the column of its right-hand side.
fn substitute(rows: &[Vec<Complex>], right: usize) -> Vec<Complex> {
    let mut x = vec![real(0.0); rows.len()];
    for n in (0..rows.len()).rev() {
        x[n] = (rows[n][right] - dot(&rows[n][n + 1..rows.len()], &x[n + 1..])) / rows[n][n];
    }
    x
}
