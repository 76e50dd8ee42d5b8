//! A CPU kernel that never holds all scores: a thread takes one head and, in it, one tile of queries after another.
//!
//! The backward pass keeps only the output and makes the weights of each tile again:
//! ```text
//! dot_i = do_i . o_i       dp = do v^T       ds = p (dp - dot)
//! dv += p^T do             dk += ds^T q / sqrt(d_head)             dq = ds k / sqrt(d_head)
//! ```
//! Dao et al. 2022, <https://arxiv.org/abs/2205.14135>, appendix B.2: `dot_i` is the sum of `p_ij dp_ij`.

use std::ops::Range;

use burn::tensor::Tensor;
use rayon::prelude::*;
use subquad_backend::kernel::{Array, CpuKernel, Saved, View, apply};
use subquad_backend::matmul::{Matrix, MatrixMut};

use super::softmax::{row_width, softmax_rows, softmax_rows_backward};

/// Queries that share one pass over their keys: enough for the products to be worth their set-up, few enough for the
/// scores of 1000 keys to stay in a core's cache.
const TILE: usize = 64;

pub(super) fn attend(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, causal: bool) -> Tensor<4> {
    apply(DotProduct { causal }, [q.into(), k.into(), v.into()])
}

/// Inputs: `q [batch, heads, seq_q, d_head]`, `k` and `v [batch, heads, seq_k, d_head]`.
#[derive(Debug)]
pub(super) struct DotProduct {
    pub(super) causal: bool,
}

impl CpuKernel for DotProduct {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let sizes = Sizes::new(inputs, self.causal);
        let mut out = vec![0.0; inputs[0].data.len()];
        out.par_chunks_exact_mut(sizes.queries()).enumerate().for_each_init(
            || sizes.scratch(),
            |weights, (index, out)| Head::new(&sizes, inputs, index).forward(out, weights),
        );
        Array::new(out, inputs[0].shape)
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let sizes = Sizes::new(saved.inputs, self.causal);
        let output = saved.output.expect("the kernel keeps its output");
        let mut grads: Vec<Vec<f32>> = saved.inputs.iter().map(|input| vec![0.0; input.data.len()]).collect();
        by_head(&mut grads, &sizes).into_par_iter().enumerate().for_each_init(
            || [sizes.scratch(), sizes.scratch()],
            |scratch, (index, grads)| {
                let at = index * sizes.queries()..(index + 1) * sizes.queries();
                let (out, d_out) = (&output.data[at.clone()], &saved.grad.data[at]);
                Head::new(&sizes, saved.inputs, index).backward(out, d_out, grads, scratch);
            },
        );
        let shapes = saved.inputs.iter().map(|input| input.shape);
        let grads = grads.into_iter().zip(shapes).map(|(grad, shape)| Array::new(grad, shape));
        grads.zip(saved.wanted).map(|(grad, wanted)| wanted.then_some(grad)).collect()
    }

    fn keeps_output(&self) -> bool {
        true
    }
}

/// Gradients of one head's queries, keys and values.
struct HeadGrads<'a> {
    q: &'a mut [f32],
    k: &'a mut [f32],
    v: &'a mut [f32],
}

fn by_head<'a>(grads: &'a mut [Vec<f32>], sizes: &Sizes) -> Vec<HeadGrads<'a>> {
    let [q, k, v] = grads else { panic!("attention has three inputs") };
    let keys = k.chunks_exact_mut(sizes.keys()).zip(v.chunks_exact_mut(sizes.keys()));
    q.chunks_exact_mut(sizes.queries()).zip(keys).map(|(q, (k, v))| HeadGrads { q, k, v }).collect()
}

#[derive(Clone, Copy)]
struct Sizes {
    seq_q: usize,
    seq_k: usize,
    d_head: usize,
    causal: bool,
}

impl Sizes {
    fn new(inputs: &[View<'_>], causal: bool) -> Self {
        let ([_, _, seq_q, d_head], [_, _, seq_k, _]) = (inputs[0].dims(), inputs[1].dims());
        Self { seq_q, seq_k, d_head, causal }
    }

    /// Floats in the queries of a head.
    fn queries(&self) -> usize {
        self.seq_q * self.d_head
    }

    /// Floats in the keys, or the values, of a head.
    fn keys(&self) -> usize {
        self.seq_k * self.d_head
    }

    /// Room for the scores of a tile.
    fn scratch(&self) -> Vec<f32> {
        vec![0.0; TILE.min(self.seq_q) * row_width(self.seq_k)]
    }

    /// Keys that a query sees.
    fn seen(&self, query: usize) -> usize {
        match self.causal {
            true => self.seq_k - self.seq_q + query + 1,
            false => self.seq_k,
        }
    }

    fn tiles(self) -> impl Iterator<Item = Tile> {
        (0..self.seq_q).step_by(TILE).map(move |first| {
            let queries = first..(first + TILE).min(self.seq_q);
            Tile { keys: self.seen(queries.end - 1), queries }
        })
    }
}

/// Consecutive queries and the number of keys that the last of them sees.
struct Tile {
    queries: Range<usize>,
    keys: usize,
}

impl Tile {
    fn rows(&self) -> usize {
        self.queries.len()
    }

