//! The forward pass.

use rayon::prelude::*;
use subquad_backend::kernel::Array;
use subquad_backend::simd::{self, Lockstep, Simd, WithSimd, exp2};

use super::keys::Keys;
use super::prepare::Prepare;
use super::problem::{Problem, QueryTile, TILE};
use super::rows::{Layout, Rows, SharedRows};
use super::scores::{HEADROOM, Scorer, row_width};
use crate::score_row::in_twos;

/// What a query's weights are relative to, and what turns their sum into an output: `[reference, 1 / sum]`, the latter
/// times [`WeightDropout::gain`](crate::WeightDropout).
pub(super) const NOTES: usize = 2;

impl Problem<'_> {
    #[inline]
    pub(super) fn notes_layout(&self) -> Layout {
        Layout::by_head(self.heads.queries, self.seq_q, NOTES)
    }

    /// The attention of queries and keys once they are prepared, of this shape and layout, and notes for the backward
    /// pass, `[batch, heads, seq_q, 2]`.
    pub(crate) fn forward(
        &self,
        [q, k, v]: [Rows<'_>; 3],
        prepare: [Prepare<'_>; 2],
        shape: &[usize],
        layout: Layout,
    ) -> (Array, Option<Array>) {
        let notes_shape = [self.batch, self.heads.queries, self.seq_q, NOTES];
        let [mut values, mut notes] = [shape, &notes_shape].map(|shape| vec![0.0; shape.iter().product()]);
        let out = SharedRows::new(&mut values, layout, self.d_head);
        let shared_notes = SharedRows::new(&mut notes, self.notes_layout(), NOTES);
        (0..self.groups()).into_par_iter().for_each(|group| {
            let keys = simd::run(
                #[inline(always)]
                || Keys::pack(self, prepare[1], [k, v], group),
            );
            (0..self.pieces()).into_par_iter().for_each(|piece| {
                let prepare = prepare[0];
                simd::dispatch(Forward { keys: &keys, q, prepare, out, notes: shared_notes, group, piece });
            });
        });
        (Array::new(values, shape), Some(Array::new(notes, notes_shape)))
    }

    /// Queries are multiplied by this as they are prepared, so that the products of queries and keys are base-2 scores.
    #[inline]
    pub(super) fn score_scale(&self) -> f32 {
        in_twos(1.0 / (self.d_head as f64).sqrt())
    }
}

/// One piece of one group's work.
struct Forward<'a> {
    keys: &'a Keys<'a>,
    q: Rows<'a>,
    prepare: Prepare<'a>,
    out: SharedRows<'a>,
    notes: SharedRows<'a>,
    group: usize,
    piece: usize,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let problem = self.keys.problem;
        let mut queries = Queries::new(problem.d_head, self.keys.stride);
        let mut sums = Sums::new(self.keys.stride);
        for tile in problem.piece(self.group, self.piece) {
            queries.load(self.q, self.prepare, problem.score_scale(), &tile);
            sums.attend(simd, &Scorer::new(self.keys, tile), &queries);
            self.store(&sums, &tile);
        }
    }
}

impl Forward<'_> {
    #[inline(always)]
    #[allow(unsafe_code)]
    fn store(&self, sums: &Sums, tile: &QueryTile) {
        let gain = self.keys.problem.rules.dropout.map_or(1.0, |dropout| dropout.gain() as f32);
        for i in 0..tile.count {
            let inverse = if sums.l[i] == 0.0 { 0.0 } else { gain / sums.l[i] };
            let (sequence, head, token) = (tile.sequence, tile.head, tile.first + i);
            // SAFETY: every query is in one tile, and every tile in one piece of one group.
            let (out, notes) =
                unsafe { (self.out.row(sequence, head, token), self.notes.row(sequence, head, token)) };
            let o = sums.o.chunks_exact(self.keys.stride).nth(i).expect("a row for each query");
            out.iter_mut().lockstep(o).for_each(|(out, o)| *out = o * inverse);
            notes.copy_from_slice(&[sums.m[i], inverse]);
        }
    }
}

