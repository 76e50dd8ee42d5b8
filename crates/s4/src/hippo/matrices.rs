//! The real matrices; `n` counts rows and `k` columns from 0, `r_n = sqrt(2n + 1)`.

use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

use super::basis_size;

/// A real system `x' = A x + B u` and the correction that makes `A + sum over r of P_r P_r^T` normal.
#[derive(Debug, Clone, PartialEq)]
pub struct Hippo {
    /// The rows of `A`.
    pub a: Vec<Vec<f64>>,
    /// Input weights.
    pub b: Vec<f64>,
    /// One list for each rank.
    pub p: Vec<Vec<f64>>,
}

fn square(n: usize, entry: impl Fn(usize, usize) -> f64) -> Vec<Vec<f64>> {
    (0..n).map(|row| (0..n).map(|column| entry(row, column)).collect()).collect()
}

/// `A[n,k] = -r_n r_k` below the diagonal, `-(n + 1)` on it, 0 above; `B = r`, `P = r / sqrt 2`.
pub(super) fn legs(n: usize) -> Hippo {
    let a = square(n, |n, k| match n.cmp(&k) {
        std::cmp::Ordering::Greater => -basis_size(n) * basis_size(k),
        std::cmp::Ordering::Equal => -((n + 1) as f64),
        std::cmp::Ordering::Less => 0.0,
    });
    let b: Vec<f64> = (0..n).map(basis_size).collect();
    let p = vec![b.iter().map(|b| b * FRAC_1_SQRT_2).collect()];
    Hippo { a, b, p }
}

/// `A[n,k] = -r_n r_k / 2`, above the diagonal times `(-1)^(n - k)`; `B = r / 2`; `P = r / sqrt 2`, its odd entries as the
/// first rank and its even ones as the second.
pub(super) fn legt(n: usize) -> Hippo {
    let sign = |n: usize, k: usize| if k <= n || (n + k).is_multiple_of(2) { 1.0 } else { -1.0 };
    let a = square(n, |n, k| -0.5 * basis_size(n) * basis_size(k) * sign(n, k));
    let b = (0..n).map(|n| 0.5 * basis_size(n)).collect();
    let keep =
        |parity: usize| move |n: usize| if n % 2 == parity { FRAC_1_SQRT_2 * basis_size(n) } else { 0.0 };
    let p = [1, 0].map(|parity| (0..n).map(keep(parity)).collect()).into();
    Hippo { a, b, p }
}

/// State `2k` weighs the past with `cos(pi k t)`, state `2k + 1` with `sin(pi k t)`: each two turn by `pi k` (`W`), and
/// `A = W - B B^T`, `B = P = (1, 0, sqrt 2, 0, sqrt 2, 0, ..)`. State 1 has no use.
pub(super) fn fout(n: usize) -> Hippo {
    let b: Vec<f64> = (0..n).map(weight).collect();
    let a = square(n, |n, k| turn(n, k) - b[n] * b[k]);
    Hippo { a, p: vec![b.clone()], b }
}

fn weight(n: usize) -> f64 {
    match n {
        0 => 1.0,
        _ if n.is_multiple_of(2) => SQRT_2,
        _ => 0.0,
    }
}

fn turn(n: usize, k: usize) -> f64 {
    let frequency = PI * (n / 2) as f64;
    match (n / 2 == k / 2, n % 2, k % 2) {
        (true, 0, 1) => -frequency,
        (true, 1, 0) => frequency,
        _ => 0.0,
    }
}