    fn width(&self) -> usize {
        row_width(self.keys)
    }

    /// The tile's part of a scratch buffer: a score for each query and key, rows in whole lanes.
    fn scores<'a>(&self, scratch: &'a mut [f32]) -> &'a mut [f32] {
        &mut scratch[..self.rows() * self.width()]
    }

    fn matrix<'a>(&self, scores: &'a [f32]) -> Matrix<'a> {
        Matrix::new(scores, self.rows(), self.keys, self.width())
    }

    fn matrix_mut<'a>(&self, scores: &'a mut [f32]) -> MatrixMut<'a> {
        MatrixMut::new(scores, self.rows(), self.keys, self.width())
    }
}

/// One head of one sequence.
struct Head<'a> {
    q: &'a [f32],
    k: &'a [f32],
    v: &'a [f32],
    sizes: Sizes,
    scale: f32,
}

impl<'a> Head<'a> {
    fn new(sizes: &Sizes, inputs: &[View<'a>], index: usize) -> Self {
        let part = |input: &View<'a>, len: usize| &input.data[index * len..(index + 1) * len];
        Self {
            q: part(&inputs[0], sizes.queries()),
            k: part(&inputs[1], sizes.keys()),
            v: part(&inputs[2], sizes.keys()),
            sizes: *sizes,
            scale: 1.0 / (sizes.d_head as f32).sqrt(),
        }
    }

    fn forward(&self, out: &mut [f32], scratch: &mut [f32]) {
        for tile in self.sizes.tiles() {
            let weights = tile.scores(scratch);
            self.weights(&tile, weights);
            self.rows_mut(out, tile.queries.clone()).set_product(
                1.0,
                tile.matrix(weights),
                self.seen(self.v, &tile),
            );
        }
    }

    fn backward(&self, out: &[f32], d_out: &[f32], grads: HeadGrads<'_>, scratch: &mut [Vec<f32>; 2]) {
        let [weights, d_scores] = scratch;
        for tile in self.sizes.tiles() {
            let (weights, d_scores) = (tile.scores(weights), tile.scores(d_scores));
            let (q, d_tile) = (self.rows(self.q, &tile), self.rows(d_out, &tile));
            self.weights(&tile, weights);
            tile.matrix_mut(d_scores).set_product(1.0, d_tile, self.seen(self.v, &tile).transposed());
            softmax_rows_backward(d_scores, weights, &self.dots(out, d_out, &tile), tile.width());
            let (p, ds) = (tile.matrix(weights), tile.matrix(d_scores));
            self.rows_mut(grads.v, 0..tile.keys).add_product(1.0, p.transposed(), d_tile);
            self.rows_mut(grads.k, 0..tile.keys).add_product(self.scale, ds.transposed(), q);
            self.rows_mut(grads.q, tile.queries.clone()).set_product(
                self.scale,
                ds,
                self.seen(self.k, &tile),
            );
        }
    }

    /// Softmax of the tile's scores.
    fn weights(&self, tile: &Tile, scores: &mut [f32]) {
        let (q, k) = (self.rows(self.q, tile), self.seen(self.k, tile));
        tile.matrix_mut(scores).set_product(self.scale, q, k.transposed());
        softmax_rows(scores, tile.width(), |row| self.sizes.seen(tile.queries.start + row));
    }

    /// `do_i . o_i` for the queries of the tile.
    fn dots(&self, out: &[f32], d_out: &[f32], tile: &Tile) -> Vec<f32> {
        let d_head = self.sizes.d_head;
        let at = tile.queries.start * d_head..tile.queries.end * d_head;
        let rows = out[at.clone()].chunks_exact(d_head).zip(d_out[at].chunks_exact(d_head));
        rows.map(|(out, d_out)| out.iter().zip(d_out).map(|(a, b)| a * b).sum()).collect()
    }

    /// The rows of `[seq_q, d_head]` that belong to the tile's queries.
    fn rows<'b>(&self, values: &'b [f32], tile: &Tile) -> Matrix<'b> {
        let d_head = self.sizes.d_head;
        Matrix::new(&values[tile.queries.start * d_head..], tile.rows(), d_head, d_head)
    }

    fn rows_mut<'b>(&self, values: &'b mut [f32], rows: Range<usize>) -> MatrixMut<'b> {
        let d_head = self.sizes.d_head;
        MatrixMut::new(&mut values[rows.start * d_head..], rows.len(), d_head, d_head)
    }

    /// The rows of `[seq_k, d_head]` that the tile sees.
    fn seen<'b>(&self, values: &'b [f32], tile: &Tile) -> Matrix<'b> {
        Matrix::new(values, tile.keys, self.sizes.d_head, self.sizes.d_head)
    }
}
