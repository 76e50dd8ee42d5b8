//! One token in linear time, without a dense matrix.
//!
//! The bilinear rule is half an explicit and half an implicit step, `(I - A / 2) s' = (I + A / 2) s + b u`. With
//! `A = a - p (q . )` the left side is a diagonal and a low-rank part, so that its inverse is one too:
//!
//! ```text
//! r  = s + (a s - p (q . s)) / 2 + b u
//! s' = f r - f p w,   f = 1 / (1 - a / 2),   (2 + q . f p) w = q . f r        for a rank of 1
//! ```
//! Gu, Goel, Re 2021, <https://arxiv.org/abs/2111.00396>, appendix C.2. `q . s` is over the full state: `2 Re` of the sum.
//!
//! As plain numbers, with `D = 1 - a / 2` and `p' = p / 2`, the step is `(D + p' q) s' = (2 - D) s - p' q s + b u`. Let `w` be what
//! it would be without the low-rank part, `D w = (2 - D) s + b u`. Then `(D + p' q) s' = (D + p' q) w - p' q (w + s)`, and so
//!
//! ```text
//! s' = w - F (q . (w + s)),    F = (D + p' q)^-1 p'
//! ```
//! for any rank: one number per row, and nothing to solve at each token.

use burn::tensor::Tensor;

use super::Scaled;
use crate::complex::Pair;
use crate::lines::{Lines, complex, numbers};

/// The state after `u` of `[batch, d_model]`, and its output: `[batch, kernels, d_model]`.
pub(super) fn advance(system: &Scaled, c: Pair<3>, state: Pair<3>, u: Tensor<2>) -> (Pair<3>, Tensor<3>) {
    let input = system.b.clone().unsqueeze_dim::<3>(0).map(|part| part * u.clone().unsqueeze_dim(2));
    let explicit = state.clone() + system.half_a() * state.clone() + input;
    let low_rank = |next, [p, q]: [Pair<3>; 2]| next + (p * inner(&q, &state)).map(Tensor::neg);
    let next = Implicit::of(system).apply(system.rows().into_iter().fold(explicit, low_rank));
    let y = c.unsqueeze_dim::<4>(0) * next.clone().unsqueeze_dim(1);
    (next, y.re.sum_dim(3).squeeze_dim::<3>(3) * 2.0)
}

/// The step as plain numbers, of a system in f64 and of `C` itself, `[d_model, kernels, 2 pairs]` as a dense system has it.
pub(super) fn lines(system: &Scaled, c: Tensor<3>) -> Lines {
    let ([d_model, pairs], [_, kernels, _]) = (system.a.re.dims(), c.dims());
    let left = Implicit::of(system);
    let [decay, input] =
        [&system.a, &system.b].map(|part| complex(left.diagonal.clone() * part.clone().unsqueeze_dim(0)));
    let row = |[p, q]: [Pair<3>; 2]| [complex(q), complex(left.apply(p))];
    let rows: Vec<_> = system.rows().into_iter().map(row).collect();
    let c = numbers(c.inner());
    let mut lines = Lines::new([kernels, d_model, pairs], rows.len());
    for (h, outputs) in c.chunks_exact(kernels * 2 * pairs).enumerate() {
        let own = h * pairs..(h + 1) * pairs;
        lines.push(&decay[own.clone()]);
        lines.push(&input[own.clone()]);
        for [reading, writing] in &rows {
            lines.push_reading(&reading[own.clone()]);
            lines.push(&writing[own.clone()]);
        }
        lines.push_rows(outputs);
    }
    lines
}

/// `2 Re` of the sum over the pairs, as a real number to combine with each pair: `[batch, d_model, 1]` with no
/// imaginary part.
fn inner(q: &Pair<3>, state: &Pair<3>) -> Pair<3> {
    let re = (q.clone() * state.clone()).re.sum_dim(2) * 2.0;
    Pair { im: re.zeros_like(), re }
}

impl Scaled {
    /// `a / 2`: `[1, d_model, pairs]`.
    fn half_a(&self) -> Pair<3> {
        self.a.clone().map(|part| (part * 0.5).unsqueeze_dim(0))
    }

    /// `p / 2` and `q` of every row of the low-rank part, `[1, d_model, pairs]` each.
    fn rows(&self) -> Vec<[Pair<3>; 2]> {
        let [rank, _, _] = self.p.re.dims();
        let row = |all: &Pair<3>, r: usize| all.clone().map(|part| part.narrow(0, r, 1));
        (0..rank).map(|r| [row(&self.p, r).map(|part| part * 0.5), row(&self.q, r)]).collect()
    }
}

/// The inverse of `1 - A / 2`: of the diagonal, then a correction for each row (Sherman, Morrison 1950).
struct Implicit {
    /// `[1, d_model, pairs]`
    diagonal: Pair<3>,
    /// `inverse p_r / (1 + q_r . inverse p_r)` and `q_r`, with the inverse of all rows before.
    rows: Vec<[Pair<3>; 2]>,
}

impl Implicit {
    fn of(system: &Scaled) -> Self {
        let Pair { re, im } = system.half_a();
        let mut left = Self { diagonal: Pair { re: -re + 1.0, im: -im }.inverse(), rows: vec![] };
        for [p, q] in system.rows() {
            let from = left.apply(p);
            let pivot = inner(&q, &from).re + 1.0;
            left.rows.push([from.map(|part| part / pivot.clone()), q]);
        }
        left
    }

    fn apply(&self, state: Pair<3>) -> Pair<3> {
        let start = self.diagonal.clone() * state;
        self.rows.iter().fold(start, |state, [from, q]| {
            let correction = from.clone() * inner(q, &state);
            state + correction.map(Tensor::neg)
        })
    }
}
