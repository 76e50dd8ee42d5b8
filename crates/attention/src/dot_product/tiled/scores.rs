//! From raw scores to weights: cap, ALiBi, mask, exponential, dropout.

use subquad_backend::simd::{Lockstep, Simd, abs, array, mul_add, neg};

use super::keys::Keys;
use super::problem::{QueryTile, TILE};
use crate::WeightDropout;
use crate::dot_product::rules::lane_key;
use crate::score_row::{in_twos, tanh};

/// How far above its reference a base-2 score may be before the reference moves. A weight is then at most 2^20, and even the sum
/// of a hundred million of them is far from the largest f32; so is `2^-100` of one from the smallest.
pub(super) const HEADROOM: f32 = 20.0;

/// Number of keys that are skipped together if no query sees them.
const PART: usize = 16;

/// Some keys of a tile, and the vectors of queries that may see one of them: those from `from` on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// Counted from the tile's first key.
    pub(super) first: usize,
    pub(super) keys: usize,
    pub(super) from: usize,
}

/// Vectors in a row of [`TILE`] queries.
#[inline(always)]
pub(super) fn row_width<S: Simd>() -> usize {
    TILE / S::F32_LANES
}

/// What turns a query tile's raw scores into weights.
pub(super) struct Scorer<'a> {
    pub(super) keys: &'a Keys<'a>,
    pub(super) tile: QueryTile,
    cap: Option<f32>,
    slope: Option<f32>,
    /// The position of each query, exact in f32 up to 16 million tokens.
    positions: [f32; TILE],
    /// What each query contributes to the draw of dropped weights.
    lane_keys: [u32; TILE],
}

impl<'a> Scorer<'a> {
    pub(super) fn new(keys: &'a Keys<'a>, tile: QueryTile) -> Self {
        let problem = keys.problem;
        let first = problem.first_position() + tile.first as isize;
        Self {
            keys,
            tile,
            cap: problem.rules.softcap.map(in_twos),
            slope: problem.slope(tile.head),
            positions: array(|i| (first + i as isize) as f32),
            lane_keys: array(|i| lane_key(tile.first + i)),
        }
    }

    /// The first keys of the key tiles that some query of the tile may see. The last tile comes first: it is the one
    /// that causal attention masks, and its scores set the references for all that follow.
    pub(super) fn key_tiles(&self) -> impl Iterator<Item = usize> {
        let reach = self.keys.problem.reach(&self.tile);
        let first = reach.start / TILE * TILE;
        (first..reach.end).step_by(TILE).rev().filter(|&first_key| {
            !self.keys.segments(first_key, self.tile.first).is_some_and(|segments| segments.are_apart())
        })
    }

    /// Number of vectors that hold queries.
    #[inline(always)]
    pub(super) fn vectors<S: Simd>(&self) -> usize {
        self.tile.count.div_ceil(S::F32_LANES)
    }

    /// The parts of a key tile that some query may see. On the diagonal of causal attention they leave out three eighths.
    #[inline(always)]
    pub(super) fn parts<S: Simd>(&self, first_key: usize) -> impl Iterator<Item = Part> + use<S> {
        let problem = self.keys.problem;
        let ahead = first_key as isize - (problem.first_position() + self.tile.first as isize);
        let crosses = problem.rules.causal && ahead + TILE as isize > 1;
        let (keys, vectors) = (if crosses { PART } else { TILE }, self.vectors::<S>());
        let from = move |first: usize| match crosses {
            true => (first as isize + ahead).clamp(0, TILE as isize) as usize / S::F32_LANES,
            false => 0,
        };
        let parts = (0..TILE).step_by(keys).map(move |first| Part { first, keys, from: from(first) });
        parts.filter(move |part| part.from < vectors)
    }

    /// Whether the raw scores of a key tile are its scores: nothing is capped, biased or masked.
    #[inline]
    pub(super) fn is_plain(&self, first_key: usize) -> bool {
        self.cap.is_none()
            && self.slope.is_none()
            && self.keys.problem.sees_all(&self.tile, first_key)
            && self.keys.segments(first_key, self.tile.first).is_none_or(|segments| segments.are_one())
    }

    /// Whether gradients need more than the weights: [`shape`](Self::shape)'s bends, or what was dropped.
    #[inline]
    pub(super) fn is_bent(&self) -> bool {
        self.cap.is_some() || self.dropout().is_some()
    }

    #[inline]
    pub(super) fn dropout(&self) -> Option<&WeightDropout> {
        self.keys.problem.rules.dropout.as_ref()
    }

