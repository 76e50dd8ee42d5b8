//! The matrices of the transforms, computed in f64 and rounded once.
//!
//! Rows are real and weighted by `g^j`, `g = e^(i pi / 2n)`, before their DFT, so that `n >= seq` points are enough: a product of
//! such spectra is a product of polynomials modulo `x^n - i`. What falls at `j + n` returns to `j` times `i`, and what
//! falls at `j - n` times `-i`, so the real part is the linear convolution (Crandall and Fagin 1994, "Discrete weighted
//! transforms and large-integer arithmetic", Section 3). Weight and twiddles are one number, so the weight costs nothing.

use std::collections::VecDeque;
use std::f64::consts::TAU;
use std::sync::{Arc, Mutex, PoisonError};

use crate::matrix::dft::turn;

/// Values and their shape.
pub(super) type Factor = (Vec<f32>, [usize; 3]);

/// The factors of a transform with these axes.
type Tables = (Vec<usize>, Arc<[Factor]>);

/// The factors for `axes`, `n_1 .. n_p`, the digits of a point, slowest first. Factor `t` is `[n_(t+1) .. n_p, inputs, 2 n_t]`.
/// Complex numbers are `(2, n_t)`, first all real parts and then all imaginary ones; the first factor's inputs are real.
///
/// Only the last few are kept: chunk after chunk may have a new length, and the tables of all of them would fill the
/// memory.
pub(super) fn factors(axes: &[usize]) -> Arc<[Factor]> {
    const KEPT: usize = 4;
    static MADE: Mutex<VecDeque<Tables>> = Mutex::new(VecDeque::new());
    // Each entry is complete before it is inserted, so a panic elsewhere leaves a valid list.
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, found)) = made.iter().find(|(of, _)| of == axes) {
        return found.clone();
    }
    let factor = |t: usize| if t == 0 { first(axes) } else { next(axes[t], &axes[t + 1..]) };
    let factors: Arc<[Factor]> = (0..axes.len()).map(factor).collect();
    made.truncate(KEPT - 1);
    made.push_front((axes.to_vec(), factors.clone()));
    factors
}

/// `[n / n_1, n_1, (2, n_1)]`: `g^j e^(-2 pi i q j / n)` for the point `j = (j_1, block)`, as one root of order `4 n`.
fn first(axes: &[usize]) -> Factor {
    let (n_1, blocks) = (axes[0], axes[1..].iter().product::<usize>());
    let order = 4 * n_1 * blocks;
    let mut values = Vec::with_capacity(blocks * n_1 * 2 * n_1);
    for block in 0..blocks {
        for j in (0..n_1).map(|j_1| j_1 * blocks + block) {
            let angle = |q: usize| TAU * turn(j * (4 * q + order - 1), order);
            values.extend((0..n_1).map(|q| angle(q).cos() as f32));
            values.extend((0..n_1).map(|q| -angle(q).sin() as f32));
        }
    }
    (values, [blocks, n_1, 2 * n_1])
}

/// `[blocks, (2, n), (2, n)]`: multiplication by `e^(-2 pi i q (j, block) / (n blocks))`, as a real matrix.
fn next(n: usize, after: &[usize]) -> Factor {
    let blocks = after.iter().product::<usize>();
    let mut values = Vec::with_capacity(blocks * 4 * n * n);
    for block in 0..blocks {
        let angle = |q: usize, j: usize| TAU * turn(q * (j * blocks + block), n * blocks);
        for j in 0..n {
            values.extend((0..n).map(|q| angle(q, j).cos() as f32));
            values.extend((0..n).map(|q| -angle(q, j).sin() as f32));
        }
        for j in 0..n {
            values.extend((0..n).map(|q| angle(q, j).sin() as f32));
            values.extend((0..n).map(|q| angle(q, j).cos() as f32));
        }
    }
    (values, [blocks, 2 * n, 2 * n])
}
