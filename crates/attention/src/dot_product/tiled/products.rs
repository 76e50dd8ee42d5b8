//! The products of a query tile and a key tile that both passes need.

use subquad_backend::micro::{Scalars, product};
use subquad_backend::simd::Simd;

use super::problem::TILE;
use super::scores::{Part, Scorer, row_width};

impl Scorer<'_> {
    /// Scores of a key tile, `[TILE keys, TILE queries]`, minus infinity where hidden. `bends` is as in
    /// [`shape`](Self::shape).
    #[inline(always)]
    pub(super) fn scores<S: Simd>(
        &self,
        simd: S,
        first_key: usize,
        queries: &[f32],
        scores: &mut [S::f32s],
        bends: Option<&mut [S::f32s]>,
    ) {
        let width = row_width::<S>();
        self.dot_products(
            simd,
            first_key,
            &self.keys.k,
            queries,
            #[inline(always)]
            |key, j, score| scores[key * width + j] = score,
        );
        if !self.is_plain(first_key) {
            self.shape(simd, first_key, scores, bends);
        }
    }

    /// Hands the products of the keys or values of a tile, `rows`, with `lanes [d_head, TILE queries]` to
    /// `store(key, vector, product)`, except those that no query sees.
    #[inline(always)]
    pub(super) fn dot_products<S: Simd>(
        &self,
        simd: S,
        first_key: usize,
        rows: &[f32],
        lanes: &[f32],
        mut store: impl FnMut(usize, usize, S::f32s),
    ) {
        let (keys, (lanes, _), width) = (self.keys, S::as_simd_f32s(lanes), row_width::<S>());
        for Part { first, keys: count, from } in self.parts::<S>(first_key) {
            let rows = Scalars::rows(keys.rows(rows, first_key + first, count), keys.stride);
            let size = [count, self.vectors::<S>() - from, keys.problem.d_head];
            product(
                simd,
                rows,
                (&lanes[from..], width),
                size,
                #[inline(always)]
                |key, j, dot| store(first + key, from + j, dot),
            );
        }
    }

    /// `sums [TILE queries, stride] += weights^T rows`, for the keys or values of a tile, `rows`.
    #[inline(always)]
    pub(super) fn add_to_queries<S: Simd>(
        &self,
        simd: S,
        first_key: usize,
        rows: &[f32],
        weights: &[f32],
        sums: &mut [f32],
    ) {
        let (stride, (sums, _)) = (self.keys.stride, S::as_mut_simd_f32s(sums));
        let width = stride / S::F32_LANES;
        for Part { first, keys, from } in self.parts::<S>(first_key) {
            let unseeing = from * S::F32_LANES;
            let (rows, _) = S::as_simd_f32s(self.keys.rows(rows, first_key + first, keys));
            product(
                simd,
                Scalars::columns(&weights[first * TILE + unseeing..], TILE),
                (rows, width),
                [self.tile.count - unseeing, width, keys],
                #[inline(always)]
                |query, j, sum| {
                    let total = &mut sums[(unseeing + query) * width + j];
                    *total = simd.add_f32s(*total, sum);
                },
            );
        }
    }

    /// `sums [seq_k, stride] += weights rows` for the keys of a tile, where `rows [TILE queries, stride]`.
    #[inline(always)]
    pub(super) fn add_to_keys<S: Simd>(
        &self,
        simd: S,
        first_key: usize,
        rows: &[f32],
        weights: &[f32],
        sums: &mut [f32],
    ) {
        let (stride, (rows, _)) = (self.keys.stride, S::as_simd_f32s(rows));
        let width = stride / S::F32_LANES;
        for Part { first, keys, from } in self.parts::<S>(first_key) {
            let unseeing = from * S::F32_LANES;
            let (sums, _) = S::as_mut_simd_f32s(&mut sums[(first_key + first) * stride..][..keys * stride]);
            product(
                simd,
                Scalars::rows(&weights[first * TILE + unseeing..], TILE),
                (&rows[unseeing * width..], width),
                [keys, width, self.tile.count - unseeing],
                #[inline(always)]
                |key, j, sum| {
                    let total = &mut sums[key * width + j];
                    *total = simd.add_f32s(*total, sum);
                },
            );
        }
    }
}
