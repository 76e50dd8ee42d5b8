//! The backward pass.

use rayon::prelude::*;
use subquad_backend::simd::{self, Lockstep, Simd, WithSimd, exp2, mul_add, neg};

use super::forward::{NOTES, Queries, to_lanes};
use super::keys::{Keys, LANES};
use super::prepare::Prepare;
use super::problem::{Problem, QueryTile, TILE};
use super::rows::{GradRows, Rows, SharedRows};
use super::scores::{Scorer, row_width};

/// What the backward pass reads.
#[derive(Clone, Copy)]
pub(crate) struct Kept<'a> {
    pub(crate) qkv: [Rows<'a>; 3],
    pub(crate) prepare: [Prepare<'a>; 2],
    pub(crate) out: Rows<'a>,
    /// `[batch, heads, seq_q, 2]`, from the forward pass.
    pub(crate) notes: &'a [f32],
    /// Gradient of the output.
    pub(crate) grad: Rows<'a>,
}

impl Problem<'_> {
    /// Writes the gradients of the unprepared queries, keys and values; returns those of the gains of the norms of
    /// queries and keys, `[d_head]` each.
    pub(crate) fn backward(&self, kept: Kept<'_>, grads: &GradRows<'_>) -> [Vec<f32>; 2] {
        let of_groups: Vec<_> =
            (0..self.groups()).into_par_iter().map(|group| self.group_backward(kept, grads, group)).collect();
        let zero = [vec![0.0; self.d_head], vec![0.0; self.d_head]];
        of_groups.iter().fold(zero, |mut total, gains| {
            total.iter_mut().lockstep(gains).for_each(|(total, gain)| simd::add(total, gain));
            total
        })
    }

    fn group_backward(&self, kept: Kept<'_>, grads: &GradRows<'_>, group: usize) -> [Vec<f32>; 2] {
        let [_, k, v] = kept.qkv;
        let keys = simd::run(
            #[inline(always)]
            || Keys::pack(self, kept.prepare[1], [k, v], group),
        );
        let pieces: Vec<KeySums> = (0..self.pieces())
            .into_par_iter()
            .map(|piece| simd::dispatch(Backward { keys: &keys, kept, d_q: grads.0[0], group, piece }))
            .collect();
        let sums = pieces.into_iter().reduce(KeySums::plus).expect("at least one piece");
        let k_gain = simd::run(
            #[inline(always)]
            || self.store_keys(kept, grads, group, &sums),
        );
        [sums.q_gain, k_gain]
    }

    /// Finishes the gradients of a group's keys and values, and returns the gradient of the gain.
    #[inline(always)]
    #[allow(unsafe_code)]
    fn store_keys(&self, kept: Kept<'_>, grads: &GradRows<'_>, group: usize, sums: &KeySums) -> Vec<f32> {
        let (sequence, head) = (group / self.heads.keys, group % self.heads.keys);
        let stride = self.d_head.next_multiple_of(LANES);
        let mut gain = vec![0.0; self.d_head];
        let mut row = vec![0.0; self.d_head];
        for token in 0..self.seq_k {
            let at = token * stride..token * stride + self.d_head;
            // SAFETY: a group is one head of keys and values of one sequence, and nothing else writes its rows.
            let (d_k, d_v) =
                unsafe { (grads.0[1].row(sequence, head, token), grads.0[2].row(sequence, head, token)) };
            d_v.copy_from_slice(&sums.v[at.clone()]);
            // Queries were multiplied by log2(e) for base-2 scores.
            row.iter_mut().lockstep(&sums.k[at]).for_each(|(to, sum)| *to = sum * std::f32::consts::LN_2);
            kept.prepare[1].backward(token, kept.qkv[1].row(sequence, head, token), &mut row, d_k, &mut gain);
        }
        gain
    }
}

/// Gradients that many tiles of queries add to.
struct KeySums {
    /// `[seq_k, stride]`, rows padded to whole tiles.
    k: Vec<f32>,
    v: Vec<f32>,
    /// `[d_head]`
    q_gain: Vec<f32>,
}

impl KeySums {
    fn plus(mut self, other: Self) -> Self {
        simd::run(
            #[inline(always)]
            || {
                simd::add(&mut self.k, &other.k);
                simd::add(&mut self.v, &other.v);
                simd::add(&mut self.q_gain, &other.q_gain);
            },
        );
        self
    }
}

/// One piece of one group's work.
struct Backward<'a> {
    keys: &'a Keys<'a>,
    kept: Kept<'a>,
    d_q: SharedRows<'a>,
    group: usize,
    piece: usize,
}