/// Prepared and scaled queries of a tile.
pub(super) struct Queries {
    /// `[TILE, stride]`
    pub(super) rows: Vec<f32>,
    /// `[d_head, TILE]`
    pub(super) lanes: Vec<f32>,
    stride: usize,
}

impl Queries {
    pub(super) fn new(d_head: usize, stride: usize) -> Self {
        Self { rows: vec![0.0; TILE * stride], lanes: vec![0.0; d_head * TILE], stride }
    }

    #[inline(always)]
    pub(super) fn load(&mut self, q: Rows<'_>, prepare: Prepare<'_>, scale: f32, tile: &QueryTile) {
        for (i, row) in self.rows.chunks_exact_mut(self.stride).take(tile.count).enumerate() {
            let token = tile.first + i;
            prepare.forward(token, q.row(tile.sequence, tile.head, token), scale, row);
        }
        to_lanes(&self.rows, self.stride, tile.count, &mut self.lanes);
    }
}

/// `rows [count, stride]` to `lanes [d_head, TILE]`: row `i` becomes lane `i`, and lanes without a row become 0.
#[inline(always)]
pub(super) fn to_lanes(rows: &[f32], stride: usize, count: usize, lanes: &mut [f32]) {
    /// Number of features that are moved together.
    const BLOCK: usize = 4;
    for (block, lanes) in lanes.chunks_mut(BLOCK * TILE).enumerate() {
        for i in 0..TILE {
            let from = &rows[i * stride + block * BLOCK..][..BLOCK];
            for (lanes, x) in lanes.chunks_exact_mut(TILE).lockstep(from) {
                lanes[i] = if i < count { *x } else { 0.0 };
            }
        }
    }
}

/// What a tile of queries has summed so far: `o`, `l` and the reference `m` of the module's equations.
struct Sums {
    /// `[TILE, stride]`
    o: Vec<f32>,
    l: [f32; TILE],
    m: [f32; TILE],
    /// `[TILE keys, TILE queries]`
    weights: Vec<f32>,
}

impl Sums {
    fn new(stride: usize) -> Self {
        Self { o: vec![0.0; TILE * stride], l: [0.0; TILE], m: [0.0; TILE], weights: vec![0.0; TILE * TILE] }
    }

    #[inline(always)]
    fn attend<S: Simd>(&mut self, simd: S, scorer: &Scorer<'_>, queries: &Queries) {
        self.o.fill(0.0);
        self.l.fill(0.0);
        self.m.fill(f32::NEG_INFINITY);
        for (seen, first_key) in scorer.key_tiles().enumerate() {
            let fits = seen > 0
                && scorer.is_plain(first_key)
                && self.weigh_at_once(simd, scorer, queries, first_key);
            if !fits {
                self.weigh(simd, scorer, queries, first_key);
            }
            scorer.drop_weights(simd, first_key, S::as_mut_simd_f32s(&mut self.weights).0);
            scorer.add_to_queries(simd, first_key, &scorer.keys.v, &self.weights, &mut self.o);
        }
        // For queries that have seen no key, any reference will do except minus infinity, which would turn a hidden
        // score into NaN.
        self.m.iter_mut().filter(|m| **m == f32::NEG_INFINITY).for_each(|m| *m = 0.0);
    }

