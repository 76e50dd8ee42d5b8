//! Complex arithmetic on a block of frequencies at once.

use std::ops::Neg;

use rustfft::num_traits::{ConstZero, NumAssign};

/// Frequencies in a block of f32: four rows of numbers of a block fill a kilobyte.
pub(super) const WIDTH: usize = 64;

/// A real number of every frequency of a block of f32.
pub(super) type Lanes = [f32; WIDTH];

/// f32 or f64.
pub(super) trait Number: Copy + NumAssign + ConstZero + Neg<Output = Self> {}

impl Number for f32 {}
impl Number for f64 {}

/// The sum of partial sums. A loop, because the adapters of iterators would be calls.
#[inline(always)]
pub(super) fn total<T: Copy>(lanes: &[T]) -> f64
where
    f64: From<T>,
{
    let mut sum = 0.0;
    for lane in lanes {
        sum += f64::from(*lane);
    }
    sum
}

/// A complex number of every frequency of a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Complex<T = f32, const W: usize = WIDTH> {
    pub(super) re: [T; W],
    pub(super) im: [T; W],
}

impl<T: Number, const W: usize> Complex<T, W> {
    pub(super) const ZERO: Self = Self { re: [T::ZERO; W], im: [T::ZERO; W] };

    #[inline(always)]
    pub(super) fn times(&self, other: &Self) -> Self {
        let mut product = Self::ZERO;
        for i in 0..W {
            product.re[i] = self.re[i] * other.re[i] - self.im[i] * other.im[i];
            product.im[i] = self.re[i] * other.im[i] + self.im[i] * other.re[i];
        }
        product
    }

    /// `self + factor a b`
    #[inline(always)]
    pub(super) fn add_product(&mut self, a: &Self, b: &Self, factor: T) {
        let product = a.times(b);
        for i in 0..W {
            self.re[i] += factor * product.re[i];
            self.im[i] += factor * product.im[i];
        }
    }

    #[inline(always)]
    pub(super) fn scaled(&self, by: &[T; W]) -> Self {
        let mut scaled = *self;
        for (i, by) in by.iter().enumerate() {
            scaled.re[i] *= *by;
            scaled.im[i] *= *by;
        }
        scaled
    }

    #[inline(always)]
    pub(super) fn inverse(&self) -> Self {
        let mut inverse = Self::ZERO;
        for i in 0..W {
            let size = self.re[i] * self.re[i] + self.im[i] * self.im[i];
            inverse.re[i] = self.re[i] / size;
            inverse.im[i] = -self.im[i] / size;
        }
        inverse
    }
}

/// The inverse of a matrix of complex numbers, row by row, in place: Gauss, Jordan without pivots.
#[inline(always)]
pub(super) fn invert(matrix: &mut [Complex], size: usize) {
    for k in 0..size {
        let pivot = matrix[k * size + k].inverse();
        for j in 0..size {
            matrix[k * size + j] = if j == k { pivot } else { matrix[k * size + j].times(&pivot) };
        }
        for i in (0..size).filter(|i| *i != k) {
            let factor = matrix[i * size + k];
            for j in 0..size {
                let above = matrix[k * size + j];
                let start = if j == k { Complex::ZERO } else { matrix[i * size + j] };
                matrix[i * size + j] = start;
                matrix[i * size + j].add_product(&factor, &above, -1.0);
            }
        }
    }
}