impl WithSimd for Backward<'_> {
    type Output = KeySums;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> KeySums {
        let problem = self.keys.problem;
        let size = self.keys.k.len();
        let mut sums = KeySums { k: vec![0.0; size], v: vec![0.0; size], q_gain: vec![0.0; problem.d_head] };
        let mut work = Work::new(problem.d_head, self.keys.stride);
        for tile in problem.piece(self.group, self.piece) {
            work.load::<S>(self.kept, problem, &tile);
            work.add_gradients(simd, &Scorer::new(self.keys, tile), &mut sums);
            self.store(&mut work, &tile, &mut sums.q_gain);
        }
        sums
    }
}

impl Backward<'_> {
    #[inline(always)]
    #[allow(unsafe_code)]
    fn store(&self, work: &mut Work, tile: &QueryTile, gain: &mut [f32]) {
        let d_head = self.keys.problem.d_head;
        let scale = (1.0 / (d_head as f64).sqrt()) as f32;
        for i in 0..tile.count {
            let (sequence, head, token) = (tile.sequence, tile.head, tile.first + i);
            // SAFETY: every query is in one tile, and every tile in one piece of one group.
            let to = unsafe { self.d_q.row(sequence, head, token) };
            let row = &mut work.row[..d_head];
            let d_q = work.d_q.chunks_exact(self.keys.stride).nth(i).expect("a row for each query");
            row.iter_mut().lockstep(d_q).for_each(|(row, d_q)| *row = d_q * scale);
            self.kept.prepare[0].backward(token, self.kept.qkv[0].row(sequence, head, token), row, to, gain);
        }
    }
}

/// A tile of queries on its way over the keys.
struct Work {
    queries: Queries,
    /// The gradient of the output divided by the sum of weights, `g`: `[TILE, stride]`.
    g: Vec<f32>,
    /// `[d_head, TILE]`
    g_lanes: Vec<f32>,
    /// `g . y` of each query.
    dots: [f32; TILE],
    m: [f32; TILE],
    /// `[TILE, stride]`
    d_q: Vec<f32>,
    /// `[TILE keys, TILE queries]`: weights, then gradients of scores.
    weights: Vec<f32>,
    /// `[TILE keys, TILE queries]`: weights before dropout.
    undropped: Vec<f32>,
    /// `[TILE keys, TILE queries]`: derivatives of scores with respect to raw scores.
    bends: Vec<f32>,
    row: Vec<f32>,
}

impl Work {
    fn new(d_head: usize, stride: usize) -> Self {
        Self {
            queries: Queries::new(d_head, stride),
            g: vec![0.0; TILE * stride],
            g_lanes: vec![0.0; d_head * TILE],
            dots: [0.0; TILE],
            m: [0.0; TILE],
            d_q: vec![0.0; TILE * stride],
            weights: vec![0.0; TILE * TILE],
            undropped: Vec::new(),
            bends: Vec::new(),
            row: vec![0.0; d_head],
        }
    }

    #[inline(always)]
    fn load<S: Simd>(&mut self, kept: Kept<'_>, problem: &Problem<'_>, tile: &QueryTile) {
        self.queries.load(kept.qkv[0], kept.prepare[0], problem.score_scale(), tile);
        let notes = Rows { data: kept.notes, layout: problem.notes_layout(), d_head: NOTES };
        let stride = self.g.len() / TILE;
        for (i, g) in self.g.chunks_exact_mut(stride).take(tile.count).enumerate() {
            let (sequence, head, token) = (tile.sequence, tile.head, tile.first + i);
            let [m, inverse] = *notes.row(sequence, head, token) else { panic!("two notes a query") };
            let grad = kept.grad.row(sequence, head, token);
            g.iter_mut().lockstep(grad).for_each(|(g, grad)| *g = grad * inverse);
            self.m[i] = m;
        }
        self.load_dots::<S>(kept.out, problem, tile);
        to_lanes(&self.g, stride, tile.count, &mut self.g_lanes);
        self.d_q.fill(0.0);
    }