    /// Turns the raw scores of a key tile, `[TILE keys, TILE queries]`, into scores: minus infinity where a query does
    /// not see a key. `bends` gets the derivative with respect to the raw score.
    #[inline(always)]
    pub(super) fn shape<S: Simd>(
        &self,
        simd: S,
        first_key: usize,
        scores: &mut [S::f32s],
        mut bends: Option<&mut [S::f32s]>,
    ) {
        let rows = scores.chunks_exact_mut(row_width::<S>());
        for (key, row) in rows.enumerate() {
            if let Some(cap) = self.cap {
                let bends = bends.as_deref_mut().map(|bends| &mut bends[key * row.len()..][..row.len()]);
                cap_row(simd, cap, row, bends);
            }
            self.shape_row(simd, first_key, key, row);
        }
    }

    #[inline(always)]
    fn shape_row<S: Simd>(&self, simd: S, first_key: usize, key: usize, row: &mut [S::f32s]) {
        let problem = self.keys.problem;
        let hidden = simd.splat_f32s(f32::NEG_INFINITY);
        if first_key + key >= problem.seq_k {
            return row.fill(hidden);
        }
        let at = simd.splat_f32s((first_key + key) as f32);
        let (positions, _) = S::as_simd_f32s(&self.positions);
        for (score, position) in row.iter_mut().lockstep(positions) {
            let distance = abs(simd, simd.sub_f32s(*position, at));
            if let Some(slope) = self.slope {
                *score = mul_add(simd, simd.splat_f32s(-slope), distance, *score);
            }
            if problem.rules.causal {
                *score = simd.select_f32s(simd.less_than_or_equal_f32s(at, *position), *score, hidden);
            }
            if let Some(window) = problem.rules.window {
                let near = simd.less_than_f32s(distance, simd.splat_f32s(window as f32));
                *score = simd.select_f32s(near, *score, hidden);
            }
        }
        self.hide_segments(simd, first_key, key, row);
    }

    #[inline(always)]
    fn hide_segments<S: Simd>(&self, simd: S, first_key: usize, key: usize, row: &mut [S::f32s]) {
        let Some(segments) = self.keys.segments(first_key, self.tile.first) else { return };
        let mut queries = [-1.0; TILE];
        queries[..segments.queries.len()].copy_from_slice(segments.queries);
        let own = simd.splat_f32s(segments.keys[key]);
        for (score, query) in row.iter_mut().lockstep(S::as_simd_f32s(&queries).0) {
            let same = simd.equal_f32s(*query, own);
            *score = simd.select_f32s(same, *score, simd.splat_f32s(f32::NEG_INFINITY));
        }
    }

    /// Sets the dropped weights of a key tile to 0.
    #[inline(always)]
    pub(super) fn drop_weights<S: Simd>(&self, simd: S, first_key: usize, weights: &mut [S::f32s]) {
        let Some(dropout) = self.dropout() else { return };
        let head = self.tile.sequence * self.keys.problem.heads.queries + self.tile.head;
        let threshold = simd.splat_u32s(dropout.threshold());
        let (lane_keys, _) = S::as_simd_u32s(&self.lane_keys);
        for (key, row) in weights.chunks_exact_mut(row_width::<S>()).enumerate() {
            let row_key = simd.splat_u32s(dropout.row_key(head, first_key + key));
            for (weight, lane_key) in row.iter_mut().lockstep(lane_keys) {
                let draw = mix(simd, simd.xor_u32s(*lane_key, row_key));
                let keeps = simd.greater_than_or_equal_u32s(draw, threshold);
                *weight = simd.select_f32s(keeps, *weight, simd.splat_f32s(0.0));
            }
        }
    }
}

/// `cap tanh(score / cap)`, and its derivative `1 - tanh^2`.
#[inline(always)]
fn cap_row<S: Simd>(simd: S, cap: f32, row: &mut [S::f32s], bends: Option<&mut [S::f32s]>) {
    let (up, down) = (simd.splat_f32s(cap), simd.splat_f32s(1.0 / cap));
    let one = simd.splat_f32s(1.0);
    match bends {
        None => row.iter_mut().for_each(|x| *x = simd.mul_f32s(up, tanh(simd, simd.mul_f32s(*x, down)))),
        Some(bends) => {
            for (x, bend) in row.iter_mut().lockstep(bends) {
                let t = tanh(simd, simd.mul_f32s(*x, down));
                *x = simd.mul_f32s(up, t);
                *bend = mul_add(simd, neg(simd, t), t, one);
            }
        }
    }
}

/// [`WeightDropout`]'s draw, lane by lane.
#[inline(always)]
fn mix<S: Simd>(simd: S, x: S::u32s) -> S::u32s {
    let shifted = |x, by| simd.xor_u32s(x, simd.wrapping_dyn_shr_u32s(x, simd.splat_u32s(by)));
    let times = |x, factor| simd.widening_mul_u32s(x, simd.splat_u32s(factor)).0;
    let x = times(shifted(x, 16), 0x85eb_ca6b);
    let x = times(shifted(x, 13), 0xc2b2_ae35);
    shifted(x, 16)
}
