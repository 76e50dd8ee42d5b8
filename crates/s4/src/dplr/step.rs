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

use burn::tensor::Tensor;

use super::Scaled;
use crate::complex::Pair;

/// The state after `u` of `[batch, d_model]`, and what it says: `[batch, kernels, d_model]`.
pub(super) fn advance(system: &Scaled, c: Pair<3>, state: Pair<3>, u: Tensor<2>) -> (Pair<3>, Tensor<3>) {
    let [rank, _, _] = system.p.re.dims();
    let a = system.a.clone().map(|part| part * 0.5).unsqueeze_dim::<3>(0);
    let input = system.b.clone().unsqueeze_dim::<3>(0).map(|part| part * u.clone().unsqueeze_dim(2));
    let mut next = state.clone() + a.clone() * state.clone() + input;
    let mut solve = Implicit::new(a);
    for r in 0..rank {
        let line = |part: &Pair<3>| part.clone().map(|part| part.narrow(0, r, 1));
        let (p, q) = (line(&system.p).map(|part| part * 0.5), line(&system.q));
        next = next + (p.clone() * inner(&q, &state)).map(Tensor::neg);
        solve.add(p, q);
    }
    let next = solve.apply(next);
    let y = c.unsqueeze_dim::<4>(0) * next.clone().unsqueeze_dim(1);
    (next, y.re.sum_dim(3).squeeze_dim::<3>(3) * 2.0)
}

/// `2 Re` of the sum over the pairs, as a real number beside each pair: `[batch, d_model, 1]` with no imaginary part.
fn inner(q: &Pair<3>, state: &Pair<3>) -> Pair<3> {
    let re = (q.clone() * state.clone()).re.sum_dim(2) * 2.0;
    Pair { im: re.zeros_like(), re }
}

/// The inverse of `1 - a + p_1 q_1 + p_2 q_2 + ..`: of the diagonal, then a correction for each row (Sherman, Morrison 1950).
struct Implicit {
    /// `[1, d_model, pairs]`
    diagonal: Pair<3>,
    /// `inverse p_r / (1 + q_r . inverse p_r)` and `q_r`, with the inverse of all rows before.
    rows: Vec<(Pair<3>, Pair<3>)>,
}

impl Implicit {
    fn new(a: Pair<3>) -> Self {
        let (re, im) = (-a.re + 1.0, a.im);
        let size = re.clone().square() + im.clone().square();
        Self { diagonal: Pair { re: re / size.clone(), im: im / size }, rows: Vec::new() }
    }

    fn add(&mut self, p: Pair<3>, q: Pair<3>) {
        let from = self.apply(p);
        let pivot = inner(&q, &from).re + 1.0;
        self.rows.push((from.map(|part| part / pivot.clone()), q));
    }

    fn apply(&self, state: Pair<3>) -> Pair<3> {
        let start = self.diagonal.clone() * state;
        self.rows.iter().fold(start, |state, (from, q)| {
            let correction = from.clone() * inner(q, &state);
            state + correction.map(Tensor::neg)
        })
    }
}
