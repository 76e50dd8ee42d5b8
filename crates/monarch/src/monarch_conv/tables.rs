//! The matrices of the transforms, computed in f64 and rounded once.
//!
//! Rows are real and weighted by `g^j`, `g = e^(i pi / 2n)`, before their DFT, so that `n >= seq` points are enough: a product of
//! such spectra is a product of polynomials modulo `x^n - i`. What falls at `j + n` returns to `j` times `i`, and what
//! falls at `j - n` times `-i`, so the real part is the linear convolution (Crandall and Fagin 1994, "Discrete weighted
//! transforms and large-integer arithmetic", Section 3). Weight and twiddles are one number, so the weight costs nothing.

use std::collections::VecDeque;
use std::f64::consts::TAU;
use std::sync::{Arc, Mutex, PoisonError};

use burn::tensor::{Device, Tensor, TensorData};

use crate::matrix::dft::turn;

/// The transform of rows of one length.
pub(super) struct Tables {
    /// `n_1 .. n_p`: the digits of a point, slowest first.
    pub(super) axes: Vec<usize>,
    /// Of factor `t`, `[n_(t+1) .. n_p, inputs, 2 n_t]`. Complex numbers are `(2, n_t)`, first all real parts and then all
    /// imaginary ones; the first factor's inputs are real.
    factors: Vec<(Vec<f32>, [usize; 3])>,
}

impl Tables {
    /// The tables for these axes. Only the last few are kept: chunk after chunk may have a new length, and the tables
    /// of all of them would fill the memory.
    pub(super) fn of(axes: &[usize]) -> Arc<Self> {
        const KEPT: usize = 4;
        static MADE: Mutex<VecDeque<Arc<Tables>>> = Mutex::new(VecDeque::new());
        // Each entry is complete before it is inserted, so a panic elsewhere leaves a valid list.
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let found = made.iter().find(|tables| tables.axes == axes).cloned();
        found.unwrap_or_else(|| {
            made.truncate(KEPT - 1);
            made.push_front(Arc::new(Self::new(axes)));
            made[0].clone()
        })
    }

    fn new(axes: &[usize]) -> Self {
        let factors =
            (0..axes.len()).map(|t| if t == 0 { first(axes) } else { next(axes[t], &axes[t + 1..]) });
        Self { axes: axes.to_vec(), factors: factors.collect() }
    }

    /// Number of points.
    pub(super) fn points(&self) -> usize {
        self.axes.iter().product()
    }

    pub(super) fn factors(&self, device: &Device) -> Vec<Tensor<3>> {
        let tensor = |(values, shape): &(Vec<f32>, [usize; 3])| {
            Tensor::from_data(TensorData::new(values.clone(), *shape), device)
        };
        self.factors.iter().map(tensor).collect()
    }
}

/// `[n / n_1, n_1, (2, n_1)]`: `g^j e^(-2 pi i q j / n)` for the point `j = (j_1, block)`, as one root of order `4 n`.
fn first(axes: &[usize]) -> (Vec<f32>, [usize; 3]) {
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
fn next(n: usize, after: &[usize]) -> (Vec<f32>, [usize; 3]) {
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
