//! Singular values in f64 by Jacobi's method on columns (Hestenes 1958): columns are turned against each other, two at a
//! time, until all are orthogonal. Small singular values come out as exact as large ones. For the host, and for
//! matrices of up to a few hundred columns: time grows with the columns squared times the rows.

use std::ops::{Add, Mul, Sub};

pub use rustfft::num_complex::Complex;

/// More than the matrices here need: 12 for 128 columns, 8 for 32.
const MOST_SWEEPS: usize = 40;

/// The square of the length of a column that is taken for zero. Columns of a matrix of lower rank shrink with every
/// sweep; long before their numbers lose digits, nothing is left to turn.
const NOTHING: f64 = 1e-200;

/// A real or a complex number.
pub trait Scalar: Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> {
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;

    /// The complex conjugate.
    fn conj(self) -> Self;

    /// This many times the number.
    fn times(self, factor: f64) -> Self;

    /// This part of the number.
    fn over(self, divisor: f64) -> Self;

    /// The square of the absolute value.
    fn norm_sqr(self) -> f64;

    /// `(size, phase)` with `size * phase` the number and a phase of absolute value 1; real numbers keep their sign in the
    /// size.
    fn polar(self) -> (f64, Self);
}

impl Scalar for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    fn conj(self) -> Self {
        self
    }

    fn times(self, factor: f64) -> Self {
        self * factor
    }

    fn over(self, divisor: f64) -> Self {
        self / divisor
    }

    fn norm_sqr(self) -> f64 {
        self * self
    }

    fn polar(self) -> (f64, Self) {
        (self, 1.0)
    }
}

impl Scalar for Complex<f64> {
    const ZERO: Self = Self::new(0.0, 0.0);
    const ONE: Self = Self::new(1.0, 0.0);

    fn conj(self) -> Self {
        Self::new(self.re, -self.im)
    }

    fn times(self, factor: f64) -> Self {
        self * factor
    }

    fn over(self, divisor: f64) -> Self {
        self / divisor
    }

    fn norm_sqr(self) -> f64 {
        self.re * self.re + self.im * self.im
    }

    fn polar(self) -> (f64, Self) {
        let size = self.re.hypot(self.im);
        if size == 0.0 { (0.0, Self::ONE) } else { (size, self / size) }
    }
}

/// `M right = value left` and `left^* M = value right^*`, both of length 1; `left` is zero where the value is.
#[derive(Debug, Clone)]
pub struct Singular<T> {
    /// At least 0.
    pub value: f64,
    /// One number a row of `M`.
    pub left: Vec<T>,
    /// One number a column of `M`.
    pub right: Vec<T>,
}

/// A column of `M` turned so far, and how it was made from the columns of `M`.
struct Column<T> {
    image: Vec<T>,
    source: Vec<T>,
}

/// As many as the matrix has columns, which are given; the smallest value first.
///
/// A matrix with more columns than rows is found sooner by its transpose.
pub fn svd<T: Scalar>(columns: Vec<Vec<T>>) -> Vec<Singular<T>> {
    let n = columns.len();
    let unit = |j: usize| (0..n).map(|i| if i == j { T::ONE } else { T::ZERO }).collect();
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
        let unit = |x: T| if value > 0.0 { x.over(value) } else { x };
        Self { value, left: image.into_iter().map(unit).collect(), right: source }
    }
}

/// Turns each two columns once. Whether any two were not orthogonal yet.
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

/// The smaller of both angles that make two columns orthogonal. Whether they were not.
fn orthogonalise<T: Scalar>(x: &mut Column<T>, y: &mut Column<T>) -> bool {
    let (xx, yy, (xy, phase)) = (norm_sqr(&x.image), norm_sqr(&y.image), dot(&x.image, &y.image).polar());
    let rounding = x.image.len() as f64 * f64::EPSILON;
    if xy.abs() <= rounding * (xx * yy).sqrt() || xx.min(yy) < NOTHING {
        return false;
    }
    let cotangent = (yy - xx) / (2.0 * xy);
    let tangent = 1f64.copysign(cotangent) / (cotangent.abs() + 1f64.hypot(cotangent));
    let cos = 1.0 / 1f64.hypot(tangent);
    let turn = Turn { cos, sin: cos * tangent, back: phase.conj() };
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
            (*x, *y) = (x.times(self.cos) - z.times(self.sin), x.times(self.sin) + z.times(self.cos));
        }
    }
}

fn dot<T: Scalar>(x: &[T], y: &[T]) -> T {
    x.iter().zip(y).map(|(x, y)| x.conj() * *y).fold(T::ZERO, T::add)
}

fn norm_sqr<T: Scalar>(x: &[T]) -> f64 {
    x.iter().map(|x| x.norm_sqr()).sum()
}
