//! A diagonal plus low-rank system, made whole.

use super::matrix::Matrix;
use super::{Complex, Dense, Mode};

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
