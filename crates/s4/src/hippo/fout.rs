//! The spectrum of HiPPO-FouT: its normal part turns states `2k` and `2k + 1` by `pi k`, so `v = (e_2k - i e_2k+1) / sqrt 2`
//! has the eigenvalue `i pi k`, so there is nothing to solve.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use super::NormalPair;
use crate::number::{Complex, real};

pub(super) fn pairs(n: usize) -> Vec<NormalPair> {
    (0..n / 2).map(|k| pair(n, k)).collect()
}

/// Pair 0 stands still: state 1 has no use, and half of the pair's weight is lost with it.
fn pair(n: usize, k: usize) -> NormalPair {
    let mut v = vec![real(0.0); n];
    v[2 * k] = real(FRAC_1_SQRT_2);
    v[2 * k + 1] = Complex { re: 0.0, im: -FRAC_1_SQRT_2 };
    let b = real(if k == 0 { FRAC_1_SQRT_2 } else { 1.0 });
    NormalPair { a: Complex { re: 0.0, im: PI * k as f64 }, b, p: vec![b], v }
}
