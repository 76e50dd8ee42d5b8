//! Complex tensors as pairs of real ones, because burn has no complex type.

use std::f64::consts::TAU;
use std::ops::{Add, Mul};

use burn::tensor::{Device, Int, Tensor};

use crate::precision::rounded;

/// Real and imaginary part.
#[derive(Debug, Clone)]
pub(crate) struct Pair<const D: usize> {
    pub(crate) re: Tensor<D>,
    pub(crate) im: Tensor<D>,
}

impl<const D: usize> Pair<D> {
    /// The same operation on both parts.
    pub(crate) fn map<const E: usize>(self, part: impl Fn(Tensor<D>) -> Tensor<E>) -> Pair<E> {
        Pair { re: part(self.re), im: part(self.im) }
    }

    pub(crate) fn unsqueeze_dim<const E: usize>(self, dim: usize) -> Pair<E> {
        self.map(|part| part.unsqueeze_dim(dim))
    }

    /// Real parts and the imaginary parts behind them, along the last axis.
    pub(crate) fn joined(self) -> Tensor<D> {
        Tensor::cat(vec![self.re, self.im], D - 1)
    }

    /// The inverse of [`joined`](Self::joined).
    pub(crate) fn parted(joined: Tensor<D>) -> Self {
        let count = joined.dims()[D - 1] / 2;
        Self { re: joined.clone().narrow(D - 1, 0, count), im: joined.narrow(D - 1, count, count) }
    }

    /// `1 / z`.
    pub(crate) fn inverse(self) -> Self {
        let size = self.re.clone().square() + self.im.clone().square();
        Self { re: self.re / size.clone(), im: -self.im / size }
    }

    /// `e^z`.
    pub(crate) fn exp(self) -> Self {
        let (size, angle) = (self.re.exp(), reduce(self.im));
        Self { re: size.clone() * angle.clone().cos(), im: size * angle.sin() }
    }
}

impl<const D: usize> Add for Pair<D> {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { re: self.re + other.re, im: self.im + other.im }
    }
}

impl<const D: usize> Mul for Pair<D> {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self {
            re: self.re.clone() * other.re.clone() - self.im.clone() * other.im.clone(),
            im: self.re * other.im + self.im * other.re,
        }
    }
}

/// The first bits of a turn: few enough that f32 holds a whole number of turns times this exactly.
const TURN: f64 = 6.28125;

/// The angle within half a turn of zero: shader languages promise accurate sines only there.
pub(crate) fn reduce<const D: usize>(angle: Tensor<D>) -> Tensor<D> {
    let turns = (angle.clone().detach() / TAU).round();
    angle - turns.clone() * TURN - turns * (TAU - TURN)
}

/// Length of a block when `seq` lags are cut into blocks: the power of two at or just above the square root.
pub(crate) fn block_len(seq: usize) -> usize {
    1 << seq.next_power_of_two().ilog2().div_ceil(2)
}

/// `e^(log_a j stride)` for `j < count` on `device`; `log_a` is in f64 on the host.
///
/// The angle of the stride is reduced in f64 and rounded once: the phase `j stride Im(log_a)` loses no more than `j`
/// roundings of an angle below half a turn.
///
/// # Shapes
/// - `log_a`: `[d_model, pairs]`
/// - output: `[d_model, pairs, count]`
pub(crate) fn powers(log_a: &Pair<2>, stride: usize, count: usize, device: &Device) -> Pair<3> {
    let exponents = Tensor::<1, Int>::arange(0..count as i64, device).float().reshape([1, 1, count]);
    let Pair { re, im } = log_a.clone().map(|part| part * stride as f64);
    let stride = Pair { re, im: reduce(im) }.map(|part| rounded(part, device));
    stride.map(|part| part.unsqueeze_dim::<3>(2) * exponents.clone()).exp()
}
