//! The scores of one query: from products to weights, for tokens in the slots of a cache.
//!
//! Scores are in units of `1 / log2(e)`, so that weights are powers of two.

use std::f64::consts::LOG2_E;

use subquad_backend::simd::{Simd, abs, exp2, load, mul_add, neg, save};

/// Rows of scores are whole blocks of slots, and blocks are whole vectors of every instruction set.
pub(crate) const BLOCK: usize = 64;

/// Converts a number to the units of scores.
#[inline]
pub(crate) fn in_twos(x: f64) -> f32 {
    (x * LOG2_E) as f32
}

/// Which slots of a cache hold tokens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slots {
    /// The first `held` slots are in use.
    pub(crate) held: usize,
    /// The slot of the query's own token. The slots after it, if in use, hold the oldest tokens.
    pub(crate) newest: usize,
}

/// `cap tanh(s / cap)`
#[inline(always)]
pub(crate) fn squeeze<S: Simd>(simd: S, scores: &mut [f32], cap: Option<f32>) {
    let Some(cap) = cap else { return };
    let (up, down) = (simd.splat_f32s(cap), simd.splat_f32s(1.0 / cap));
    for scores in scores.chunks_mut(S::F32_LANES) {
        let x = simd.mul_f32s(load(simd, scores), down);
        save(simd, scores, simd.mul_f32s(up, tanh(simd, x)));
    }
}

/// Within 3e-7 of `tanh`, relative: its continued fraction up to 1 (five terms leave 1e-7), `1 - 2 / (1 + e^2x)` beyond.
#[inline(always)]
pub(crate) fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let number = |value: f32| simd.splat_f32s(value);
    let size = abs(simd, x);
    let s = simd.mul_f32s(x, x);
    let above = mul_add(simd, s, simd.add_f32s(s, number(105.0)), number(945.0));
    let below = mul_add(simd, s, mul_add(simd, s, number(15.0), number(420.0)), number(945.0));
    let small = simd.div_f32s(simd.mul_f32s(size, above), below);
    // From 20 on, tanh is 1 in f32. A minimum would not do: it may turn NaN into a number.
    let power = simd.select_f32s(simd.greater_than_f32s(size, number(20.0)), number(20.0), size);
    let e = exp2(simd, simd.mul_f32s(power, number(2.0 * std::f32::consts::LOG2_E)));
    let large = simd.sub_f32s(number(1.0), simd.div_f32s(number(2.0), simd.add_f32s(e, number(1.0))));
    let t = simd.select_f32s(simd.less_than_f32s(size, number(1.0)), small, large);
    simd.select_f32s(simd.less_than_f32s(x, number(0.0)), neg(simd, t), t)
}

/// Applies ALiBi: subtracts the slope times the age of each token.
#[inline(always)]
pub(crate) fn fall(scores: &mut [f32], slots: Slots, slope: Option<f32>) {
    let Some(slope) = slope else { return };
    let lower = |scores: &mut [f32], oldest: usize| {
        for (i, score) in scores.iter_mut().enumerate() {
            *score -= slope * (oldest as i32 - i as i32) as f32;
        }
    };
    let (recent, oldest) = scores[..slots.held].split_at_mut(slots.newest + 1);
    lower(recent, slots.newest);
    lower(oldest, slots.held - 1);
}

/// `2^(s - largest)` for the slots in use and 0 for others, and the sum of them. The row consists of whole blocks.
#[inline(always)]
pub(crate) fn set_weights<S: Simd>(simd: S, row: &mut [f32], slots: Slots) -> f32 {
    row[slots.held..].fill(f32::NEG_INFINITY);
    let (scores, _) = S::as_mut_simd_f32s(row);
    let mut largest = simd.splat_f32s(f32::NEG_INFINITY);
    // A loop, because vectors that pass through a closure may be stored unaligned.
    for score in scores.iter() {
        largest = simd.max_f32s(largest, *score);
    }
    let largest = simd.splat_f32s(simd.reduce_max_f32s(largest));
    let mut total = simd.splat_f32s(0.0);
    for score in scores {
        *score = exp2(simd, simd.sub_f32s(*score, largest));
        total = simd.add_f32s(total, *score);
    }
    simd.reduce_sum_f32s(total)
}
