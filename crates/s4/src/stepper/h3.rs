//! [`H3`](crate::H3) token by token.

use std::sync::Arc;

use subquad_backend::floats;
use subquad_backend::row_linear::RowLinear;
use subquad_backend::simd;
use subquad_mixer::SliceStepper;

use super::channels::{Channels, State};
use crate::lines::Lines;
use crate::{H3, H3State, StateSpace};

/// A layer's present weights, laid out for one token at a time. No token changes it.
#[derive(Debug)]
struct Layer {
    /// Queries, keys, values.
    projections: [RowLinear; 3],
    /// The taps of the shift by lag, `[d_state of the shift, d_model]`.
    taps: Vec<f32>,
    /// One channel per head.
    lines: Lines,
    /// `[n_heads]`
    d: Vec<f32>,
    head_dim: usize,
    output: RowLinear,
}

/// One sequence: the layer, both states and scratch space.
#[derive(Debug, Clone)]
pub(crate) struct H3Stepper {
    layer: Arc<Layer>,
    /// The last keys, `[d_state of the shift, d_model]`, the oldest in the row after the newest.
    keys: Vec<f32>,
    newest: usize,
    /// Of the products, `[head_dim head_dim, n_heads, pairs]`.
    re: Vec<f32>,
    im: Vec<f32>,
    seq: usize,
    scratch: Scratch,
}

#[derive(Debug, Clone)]
struct Scratch {
    /// Queries, keys, values, keys after the shift, and what the output reads: `[d_model]` each.
    rows: [Vec<f32>; 5],
    /// Products and what their states answer: `[n_heads]` each.
    heads: [Vec<f32>; 2],
    /// `[pairs]` each.
    sum: [Vec<f32>; 2],
}

impl H3Stepper {
    /// Continues from a state of one sequence.
    pub(crate) fn new(layer: &H3, state: &H3State) -> Self {
        let (lines, d) = (layer.ssm.lines(), floats(layer.d.val()));
        let row = || vec![0.0; layer.head_dim * d.len()];
        let scratch = Scratch {
            rows: std::array::from_fn(|_| row()),
            heads: std::array::from_fn(|_| d.clone()),
            sum: std::array::from_fn(|_| vec![0.0; lines.pairs]),
        };
        let keys = floats(state.keys.clone().swap_dims(1, 2));
        Self {
            newest: keys.len() / row().len() - 1,
            keys,
            re: floats(state.products.re.clone()),
            im: floats(state.products.im.clone()),
            seq: state.products.seq,
            scratch,
            layer: Arc::new(Layer {
                projections: [&layer.q, &layer.k, &layer.v].map(RowLinear::new),
                taps: floats(layer.shift.taps(layer.form).transpose()),
                lines,
                d,
                head_dim: layer.head_dim,
                output: RowLinear::new(&layer.output),
            }),
        }
    }

    /// Remembers the newest key and sums over those that are kept.
    fn shift(&mut self) {
        let [_, k, _, shifted, _] = &mut self.scratch.rows;
        let d_model = k.len();
        let kept = self.keys.len() / d_model;
        self.newest = (self.newest + 1) % kept;
        self.keys[self.newest * d_model..][..d_model].copy_from_slice(k);
        shifted.fill(0.0);
        let (keys, newest) = (&self.keys, self.newest);
        simd::run(
            #[inline(always)]
            || {
                for (lag, taps) in self.layer.taps.chunks_exact(d_model).enumerate() {
                    let row = (newest + kept - lag) % kept;
                    simd::add_product(shifted, taps, &keys[row * d_model..][..d_model]);
                }
            },
        );
    }

    /// Feature `i` of the keys with feature `j` of the values, in every head: their products' states, read by the queries.
    fn remember(&mut self, i: usize, j: usize) {
        let Layer { lines, d, head_dim, .. } = &*self.layer;
        let Scratch { rows: [q, _, v, k, read], heads: [products, answers], sum: [sum_re, sum_im] } =
            &mut self.scratch;
        let (n_heads, len) = (d.len(), d.len() * lines.pairs);
        for (h, product) in products.iter_mut().enumerate() {
            *product = k[h * head_dim + i] * v[h * head_dim + j];
        }
        let at = (i * head_dim + j) * len;
        simd::dispatch(Channels {
            lines,
            d,
            x: products,
            state: State { re: &mut self.re[at..at + len], im: &mut self.im[at..at + len] },
            sum: State { re: sum_re, im: sum_im },
            rows: answers,
        });
        let read = &mut read[j * n_heads..][..n_heads];
        for (h, (read, answer)) in read.iter_mut().zip(answers).enumerate() {
            *read += q[h * head_dim + i] * *answer;
        }
    }
}

impl SliceStepper for H3Stepper {
    fn step(&mut self, x: &[f32], y: &mut [f32]) {
        let d_model = self.scratch.rows[0].len();
        assert_eq!([x.len(), y.len()], [d_model; 2], "a stepper's tokens are as wide as its layer");
        for (projection, row) in self.layer.projections.iter().zip(&mut self.scratch.rows) {
            projection.apply(x, row);
        }
        self.shift();
        self.scratch.rows[4].fill(0.0);
        let head_dim = self.layer.head_dim;
        for i in 0..head_dim {
            (0..head_dim).for_each(|j| self.remember(i, j));
        }
        self.layer.output.apply(&self.scratch.rows[4], y);
        self.seq += 1;
    }

    fn seq(&self) -> usize {
        self.seq
    }

    fn state_bytes(&self) -> usize {
        size_of_val(&*self.keys) + size_of_val(&*self.re) + size_of_val(&*self.im)
    }

    fn reset(&mut self) {
        [&mut self.keys, &mut self.re, &mut self.im].into_iter().for_each(|state| state.fill(0.0));
        self.seq = 0;
    }

    fn boxed(&self) -> Box<dyn SliceStepper> {
        Box::new(self.clone())
    }
}
