//! One token's queries against one head of keys and values.

use subquad_backend::maths;
use subquad_backend::micro::{Scalars, product};
use subquad_backend::simd::{Simd, WithSimd, exp2};

use super::cache::{BLOCK, HeadCache};

/// What happens to scores. All in units of `1 / log2(e)`, so that weights are powers of two.
#[derive(Debug, Clone)]
pub(super) struct ScoreRules {
    pub(super) softcap: Option<f32>,
    /// A slope for each head of queries; empty without ALiBi.
    pub(super) slopes: Vec<f32>,
}

/// The heads of queries that share one head of keys and values.
pub(super) struct Attend<'a> {
    pub(super) cache: &'a HeadCache,
    /// `[group, d_head]`, scaled.
    pub(super) queries: &'a [f32],
    pub(super) softcap: Option<f32>,
    /// A slope a query, or none.
    pub(super) slopes: &'a [f32],
    /// Slots in use.
    pub(super) held: usize,
    /// The slot of the token itself; the slots after it, if in use, hold the oldest tokens.
    pub(super) newest: usize,
    pub(super) scratch: &'a mut Scratch,
}

/// Room for what lies between queries and outputs.
#[derive(Debug, Clone)]
pub(super) struct Scratch {
    /// `[group, slots]`, slots in whole blocks.
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

impl WithSimd for Attend<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { cache, queries, softcap, slopes, held, newest, scratch } = self;
        let Scratch { scores, totals, outputs } = scratch;
        let slots = held.next_multiple_of(BLOCK);
        scores.resize(totals.len() * slots, 0.0);
        set_scores(simd, cache, queries, totals.len(), scores);
        for (query, (row, total)) in scores.chunks_exact_mut(slots).zip(totals.iter_mut()).enumerate() {
            let (used, unused) = row.split_at_mut(held);
            squeeze(used, softcap);
            fall(used, newest, slopes.get(query).copied());
            unused.fill(f32::NEG_INFINITY);
            *total = set_weights(simd, row);
        }
        add_up(simd, cache, scores, held, outputs);
        for (row, total) in outputs.chunks_exact_mut(cache.d_value()).zip(totals) {
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
    for (first, keys) in (0..row).step_by(width).zip(cache.blocks()) {
        let (keys, _) = S::as_simd_f32s(keys);
        let sizes = [group, width, d_head];
        product(simd, Scalars::rows(queries, d_head), (keys, width), sizes, |query, j, score| {
            scores[query * row + first + j] = score;
        });
    }
}

/// `cap tanh(s / cap)`
#[inline(always)]
fn squeeze(scores: &mut [f32], cap: Option<f32>) {
    if let Some(cap) = cap {
        scores.iter_mut().for_each(|s| *s = cap * (1.0 - 2.0 / (1.0 + maths::exp(2.0 * *s / cap))));
    }
}

/// ALiBi: minus the slope times the token's age.
#[inline(always)]
fn fall(scores: &mut [f32], newest: usize, slope: Option<f32>) {
    let Some(slope) = slope else { return };
    let lower = |scores: &mut [f32], oldest: usize| {
        scores.iter_mut().zip(0..).for_each(|(score, i)| *score -= slope * (oldest as i32 - i) as f32);
    };
    let held = scores.len();
    let (recent, oldest) = scores.split_at_mut(newest + 1);
    lower(recent, newest);
    lower(oldest, held - 1);
}

/// `2^(s - largest)`, and the sum of that.
#[inline(always)]
fn set_weights<S: Simd>(simd: S, scores: &mut [f32]) -> f32 {
    let (scores, _) = S::as_mut_simd_f32s(scores);
    let lowest = simd.splat_f32s(f32::NEG_INFINITY);
    let largest = scores.iter().fold(lowest, |largest, s| simd.max_f32s(largest, *s));
    let largest = simd.splat_f32s(simd.reduce_max_f32s(largest));
    let mut total = simd.splat_f32s(0.0);
    for score in scores {
        *score = exp2(simd, simd.sub_f32s(*score, largest));
        total = simd.add_f32s(total, *score);
    }
    simd.reduce_sum_f32s(total)
}

/// Weighted sums of the values.
#[inline(always)]
fn add_up<S: Simd>(simd: S, cache: &HeadCache, weights: &[f32], held: usize, outputs: &mut [f32]) {
    let (group, width) = (outputs.len() / cache.d_value(), cache.d_value() / S::F32_LANES);
    let ((values, _), (outputs, _)) = (S::as_simd_f32s(cache.values()), S::as_mut_simd_f32s(outputs));
    let weights = Scalars::rows(weights, weights.len() / group);
    product(simd, weights, (values, width), [group, width, held], |query, j, sum| {
        outputs[query * width + j] = sum;
    });
}
