//! Systems with any matrix `A`, over the whole state: no conjugate pairs, no structure, nothing that is fast.

use super::matrix::{Matrix, dot};
use super::{Complex, Mode, complete, real};

/// A continuous system `x' = A x + B u`, `y = Re(C x)`; `C` is a row and is not conjugated.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    /// `[N, N]`.
    pub a: Matrix,
    /// `[N]`.
    pub b: Vec<Complex>,
    /// `[N]`.
    pub c: Vec<Complex>,
}

/// Its recurrence `s_t = A_bar s_{t-1} + B_bar u_t`, `y_t = Re(C s_t)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Recurrence {
    /// `A_bar`, `[N, N]`.
    pub a: Matrix,
    /// `B_bar`, `[N]`.
    pub b: Vec<Complex>,
    /// `C`, `[N]`.
    pub c: Vec<Complex>,
}

impl Dense {
    /// The bilinear rule with steps of `rate dt`: `A_bar = (1 - dt A / 2)^-1 (1 + dt A / 2)` and
    /// `B_bar = (1 - dt A / 2)^-1 dt B`.
    pub fn discretize(&self, dt: f64, rate: f64) -> Recurrence {
        let dt = rate * dt;
        let (one, half) = (real(1.0), real(0.5 * dt));
        let mut columns = self.a.affine(half, one).transpose().rows;
        columns.push(self.b.iter().map(|b| real(dt) * *b).collect());
        let mut solved = self.a.affine(-half, one).solve(&columns);
        let b = solved.pop().unwrap_or_default();
        Recurrence { a: Matrix { rows: solved }.transpose(), b, c: self.c.clone() }
    }
}

impl Recurrence {
    /// All zero.
    pub fn start(&self) -> Vec<Complex> {
        vec![real(0.0); self.b.len()]
    }

    /// `y_t = Re(C s_t) + d u_t`, token by token; `state` becomes the one after the last token.
    pub fn scan(&self, d: f64, u: &[f64], state: &mut Vec<Complex>) -> Vec<f64> {
        let mut step = |u: &f64| {
            let carried = self.a.times(state);
            *state = carried.into_iter().zip(&self.b).map(|(s, b)| s + *b * real(*u)).collect();
            dot(&self.c, state).re + d * u
        };
        u.iter().map(&mut step).collect()
    }

    /// The `C` that has this `C~ = C (1 - A_bar^length)`, which turns the sum of `length` taps into a closed form.
    pub fn recover(&self, c_tilde: &[Complex], length: usize) -> Vec<Complex> {
        let one_minus_power = self.a.power(length).affine(real(-1.0), real(1.0));
        one_minus_power.transpose().solve(&[c_tilde.to_vec()]).swap_remove(0)
    }
}

/// One member of each conjugate pair of `A = Lambda - sum over r of P_r P_r*`.
///
/// The other members are the conjugates, which follow those stored here in the whole state. `P_r P_r*` couples all
/// with all, so a sum over one half is not the system.
#[derive(Debug, Clone, PartialEq)]
pub struct Dplr {
    /// `Lambda`, `B` and `C`.
    pub modes: Vec<Mode>,
    /// `[rank][pair]`.
    pub p: Vec<Vec<Complex>>,
}

impl Dplr {
    /// The whole system, of twice as many states as there are pairs.
    pub fn dense(&self) -> Dense {
        let list = |part: fn(&Mode) -> Complex| complete(&self.modes.iter().map(part).collect::<Vec<_>>());
        let lambda = list(|mode| mode.a);
        let p: Vec<Vec<Complex>> = self.p.iter().map(|p| complete(p)).collect();
        let entry = |n: usize, k: usize| {
            let low_rank: Complex = p.iter().map(|p| p[n] * p[k].conj()).sum();
            if n == k { lambda[n] - low_rank } else { -low_rank }
        };
        Dense { a: Matrix::new(lambda.len(), entry), b: list(|mode| mode.b), c: list(|mode| mode.c) }
    }
}
