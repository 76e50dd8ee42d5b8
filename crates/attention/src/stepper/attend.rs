//! One token's queries against one head of keys and values.

use subquad_backend::micro::{Scalars, product};
use subquad_backend::simd::{Lockstep, Simd, WithSimd};

use super::cache::{HeadCache, with_room};
use crate::score_row::{BLOCK, Slots, fall, set_weights, squeeze};

/// The heads of queries that share one head of keys and values.
pub(super) struct Attend<'a> {
    pub(super) cache: &'a HeadCache,
    /// `[group, d_head]`, scaled.
    pub(super) queries: &'a [f32],
    pub(super) softcap: Option<f32>,
    /// One slope per query; empty without ALiBi.
    pub(super) slopes: &'a [f32],
    pub(super) slots: Slots,
    pub(super) scratch: &'a mut Scratch,
}

/// Buffers for what is computed between queries and outputs.
#[derive(Debug)]
pub(super) struct Scratch {
    /// `[group, slots]`, where slots are whole blocks.
    scores: Vec<f32>,
    /// Sums of the weights, `[group]`.
    totals: Vec<f32>,
    /// `[group, d_value]`
    pub(super) outputs: Vec<f32>,
}

impl Scratch {
    pub(super) fn new(group: usize, slots: usize, d_value: usize) -> Self {
        let scores = Vec::with_capacity(group * slots.next_multiple_of(BLOCK));
        Self { scores, totals: vec![0.0; group], outputs: vec![0.0; group * d_value] }
    }
}

impl Clone for Scratch {
    fn clone(&self) -> Self {
        let Self { scores, totals, outputs } = self;
        Self { scores: with_room(scores), totals: totals.clone(), outputs: outputs.clone() }
    }
}

impl WithSimd for Attend<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { cache, queries, softcap, slopes, slots, scratch } = self;
        let Scratch { scores, totals, outputs } = scratch;
        let width = slots.held.next_multiple_of(BLOCK);
        scores.resize(totals.len() * width, 0.0);
        set_scores(simd, cache, queries, totals.len(), scores);
        for (query, (row, total)) in scores.chunks_exact_mut(width).lockstep(totals.iter_mut()).enumerate() {
            squeeze(simd, row, softcap);
            fall(row, slots, slopes.get(query).copied());
            *total = set_weights(simd, row, slots);
        }
        add_up(simd, cache, scores, slots.held, outputs);
        for (row, total) in outputs.chunks_exact_mut(cache.d_value()).lockstep(totals) {
            row.iter_mut().for_each(|output| *output /= *total);
        }
    }
}

/// Scores of all slots in use: `[group, slots]`.
#[inline(always)]
fn set_scores<S: Simd>(simd: S, cache: &HeadCache, queries: &[f32], group: usize, scores: &mut [f32]) {
    let (d_head, width) = (queries.len() / group, BLOCK / S::F32_LANES);
    let (scores, _) = S::as_mut_simd_f32s(scores);
    let row = scores.len() / group;
    for (first, keys) in (0..row).step_by(width).lockstep(cache.blocks()) {
        let (keys, _) = S::as_simd_f32s(keys);
        let sizes = [group, width, d_head];
        product(
            simd,
            Scalars::rows(queries, d_head),
            (keys, width),
            sizes,
            #[inline(always)]
            |query, j, score| scores[query * row + first + j] = score,
        );
    }
}

/// Weighted sums of the values.
#[inline(always)]
fn add_up<S: Simd>(simd: S, cache: &HeadCache, weights: &[f32], held: usize, outputs: &mut [f32]) {
    let (group, width) = (outputs.len() / cache.d_value(), cache.d_value() / S::F32_LANES);
    let ((values, _), (outputs, _)) = (S::as_simd_f32s(&cache.values), S::as_mut_simd_f32s(outputs));
    let weights = Scalars::rows(weights, weights.len() / group);
    product(
        simd,
        weights,
        (values, width),
        [group, width, held],
        #[inline(always)]
        |query, j, sum| outputs[query * width + j] = sum,
    );
}
