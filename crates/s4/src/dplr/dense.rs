//! The system as dense matrices in f64 on the host: powers of `a_bar` lose all digits in f32 (1.7 % at 16,384 tokens).
//!
//! A pair `z = x + i y` becomes two real numbers, all real parts first: `A z` is real-linear in `(x, y)` although the low-rank
//! part couples each number with every conjugate. burn differentiates all of it.

use burn::tensor::{FloatDType, Tensor};

use super::Scaled;
use crate::complex::Pair;

/// A recurrence `s = a_bar s + b_bar u`, `y = c s` of `n = 2 pairs` real numbers for every channel.
#[derive(Clone)]
pub(super) struct Dense {
    /// `[d_model, n, n]`
    pub(super) a_bar: Tensor<3>,
    /// `[d_model, n, 1]`
    pub(super) b_bar: Tensor<3>,
    /// `[d_model, kernels, n]`
    pub(super) c: Tensor<3>,
}

impl Dense {
    /// Both in f64 on the host; `c` is `[kernels, d_model, pairs]`.
    pub(super) fn of(system: &Scaled, c: Pair<3>) -> Self {
        let resolvent = resolvent(system);
        let b = column(system.b.clone());
        Self {
            b_bar: resolvent.clone().matmul(b),
            a_bar: resolvent.clone() * 2.0 - identity(&resolvent),
            c: row(c).swap_dims(0, 1),
        }
    }

    /// `a_bar^exponent` by repeated squaring; `exponent` is at least 1.
    pub(super) fn power(&self, exponent: usize) -> Tensor<3> {
        let mut square = self.a_bar.clone();
        let mut power: Option<Tensor<3>> = None;
        for bit in 0..usize::BITS - exponent.leading_zeros() {
            if bit > 0 {
                square = square.clone().matmul(square);
            }
            if exponent >> bit & 1 == 1 {
                power = Some(power.map_or(square.clone(), |power| power.matmul(square.clone())));
            }
        }
        power.expect("an exponent of at least 1 has a bit")
    }

    /// `C (I - a_bar^length)` for the present `C`, in f32: `[kernels, d_model, pairs]`.
    pub(super) fn truncated(&self, length: usize) -> Pair<3> {
        pairs(self.c.clone() - self.c.clone().matmul(self.power(length)))
    }

    /// `C`, in f32: `[kernels, d_model, pairs]`.
    pub(super) fn c(&self) -> Pair<3> {
        pairs(self.c.clone())
    }

    /// With `C` in place of `C (I - m)`, `m = a_bar^length`: the inverse is
    /// `1 + m + m^2 + .. = (1 + m) (1 + m^2) (1 + m^4) ..`, which converges because every eigenvalue is below 1.
    pub(super) fn recovered(mut self, length: usize) -> Self {
        let mut power = self.power(length);
        for _ in 0..MOST_SQUARES {
            self.c = self.c.clone() + self.c.matmul(power.clone());
            if largest(&power) < NEGLIGIBLE {
                break;
            }
            power = power.clone().matmul(power);
        }
        self
    }
}

/// Enough squarings for any power that decays: `1 - 2^-40` vanishes after 45.
const MOST_SQUARES: usize = 48;
/// An entry of a power below this no longer changes an f64 sum of order one.
const NEGLIGIBLE: f64 = 1e-18;

fn largest(matrix: &Tensor<3>) -> f64 {
    matrix.clone().detach().abs().max().into_scalar::<f64>()
}

/// `(I - A / 2)^-1`: that of the diagonal, then a rank-one correction for each row of the low-rank part (Sherman, Morrison
/// 1950).
fn resolvent(Scaled { a, p, q, .. }: &Scaled) -> Tensor<3> {
    let Pair { re, im } = a.clone().map(|part| part * 0.5);
    let mut inverse = blocks(Pair { re: -re + 1.0, im: -im }.inverse());
    let [rank, d_model, pairs] = p.re.dims();
    for r in 0..rank {
        let line = |part: &Tensor<3>| part.clone().narrow(0, r, 1).reshape([d_model, pairs]);
        let from = inverse.clone().matmul(column(Pair { re: line(&p.re), im: line(&p.im) }) * 0.5);
        let q = row(Pair { re: line(&q.re), im: line(&q.im) }).unsqueeze_dim::<3>(1);
        let to = q.clone().matmul(inverse.clone());
        let pivot = q.matmul(from.clone()) + 1.0;
        inverse = inverse - from.matmul(to) / pivot;
    }
    inverse
}

/// Multiplication by complex numbers as real matrices: `[d_model, n, n]`.
fn blocks(Pair { re, im }: Pair<2>) -> Tensor<3> {
    let pairs = re.dims()[1];
    let diagonal = |part: Tensor<2>| {
        let eye = Tensor::<2>::eye(pairs, &part.device()).cast(FloatDType::F64);
        part.unsqueeze_dim::<3>(2) * eye.unsqueeze_dim(0)
    };
    let (re, im) = (diagonal(re), diagonal(im));
    let above = Tensor::cat(vec![re.clone(), im.clone().neg()], 2);
    Tensor::cat(vec![above, Tensor::cat(vec![im, re], 2)], 1)
}

/// A state as a real column: `[d_model, n, 1]`.
fn column(state: Pair<2>) -> Tensor<3> {
    state.joined().unsqueeze_dim(2)
}

/// What reads `2 Re(c z)` from a state, along the last axis.
fn row<const D: usize>(Pair { re, im }: Pair<D>) -> Tensor<D> {
    Pair { re: re * 2.0, im: im * -2.0 }.joined()
}

/// The inverse of [`row`], in f32: from `[d_model, kernels, n]` to `[kernels, d_model, pairs]`.
fn pairs(rows: Tensor<3>) -> Pair<3> {
    let Pair { re, im } = Pair::parted(rows.cast(FloatDType::F32).swap_dims(0, 1));
    Pair { re: re * 0.5, im: im * -0.5 }
}

fn identity(like: &Tensor<3>) -> Tensor<3> {
    let n = like.dims()[1];
    Tensor::<2>::eye(n, &like.device()).cast(FloatDType::F64).unsqueeze_dim(0)
}
