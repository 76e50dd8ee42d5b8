//! Keys and values of one head, prepared and contiguous.

use super::prepare::Prepare;
use super::problem::{Problem, TILE};
use super::rows::Rows;

/// Rows are a multiple of this many floats apart: whole vectors on every machine.
pub(super) const LANES: usize = 16;

/// Keys and values of one head of one sequence, `[seq_k, stride]` each, padded by zeros to whole tiles and whole vectors. Every tile
/// of queries reads them all, so their rows should be contiguous.
pub(super) struct Keys<'a> {
    pub(super) k: Vec<f32>,
    pub(super) v: Vec<f32>,
    pub(super) stride: usize,
    /// The segment of each key, -2 for padding; `None` without segments.
    segments: Option<Vec<f32>>,
    /// The segment of each query, -1 for padding, which never equals a key's.
    query_segments: Option<Vec<f32>>,
    pub(super) problem: &'a Problem<'a>,
}

impl<'a> Keys<'a> {
    #[inline(always)]
    pub(super) fn pack(
        problem: &'a Problem<'a>,
        prepare: Prepare<'_>,
        [k, v]: [Rows<'_>; 2],
        group: usize,
    ) -> Self {
        let (sequence, head) = (group / problem.heads.keys, group % problem.heads.keys);
        let stride = problem.d_head.next_multiple_of(LANES);
        let size = problem.seq_k.next_multiple_of(TILE) * stride;
        let mut packed = Self {
            k: vec![0.0; size],
            v: vec![0.0; size],
            stride,
            segments: segments(problem, sequence, -2.0),
            query_segments: segments(problem, sequence, -1.0),
            problem,
        };
        for token in 0..problem.seq_k {
            let at = token * stride..token * stride + problem.d_head;
            prepare.forward(token, k.row(sequence, head, token), 1.0, &mut packed.k[at.clone()]);
            packed.v[at].copy_from_slice(v.row(sequence, head, token));
        }
        packed
    }

    /// `count` rows of `k`, `v` or an array of the same layout.
    #[inline(always)]
    pub(super) fn rows<'b>(&self, rows: &'b [f32], first: usize, count: usize) -> &'b [f32] {
        &rows[first * self.stride..][..count * self.stride]
    }

    /// Segments of a tile of keys and of a tile of queries.
    pub(super) fn segments(&self, first_key: usize, first_query: usize) -> Option<SegmentTiles<'_>> {
        let keys = tile_of(self.segments.as_ref()?, first_key);
        Some(SegmentTiles { keys, queries: tile_of(self.query_segments.as_ref()?, first_query) })
    }
}

fn tile_of(ids: &[f32], first: usize) -> &[f32] {
    &ids[first..ids.len().min(first + TILE)]
}

fn segments(problem: &Problem<'_>, sequence: usize, padding: f32) -> Option<Vec<f32>> {
    let ids = problem.rules.segments.as_ref()?.row(sequence);
    Some(ids.iter().map(|&id| if id == 0 { padding } else { id as f32 }).collect())
}

/// Segments of some keys and some queries.
pub(super) struct SegmentTiles<'a> {
    pub(super) keys: &'a [f32],
    pub(super) queries: &'a [f32],
}

impl SegmentTiles<'_> {
    /// Whether all are of one segment.
    pub(super) fn are_one(&self) -> bool {
        self.keys.iter().chain(self.queries).all(|id| *id == self.keys[0])
    }

    /// Whether no query can see a key because the ranges of their segment numbers do not overlap.
    pub(super) fn are_apart(&self) -> bool {
        let ends = |ids: &[f32]| {
            ids.iter().fold((f32::MAX, f32::MIN), |(low, high), &id| (low.min(id), high.max(id)))
        };
        let ((low_k, high_k), (low_q, high_q)) = (ends(self.keys), ends(self.queries));
        high_k < low_q || high_q < low_k
    }
}
