//! HiPPO: linear systems whose state is the history of their input, as coefficients in a basis of functions.
//!
//! ```text
//! x'(t) = A x(t) + B u(t)                                                      S = A + sum over r of P_r P_r^T is normal
//!
//! measure   what x_n(t) weighs the past with                                   eigenvalues of S    rank of P
//! Legs      Legendre polynomials of e^-t: all of the past, the older the less  -1/2 + i w          1
//! Legt      Legendre polynomials: the last 2 units of time                     i w                 2
//! Fout      cosines and sines: the last 2 units of time                        i pi k              1
//! ```
//! [`Measure::matrix`] has the real matrices, [`Measure::pairs`] the same system in the eigenvectors of `S`, where it is
//! diagonal plus low rank: `A' = Lambda - sum over r of P'_r P'_r*`. The eigenvectors of `S` are orthogonal; those of
//! `A` are useless, under LegS with entries up to `2^(4n/3)` (Gu, Goel, Re 2021, lemma 3.2), so no eigensolver ever sees `A`.
//!
//! - Gu, Dao, Ermon, Rudra, Re 2020, <https://arxiv.org/abs/2008.07669>: LegT (theorem 1, its window `theta = 2` here) and
//!   LegS (theorem 2);
//! - Gu, Goel, Re 2021, <https://arxiv.org/abs/2111.00396>: `P` (theorem 1 and appendix C);
//! - Gu, Johnson, Timalsina, Rudra, Re 2022, <https://arxiv.org/abs/2206.12037>: FouT, and what LegS remembers.

mod legs;
mod legt;
mod matrices;

use std::f64::consts::{FRAC_1_SQRT_2, PI};

pub use crate::number::Complex;
use crate::number::real;
pub use matrices::Hippo;

/// What the state remembers of its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Scaled Legendre: all of the past, the older the less.
    Legs,
    /// Translated Legendre: a window of 2 units of time.
    Legt,
    /// Truncated Fourier: a window of 2 units of time.
    Fout,
}

/// One conjugate pair of the diagonalised system, the member with the positive imaginary part (or one of both, where it is
/// zero).
///
/// The whole system has the other members too, all conjugated. An inner product over the whole state is `2 Re` of the sum
/// over these; the low-rank term couples each pair with the conjugates of all others.
#[derive(Debug, Clone, PartialEq)]
pub struct NormalPair {
    /// Eigenvalue of `S`.
    pub a: Complex,
    /// Input weight `B' = v* B`.
    pub b: Complex,
    /// Low-rank weights `P'_r = v* P_r`, one for each rank.
    pub p: Vec<Complex>,
    /// Eigenvector `v`: length 1 and, but under [`Measure::Fout`], a first entry that is real and positive.
    /// Eigenvectors are determined only up to a phase, and a bound on the imaginary part of `B'` depends on the
    /// phase.
    pub v: Vec<Complex>,
}

impl NormalPair {
    /// `v* x`: a column of the real system (state, `B`, `P`) in these coordinates.
    ///
    /// # Panics
    /// If `x` has another length than `v`.
    pub fn project(&self, x: &[f64]) -> Complex {
        self.read_out(x).conj()
    }

    /// `c v`: a row of the real system (`C`) in these coordinates.
    ///
    /// # Panics
    /// If `c` has another length than `v`.
    pub fn read_out(&self, c: &[f64]) -> Complex {
        assert_eq!(
            c.len(),
            self.v.len(),
            "a vector of the real system has one number for each of its states"
        );
        let sum = |part: fn(&Complex) -> f64| self.v.iter().zip(c).map(|(v, c)| part(v) * c).sum();
        Complex { re: sum(|v| v.re), im: sum(|v| v.im) }
    }
}

impl Measure {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Legs, Self::Legt, Self::Fout];

    /// How many rows `P` has.
    pub fn rank(self) -> usize {
        match self {
            Self::Legs | Self::Fout => 1,
            Self::Legt => 2,
        }
    }

    /// The real matrices for `n` states.
    ///
    /// # Panics
    /// If `n` is odd: cosines and sines come in pairs, and so do eigenvalues.
    pub fn matrix(self, n: usize) -> Hippo {
        assert_even(n);
        match self {
            Self::Legs => matrices::legs(n),
            Self::Legt => matrices::legt(n),
            Self::Fout => matrices::fout(n),
        }
    }

    /// The `n / 2` conjugate pairs of the diagonalised system, slowest first.
    ///
    /// # Panics
    /// If `n` is odd.
    pub fn pairs(self, n: usize) -> Vec<NormalPair> {
        assert_even(n);
        match self {
            Self::Legs => legs::pairs(n),
            Self::Legt => legt::pairs(n),
            Self::Fout => (0..n / 2).map(|k| fout(n, k)).collect(),
        }
    }
}

/// Pair `k` of FouT, whose normal part turns states `2k` and `2k + 1` by `pi k`: `v = (e_2k - i e_2k+1) / sqrt 2` has the
/// eigenvalue `i pi k`. Pair 0 does not oscillate: state 1 has no use, and half of the pair's weight is lost with it.
fn fout(n: usize, k: usize) -> NormalPair {
    let mut v = vec![real(0.0); n];
    v[2 * k] = real(FRAC_1_SQRT_2);
    v[2 * k + 1] = Complex { re: 0.0, im: -FRAC_1_SQRT_2 };
    let b = real(if k == 0 { FRAC_1_SQRT_2 } else { 1.0 });
    NormalPair { a: Complex { re: 0.0, im: PI * k as f64 }, b, p: vec![b], v }
}

fn assert_even(n: usize) {
    assert!(
        n.is_multiple_of(2),
        "HiPPO comes in conjugate pairs, so the number of states must be even, not {n}"
    );
}

/// `sqrt(2n + 1)`: one over the size of Legendre polynomial `n` on an interval of length 1.
fn basis_size(n: usize) -> f64 {
    ((2 * n + 1) as f64).sqrt()
}
