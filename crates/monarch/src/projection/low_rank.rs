//! The nearest matrix of low rank, for comparison with a Monarch matrix of as many parameters.

use subquad_backend::svd::Scalar;

use super::largest;

/// `left right`, on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct LowRank<T> {
    /// Row-major `[rows, rank]`.
    pub left: Vec<T>,
    /// Row-major `[rank, columns]`.
    pub right: Vec<T>,
    /// The rank.
    pub rank: usize,
}

/// The matrix of at most this rank that is nearest to `dense`, row-major `[rows, columns]`, in the Frobenius norm (Eckart and Young
/// 1936). A rank above the smaller side counts as that side.
///
/// # Panics
/// If the matrix does not have `rows * columns` entries, or a size is 0.
pub fn low_rank<T: Scalar>(dense: &[T], [rows, columns]: [usize; 2], rank: usize) -> LowRank<T> {
    assert!(rows > 0 && dense.len() == rows * columns && columns > 0, "{rows} x {columns} entries");
    let by_column = (0..columns).map(|j| (0..rows).map(|i| dense[i * columns + j]).collect()).collect();
    let parts = largest(by_column, rank);
    let rank = parts.len();
    let (mut left, mut right) = (vec![T::zero(); rows * rank], Vec::with_capacity(rank * columns));
    for (j, part) in parts.into_iter().enumerate() {
        let share = part.value.sqrt();
        part.left.into_iter().enumerate().for_each(|(i, x)| left[i * rank + j] = x * share);
        right.extend(part.right.into_iter().map(|x| x.conj() * share));
    }
    LowRank { left, right, rank }
}

/// The largest rank at which the two factors of a matrix of these sizes have at most `parameters` entries; at least 1.
pub fn rank_of_parameters(parameters: usize, [rows, columns]: [usize; 2]) -> usize {
    (parameters / (rows + columns)).clamp(1, rows.min(columns))
}

impl<T: Scalar> LowRank<T> {
    /// Number of entries in both factors.
    pub fn n_weights(&self) -> usize {
        self.left.len() + self.right.len()
    }

    /// The dense matrix, row-major `[rows, columns]`.
    pub fn dense(&self) -> Vec<T> {
        let columns = self.right.len() / self.rank;
        let entry = |row: &[T], j: usize| {
            row.iter().enumerate().map(|(r, x)| *x * self.right[r * columns + j]).fold(T::zero(), T::add)
        };
        self.left.chunks(self.rank).flat_map(|row| (0..columns).map(move |j| entry(row, j))).collect()
    }
}
