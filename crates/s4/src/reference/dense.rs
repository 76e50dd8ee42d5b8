//! Systems with any matrix `A`, over the whole state: no conjugate pairs, no structure, nothing that is fast.

use std::f64::consts::TAU;

use super::matrix::{Matrix, dot};
use super::{Complex, Mode, real};

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
    /// A system with real matrices, `a` by its rows.
    pub fn real(a: &[Vec<f64>], b: &[f64], c: &[f64]) -> Self {
        let list = |x: &[f64]| x.iter().copied().map(real).collect();
        Self { a: Matrix { rows: a.iter().map(|row| list(row)).collect() }, b: list(b), c: list(c) }
    }

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
    /// `C A_bar^l B_bar` for `l < seq`, by repeated multiplication. Real where the state comes in conjugate pairs.
    pub fn taps(&self, seq: usize) -> Vec<Complex> {
        let mut state = self.b.clone();
        let mut tap = || {
            let tap = dot(&self.c, &state);
            state = self.a.times(&state);
            tap
        };
        (0..seq).map(|_| tap()).collect()
    }

    /// The kernel: the real part of the [`taps`](Self::taps).
    pub fn kernel(&self, seq: usize) -> Vec<f64> {
        self.taps(seq).into_iter().map(|tap| tap.re).collect()
    }

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

    /// `C~ = C (1 - A_bar^length)`, which turns the sum of `length` taps into a closed form.
    pub fn c_tilde(&self, length: usize) -> Vec<Complex> {
        self.one_minus_power(length).after(&self.c)
    }

    /// The `C` that has this `C~`.
    pub fn recover(&self, c_tilde: &[Complex], length: usize) -> Vec<Complex> {
        let turned = self.one_minus_power(length).transpose();
        turned.solve(&[c_tilde.to_vec()]).swap_remove(0)
    }

    /// The `C~` of twice the length: `C~ (1 + A_bar^length)`.
    pub fn double(&self, c_tilde: &[Complex], length: usize) -> Vec<Complex> {
        self.a.power(length).affine(real(1.0), real(1.0)).after(c_tilde)
    }

    fn one_minus_power(&self, length: usize) -> Matrix {
        self.a.power(length).affine(real(-1.0), real(1.0))
    }

    /// `C~ (1 - A_bar w_j)^-1 B_bar` at the roots of unity `w_j = e^(-2 pi i j / length)`, `j < length`: the discrete Fourier
    /// transform of the first `length` taps.
    pub fn generating_function(&self, c_tilde: &[Complex], length: usize) -> Vec<Complex> {
        let at = |j: usize| {
            let resolvent = self.a.affine(-root_of_unity(j, length), real(1.0));
            dot(c_tilde, &resolvent.solve(std::slice::from_ref(&self.b))[0])
        };
        (0..length).map(at).collect()
    }

    /// The kernel of this length from `C~` (of the same length) by way of the
    /// [`generating_function`](Self::generating_function); `self.c` is not used.
    pub fn truncated_kernel(&self, c_tilde: &[Complex], length: usize) -> Vec<f64> {
        inverse_dft(&self.generating_function(c_tilde, length)).into_iter().map(|tap| tap.re).collect()
    }
}

/// `e^(-2 pi i k / length)`.
fn root_of_unity(k: usize, length: usize) -> Complex {
    Complex { re: 0.0, im: -TAU * (k % length) as f64 / length as f64 }.exp()
}

/// By the sum.
fn inverse_dft(values: &[Complex]) -> Vec<Complex> {
    let length = values.len();
    let term = |l: usize, j: usize| values[j] * root_of_unity(j * l, length).conj();
    let at = |l: usize| real(1.0 / length as f64) * (0..length).map(|j| term(l, j)).sum::<Complex>();
    (0..length).map(at).collect()
}

/// One member of each conjugate pair of `A = Lambda - sum over r of P_r P_r*`.
///
/// The other members are the conjugates, in the whole state behind those stored here. `P_r P_r*` couples all with all, so
/// that no sum over one half is the system.
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

/// One half and its conjugates behind it.
pub fn complete(half: &[Complex]) -> Vec<Complex> {
    half.iter().copied().chain(half.iter().map(|z| z.conj())).collect()
}