    /// `g . y`, rounded as the products `g . v` are: a query that sees only one key must get a gradient of exactly 0
    /// (except under dropout, which rounds once more).
    #[inline(always)]
    fn load_dots<S: Simd>(&mut self, out: Rows<'_>, problem: &Problem<'_>, tile: &QueryTile) {
        // The output was multiplied by the gain that makes up for dropout, and so was `g`; the sum over keys of `g . y`
        // must have it once.
        let gain = problem.rules.dropout.map_or(1.0, |dropout| dropout.gain() as f32);
        let stride = self.g.len() / TILE;
        let rows = self.g.chunks_exact(stride).take(tile.count).enumerate();
        for ((i, g), dot) in rows.lockstep(&mut self.dots) {
            let out = out.row(tile.sequence, tile.head, tile.first + i);
            let mut sum = 0.0;
            for (g, y) in g.iter().lockstep(out) {
                sum = if S::IS_SCALAR { y * g + sum } else { y.mul_add(*g, sum) };
            }
            *dot = sum / gain;
        }
    }

    #[inline(always)]
    fn add_gradients<S: Simd>(&mut self, simd: S, scorer: &Scorer<'_>, sums: &mut KeySums) {
        let bent = scorer.is_bent();
        if bent {
            self.undropped.resize(TILE * TILE, 0.0);
            self.bends.resize(TILE * TILE, 1.0);
        }
        for first_key in scorer.key_tiles() {
            self.weigh(simd, scorer, first_key);
            if bent {
                self.undropped.copy_from_slice(&self.weights);
                scorer.drop_weights(simd, first_key, S::as_mut_simd_f32s(&mut self.weights).0);
            }
            scorer.add_to_keys(simd, first_key, &self.g, &self.weights, &mut sums.v);
            match bent {
                false => self.d_scores(simd, scorer, first_key),
                true => self.bent_d_scores(simd, scorer, first_key),
            }
            scorer.add_to_keys(simd, first_key, &self.queries.rows, &self.weights, &mut sums.k);
            scorer.add_to_queries(simd, first_key, &scorer.keys.k, &self.weights, &mut self.d_q);
        }
    }

    /// The weights of the forward pass, not yet divided by their sum.
    #[inline(always)]
    fn weigh<S: Simd>(&mut self, simd: S, scorer: &Scorer<'_>, first_key: usize) {
        let (width, (m, _)) = (row_width::<S>(), S::as_simd_f32s(&self.m));
        let (weights, _) = S::as_mut_simd_f32s(&mut self.weights);
        if scorer.is_plain(first_key) {
            return scorer.dot_products(
                simd,
                first_key,
                &scorer.keys.k,
                &self.queries.lanes,
                #[inline(always)]
                |key, j, score| weights[key * width + j] = exp2(simd, simd.sub_f32s(score, m[j])),
            );
        }
        let (bends, _) = S::as_mut_simd_f32s(&mut self.bends);
        let bends = (!bends.is_empty()).then_some(bends);
        scorer.scores(simd, first_key, &self.queries.lanes, weights, bends);
        for row in weights.chunks_exact_mut(width) {
            row.iter_mut()
                .lockstep(m)
                .for_each(|(weight, m)| *weight = exp2(simd, simd.sub_f32s(*weight, *m)));
        }
    }

    /// Turns weights into gradients of scores, in place.
    #[inline(always)]
    fn d_scores<S: Simd>(&mut self, simd: S, scorer: &Scorer<'_>, first_key: usize) {
        let (width, (dots, _)) = (row_width::<S>(), S::as_simd_f32s(&self.dots));
        let (weights, _) = S::as_mut_simd_f32s(&mut self.weights);
        scorer.dot_products(
            simd,
            first_key,
            &scorer.keys.v,
            &self.g_lanes,
            #[inline(always)]
            |key, j, d_weight| {
                let weight = &mut weights[key * width + j];
                *weight = simd.mul_f32s(*weight, simd.sub_f32s(d_weight, dots[j]));
            },
        );
    }

    /// Turns weights into gradients of scores if weights were dropped or scores capped.
    #[inline(always)]
    fn bent_d_scores<S: Simd>(&mut self, simd: S, scorer: &Scorer<'_>, first_key: usize) {
        let (width, (dots, _)) = (row_width::<S>(), S::as_simd_f32s(&self.dots));
        let (weights, _) = S::as_mut_simd_f32s(&mut self.weights);
        let ((undropped, _), (bends, _)) = (S::as_simd_f32s(&self.undropped), S::as_simd_f32s(&self.bends));
        scorer.dot_products(
            simd,
            first_key,
            &scorer.keys.v,
            &self.g_lanes,
            #[inline(always)]
            |key, j, d_weight| {
                let at = key * width + j;
                let pull = neg(simd, simd.mul_f32s(undropped[at], dots[j]));
                weights[at] = simd.mul_f32s(bends[at], mul_add(simd, weights[at], d_weight, pull));
            },
        );
    }
}
