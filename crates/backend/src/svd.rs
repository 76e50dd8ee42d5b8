//! Singular values in f64 by Jacobi's method on columns (Hestenes 1958): pairs of columns are rotated until all
//! columns are orthogonal. Small singular values are as exact as large ones. It is meant for the host, and for
//! matrices of up to a few hundred columns: time grows with the columns squared times the rows.

use std::ops::{Div, Mul};

pub use rustfft::num_complex::{Complex, ComplexFloat};

/// More than the matrices here need: 12 for 128 columns, 8 for 32.
const MOST_SWEEPS: usize = 40;

/// The square of the length below which a column counts as zero. Columns of a matrix of lower rank shrink with every
/// sweep; long before their numbers lose digits, nothing is left to rotate.
const NOTHING: f64 = 1e-200;

/// A real or a complex number.
pub trait Scalar: ComplexFloat<Real = f64> + Mul<f64, Output = Self> + Div<f64, Output = Self> {}

impl Scalar for f64 {}
impl Scalar for Complex<f64> {}

/// `M right = value left` and `left^* M = value right^*`, both of length 1; `left` is zero where the value is.
#[derive(Debug, Clone)]
pub struct Singular<T> {
    /// At least 0.
    pub value: f64,
    /// One number per row of `M`.
    pub left: Vec<T>,
    /// One number per column of `M`.
    pub right: Vec<T>,
}

/// A column of `M` after the rotations so far, and how it was made from the columns of `M`.
struct Column<T> {
    image: Vec<T>,
    source: Vec<T>,
}

/// As many as the matrix, which is given by its columns, has columns; the smallest value first.
///
/// If a matrix has more columns than rows, its transpose is faster.
pub fn svd<T: Scalar>(columns: Vec<Vec<T>>) -> Vec<Singular<T>> {
    let n = columns.len();
    let unit = |j: usize| (0..n).map(|i| if i == j { T::one() } else { T::zero() }).collect();
    let mut columns: Vec<Column<T>> =
        columns.into_iter().enumerate().map(|(j, image)| Column { image, source: unit(j) }).collect();
    let mut sweeps = 0..MOST_SWEEPS;
    while sweeps.next().is_some() && sweep(&mut columns) {}
    let mut all: Vec<Singular<T>> = columns.into_iter().map(Singular::of).collect();
    all.sort_by(|a, b| a.value.total_cmp(&b.value));
    all
}

impl<T: Scalar> Singular<T> {
    fn of(Column { image, source }: Column<T>) -> Self {
        let value = norm_sqr(&image).sqrt();
        let unit = |x: T| if value > 0.0 { x / value } else { x };
        Self { value, left: image.into_iter().map(unit).collect(), right: source }
    }
}

/// Rotates each pair of columns once. Returns whether any pair was not yet orthogonal.
fn sweep<T: Scalar>(columns: &mut [Column<T>]) -> bool {
    let mut turned = false;
    for j in 1..columns.len() {
        let (before, rest) = columns.split_at_mut(j);
        for first in before {
            turned |= orthogonalise(first, &mut rest[0]);
        }
    }
    turned
}

/// Rotates two columns by the smaller of both angles that make them orthogonal. Returns whether they were not yet
/// orthogonal.
fn orthogonalise<T: Scalar>(x: &mut Column<T>, y: &mut Column<T>) -> bool {
    let (xx, yy, product) = (norm_sqr(&x.image), norm_sqr(&y.image), dot(&x.image, &y.image));
    let (xy, rounding) = (product.abs(), x.image.len() as f64 * f64::EPSILON);
    if xy <= rounding * (xx * yy).sqrt() || xx.min(yy) < NOTHING {
        return false;
    }
    let cotangent = (yy - xx) / (2.0 * xy);
    let tangent = 1f64.copysign(cotangent) / (cotangent.abs() + 1f64.hypot(cotangent));
    let cos = 1.0 / 1f64.hypot(tangent);
    let turn = Turn { cos, sin: cos * tangent, back: product.conj() / xy };
    turn.apply(&mut x.image, &mut y.image);
    turn.apply(&mut x.source, &mut y.source);
    true
}

/// A rotation of two columns, after the second one has been turned back to where their product is real.
struct Turn<T> {
    cos: f64,
    sin: f64,
    back: T,
}

impl<T: Scalar> Turn<T> {
    fn apply(&self, x: &mut [T], y: &mut [T]) {
        for (x, y) in x.iter_mut().zip(y) {
            let z = *y * self.back;
            (*x, *y) = (*x * self.cos - z * self.sin, *x * self.sin + z * self.cos);
        }
    }
}

fn dot<T: Scalar>(x: &[T], y: &[T]) -> T {
    x.iter().zip(y).map(|(x, y)| x.conj() * *y).fold(T::zero(), T::add)
}

/// The square of the length of a vector.
pub fn norm_sqr<T: Scalar>(x: &[T]) -> f64 {
    x.iter().map(|x| (x.conj() * *x).re()).sum()
}
