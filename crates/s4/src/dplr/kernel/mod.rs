//! The convolution kernel of a diagonal plus low-rank state space, by its generating function.
//!
//! ```text
//! sum over l < L of K_l w^l = C~ (I - a_bar w)^-1 b_bar        at the roots of unity w = e^(-2 i theta), theta = pi j / L
//! ```
//! with `C~ = C (I - a_bar^L)`, because the geometric series of `L` terms stops there. The bilinear rule makes the resolvent
//! one of `A`, and the low-rank part one of the diagonal (Woodbury):
//!
//! ```text
//! h(l, r) = e^(-i theta) / cos(theta)  times  the sum over the full state of l_n r_n / (2 i tan(theta) - a_n)
//!         = sum over pairs of (4 i s Re(v) - 2 c Re(v conj a)) / den,      v = l r,  s = sin(theta),  c = cos(theta)
//! den     = c^2 |a|^2 - 4 s^2 - 4 i s c Re(a)
//! K^_j    = e^(i theta) (h(C~, b) - c h(C~, p) (1 + c h(q, p))^-1 h(q, b))
//! ```
//! and an inverse real transform of length `L` gives the taps. Gu, Goel, Re 2021, <https://arxiv.org/abs/2111.00396>,
//! Algorithm 1. There it is written with `2 (1 - w) / (1 + w)`, which is 0 / 0 at `w = -1` and loses three digits in
//! f32; multiplied out with sine and cosine it loses none and is finite everywhere. Where f32 is not enough, f64 on
//! the host takes over: see [`exact`].

mod adjoint;
mod any_length;
mod block;
mod exact;
mod fused;
mod portable;
mod roots;
mod row;

use burn::tensor::Tensor;
use subquad_backend::Form;

use super::{Dplr, Scaled};
use crate::complex::Pair;
use crate::precision::Precision;
use exact::Exact;

/// All `l_max` taps: `[kernels, d_model, l_max]`.
pub(super) fn kernel(dplr: &Dplr, form: Form) -> Tensor<3> {
    let (factors, exact) = (Factors::of(dplr), Exact::of(dplr));
    match form {
        Form::Portable => portable::kernel(factors, exact, dplr.l_max),
        Form::Fused => fused::kernel(factors, exact, dplr.l_max),
    }
}

/// The factors of the products `v`.
struct Factors {
    /// `[d_model, pairs]`
    a: Pair<2>,
    /// `C~` of every kernel, then `q` of every rank: `[kernels + rank, d_model, pairs]`.
    left: Pair<3>,
    /// `b`, then `p` of every rank: `[1 + rank, d_model, pairs]`.
    right: Pair<3>,
    kernels: usize,
}

impl Factors {
    fn of(dplr: &Dplr) -> Self {
        let (Scaled { a, b, p, q }, c) = (dplr.scaled(Precision::Layer), dplr.modes.c(Precision::Layer));
        let kernels = c.re.dims()[0];
        let left = Pair { re: Tensor::cat(vec![c.re, q.re], 0), im: Tensor::cat(vec![c.im, q.im], 0) };
        let b = b.unsqueeze_dim::<3>(0);
        let right = Pair { re: Tensor::cat(vec![b.re, p.re], 0), im: Tensor::cat(vec![b.im, p.im], 0) };
        Self { a, left, right, kernels }
    }
}
