//! The spectrum of HiPPO-LegT, by singular values of half its size.
//!
//! Its normal part is skew and couples even states only with odd ones, `S[n,k] = -1/2 r_n r_k sign(n - k)`. So with
//! `M` the even rows and odd columns, and `M = sum of sigma u w^T`, the vector with `u / sqrt 2` in its even entries
//! and `i w / sqrt 2` in its odd ones has the eigenvalue `i sigma`.
//!
//! `M` is a diagonal times signs times a diagonal; the inverse of the signs is `1 - Z` with `Z` a cyclic shift, so
//! all of them are well conditioned, and Jacobi's method on columns finds every `sigma` to its own last digits
//! (Demmel, Veselic 1992, *Jacobi's method is more accurate than QR*).

use std::f64::consts::FRAC_1_SQRT_2;

use subquad_backend::svd::{Singular, svd};

use super::{Hippo, NormalPair, basis_size, matrices};
use crate::number::{Complex, real};

pub(super) fn pairs(n: usize) -> Vec<NormalPair> {
    let half = n / 2;
    let even_by_odd = |m: usize, j: usize| {
        let sign = if m <= j { 0.5 } else { -0.5 };
        sign * basis_size(2 * m) * basis_size(2 * j + 1)
    };
    let columns = (0..half).map(|j| (0..half).map(|m| even_by_odd(m, j)).collect()).collect();
    let hippo = matrices::legt(n);
    svd(columns).into_iter().map(|singular| pair(&hippo, singular)).collect()
}

fn pair(hippo: &Hippo, Singular { value, left, right }: Singular<f64>) -> NormalPair {
    let size = FRAC_1_SQRT_2.copysign(left[0]);
    let two = |(u, w): (&f64, &f64)| [real(size * u), Complex { re: 0.0, im: size * w }];
    let v = left.iter().zip(&right).flat_map(two).collect();
    let mut pair = NormalPair { a: Complex { re: 0.0, im: value }, b: real(0.0), p: Vec::new(), v };
    pair.b = pair.project(&hippo.b);
    pair.p = hippo.p.iter().map(|p| pair.project(p)).collect();
    pair
}
