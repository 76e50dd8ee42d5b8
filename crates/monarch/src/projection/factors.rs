//! The two factors of a Monarch matrix, on the host.

use subquad_backend::svd::{Scalar, Singular};

use crate::MonarchLinearConfig;
use crate::matrix::shape::MonarchShape;

/// A Monarch matrix of two factors on the host: see [`project`](super::project).
#[derive(Debug, Clone, PartialEq)]
pub struct MonarchFactors<T> {
    /// The factor that reads the input, row-major `[blocks, rows, columns]` as in a [`MonarchLinear`](crate::MonarchLinear).
    pub first: Vec<T>,
    /// The factor that writes the output, in the same layout.
    pub last: Vec<T>,
    pub(super) shape: MonarchShape,
    d_input: usize,
    d_output: usize,
}

/// The slice where block `l` of the last factor meets block `i` of the first one.
#[derive(Clone, Copy)]
pub(super) struct Slice {
    l: usize,
    i: usize,
}

impl<T: Scalar> MonarchFactors<T> {
    pub(super) fn zeros(config: &MonarchLinearConfig) -> Self {
        let (shape, &MonarchLinearConfig { d_input, d_output, .. }) = (config.shape(), config);
        let zeros = |size: [usize; 3]| vec![T::zero(); size.into_iter().product()];
        let sizes = shape.factors();
        Self { first: zeros(sizes[0]), last: zeros(sizes[1]), shape, d_input, d_output }
    }

    /// Number of entries in both factors.
    pub fn n_weights(&self) -> usize {
        self.first.len() + self.last.len()
    }

    /// The dense matrix, row-major `[d_output, d_input]`.
    pub fn dense(&self) -> Vec<T> {
        let mut dense = vec![T::zero(); self.d_output * self.d_input];
        for slice in self.slices() {
            for (t, row) in self.rows_of(slice) {
                for (q, column) in self.inputs_of(slice) {
                    dense[row * self.d_input + column] = self.entry(slice, t, q);
                }
            }
        }
        dense
    }

    pub(super) fn slices(&self) -> Vec<Slice> {
        let [k, c] = [self.shape.input[0], self.shape.output[1]];
        (0..c * k).map(|at| Slice { l: at / k, i: at % k }).collect()
    }

    /// The slice of a dense matrix, by columns; zero beyond the end of the matrix.
    pub(super) fn columns_of(&self, slice: Slice, dense: &[T]) -> Vec<Vec<T>> {
        let mut columns = vec![vec![T::zero(); self.shape.output[0]]; self.shape.input[1]];
        for (q, column) in self.inputs_of(slice) {
            for (t, row) in self.rows_of(slice) {
                columns[q][t] = dense[row * self.d_input + column];
            }
        }
        columns
    }

    /// Makes the slice the sum of these parts, each shared evenly by both factors.
    pub(super) fn set(&mut self, slice: Slice, parts: Vec<Singular<T>>) {
        for (j, Singular { value, left, right }) in parts.into_iter().enumerate() {
            let share = value.sqrt();
            for (t, x) in left.into_iter().enumerate() {
                let at = self.last_at(slice, t, j);
                self.last[at] = x * share;
            }
            for (q, x) in right.into_iter().enumerate() {
                let at = self.first_at(slice, j, q);
                self.first[at] = x.conj() * share;
            }
        }
    }

    fn entry(&self, slice: Slice, t: usize, q: usize) -> T {
        let term = |j: usize| self.last[self.last_at(slice, t, j)] * self.first[self.first_at(slice, j, q)];
        (0..self.rank()).map(term).fold(T::zero(), T::add)
    }

    fn rank(&self) -> usize {
        self.shape.middle / self.shape.output[1]
    }

    /// `t` and output of the rows that the slice has within the matrix.
    fn rows_of(&self, Slice { l, .. }: Slice) -> impl Iterator<Item = (usize, usize)> + use<T> {
        let ([s, c], d_output) = ([self.shape.output[0], self.shape.output[1]], self.d_output);
        (0..s).map(move |t| (t, t * c + l)).filter(move |(_, row)| *row < d_output)
    }

    /// `q` and input of the slice's columns.
    fn inputs_of(&self, Slice { i, .. }: Slice) -> impl Iterator<Item = (usize, usize)> + use<T> {
        let ([k, p], d_input) = ([self.shape.input[0], self.shape.input[1]], self.d_input);
        let pre_permute = self.shape.pre_permute;
        let input = move |q: usize| if pre_permute { q * k + i } else { i * p + q };
        (0..p).map(move |q| (q, input(q))).filter(move |(_, column)| *column < d_input)
    }

    fn first_at(&self, Slice { l, i }: Slice, j: usize, q: usize) -> usize {
        let (c, p) = (self.shape.output[1], self.shape.input[1]);
        (i * self.shape.middle + j * c + l) * p + q
    }

    fn last_at(&self, Slice { l, i }: Slice, t: usize, j: usize) -> usize {
        let (s, columns) = (self.shape.output[0], self.shape.input[0] * self.rank());
        (l * s + t) * columns + i * self.rank() + j
    }
}