    /// Makes the weights of a plain key tile as the scores leave the micro-kernel. Returns false, having changed
    /// nothing, if a score is too far above its reference.
    #[inline(always)]
    fn weigh_at_once<S: Simd>(
        &mut self,
        simd: S,
        scorer: &Scorer<'_>,
        queries: &Queries,
        first_key: usize,
    ) -> bool {
        let (width, (m, _)) = (row_width::<S>(), S::as_simd_f32s(&self.m));
        let (weights, _) = S::as_mut_simd_f32s(&mut self.weights);
        let mut sum_lanes = [0.0; TILE];
        let (sums, _) = S::as_mut_simd_f32s(&mut sum_lanes);
        scorer.dot_products(
            simd,
            first_key,
            &scorer.keys.k,
            &queries.lanes,
            #[inline(always)]
            |key, j, score| {
                let weight = exp2(simd, simd.sub_f32s(score, m[j]));
                weights[key * width + j] = weight;
                sums[j] = simd.add_f32s(sums[j], weight);
            },
        );
        // No weight is negative, so the sum shows whether one is too large.
        let fits = !sum_lanes.iter().any(|sum| *sum >= HEADROOM.exp2());
        if fits {
            self.l.iter_mut().lockstep(&sum_lanes).for_each(|(l, sum)| *l += sum);
        }
        fits
    }

    /// Makes the weights of any key tile, from its scores.
    #[inline(always)]
    fn weigh<S: Simd>(&mut self, simd: S, scorer: &Scorer<'_>, queries: &Queries, first_key: usize) {
        scorer.scores(simd, first_key, &queries.lanes, S::as_mut_simd_f32s(&mut self.weights).0, None);
        self.raise(simd);
        let references: [f32; TILE] =
            simd::array(|i| if self.m[i] == f32::NEG_INFINITY { 0.0 } else { self.m[i] });
        let mut sums = [0.0; TILE];
        let ((m, _), (sum_lanes, _)) = (S::as_simd_f32s(&references), S::as_mut_simd_f32s(&mut sums));
        let (weights, _) = S::as_mut_simd_f32s(&mut self.weights);
        for row in weights.chunks_exact_mut(row_width::<S>()) {
            for ((weight, m), sum) in row.iter_mut().lockstep(m).lockstep(sum_lanes.iter_mut()) {
                *weight = exp2(simd, simd.sub_f32s(*weight, *m));
                *sum = simd.add_f32s(*sum, *weight);
            }
        }
        self.l.iter_mut().lockstep(&sums).for_each(|(l, sum)| *l += sum);
    }

    /// Moves the references that a score is too far above, and rescales what is relative to them. Each query moves on
    /// its own: a later token must not change even the last bit of an earlier one.
    #[inline(always)]
    fn raise<S: Simd>(&mut self, simd: S) {
        let (width, mut most) = (row_width::<S>(), [f32::NEG_INFINITY; TILE]);
        let ((scores, _), (most, _)) = (S::as_simd_f32s(&self.weights), S::as_mut_simd_f32s(&mut most));
        for row in scores.chunks_exact(width) {
            most.iter_mut().lockstep(row).for_each(|(most, score)| *most = simd.max_f32s(*most, *score));
        }
        let mut factors = [1.0; TILE];
        let ((m, _), (factor, _)) = (S::as_mut_simd_f32s(&mut self.m), S::as_mut_simd_f32s(&mut factors));
        for ((m, most), factor) in m.iter_mut().lockstep(most).lockstep(factor) {
            // From minus infinity, every score is too far.
            let far = simd.greater_than_f32s(*most, simd.add_f32s(*m, simd.splat_f32s(HEADROOM)));
            let raised = simd.select_f32s(far, *most, *m);
            *factor = exp2(simd, simd.sub_f32s(*m, finite(simd, raised)));
            *m = raised;
        }
        let stride = self.o.len() / TILE;
        let rows = self.o.chunks_exact_mut(stride);
        for ((row, l), factor) in
            rows.lockstep(&mut self.l).lockstep(&factors).filter(|(_, factor)| **factor != 1.0)
        {
            *l *= factor;
            row.iter_mut().for_each(|o| *o *= factor);
        }
    }
}

/// `m`, or 0 where it is minus infinity: a hidden score minus it is then minus infinity, not NaN.
#[inline(always)]
fn finite<S: Simd>(simd: S, m: S::f32s) -> S::f32s {
    simd.select_f32s(simd.equal_f32s(m, simd.splat_f32s(f32::NEG_INFINITY)), simd.splat_f32s(0.0), m)
}
