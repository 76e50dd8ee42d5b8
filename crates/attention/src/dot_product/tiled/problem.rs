//! What is to be computed, and how it is shared among threads.

use std::ops::Range;

use crate::score_row::in_twos;
use crate::{Rules, alibi_slopes};

/// Number of queries, and of keys, in a tile: a tile's weights, 16 KiB, stay in a core's L1 cache next to their
/// operands.
pub(super) const TILE: usize = 64;

/// Heads of queries, and heads of keys and values, each of which serves the same number of heads of queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heads {
    pub(crate) queries: usize,
    pub(crate) keys: usize,
}

impl Heads {
    /// Heads of queries that one head of keys serves.
    fn group(self) -> usize {
        self.queries / self.keys
    }
}

/// Sizes and rules of one attention.
#[derive(Debug, Clone)]
pub(crate) struct Problem<'a> {
    pub(crate) batch: usize,
    pub(crate) heads: Heads,
    pub(crate) seq_q: usize,
    pub(crate) seq_k: usize,
    pub(crate) d_head: usize,
    pub(crate) rules: &'a Rules,
}

/// Number of pieces of work that keep the threads of a workstation busy. Each has its own sums of key gradients, so
/// more pieces take more memory, and more time if there are few threads.
const ENOUGH_PIECES: usize = 16;
/// Number of tiles that makes a piece worth its own sums of key gradients.
const FEWEST_TILES: usize = 8;

impl Problem<'_> {
    /// Number of groups, each the work of one head of keys: sequences times heads of keys.
    pub(super) fn groups(&self) -> usize {
        self.batch * self.heads.keys
    }

    /// Number of pieces of a group's work. It depends only on the sizes, not on the number of threads, and so does the
    /// order of every sum.
    pub(super) fn pieces(&self) -> usize {
        let wanted = ENOUGH_PIECES.div_ceil(self.groups());
        wanted.min(self.tiles_of_group() / FEWEST_TILES).max(1)
    }

    fn tiles(&self) -> usize {
        self.seq_q.div_ceil(TILE)
    }

    fn tiles_of_group(&self) -> usize {
        self.heads.group() * self.tiles()
    }

    /// The tiles of queries that piece `piece` of a group works on. Later causal tiles are more work, so the pieces
    /// take turns.
    pub(super) fn piece(&self, group: usize, piece: usize) -> impl Iterator<Item = QueryTile> {
        let (tiles, group_heads, seq_q) = (self.tiles(), self.heads.group(), self.seq_q);
        let (sequence, key_head) = (group / self.heads.keys, group % self.heads.keys);
        (piece..self.tiles_of_group()).step_by(self.pieces()).map(move |index| {
            let first = index % tiles * TILE;
            let head = key_head * group_heads + index / tiles;
            QueryTile { sequence, head, first, count: TILE.min(seq_q - first) }
        })
    }

    /// How scores fall with the distance in a head, in base-2 scores per token.
    pub(super) fn slope(&self, head: usize) -> Option<f32> {
        let slopes = self.rules.alibi.then(|| alibi_slopes(self.heads.queries));
        slopes.map(|slopes| in_twos(slopes[head]))
    }

    /// The position of query 0: queries are aligned with the last keys.
    #[inline]
    pub(super) fn first_position(&self) -> isize {
        self.seq_k as isize - self.seq_q as isize
    }

    /// The keys that some query of a tile may see, as far as positions go.
    pub(super) fn reach(&self, tile: &QueryTile) -> Range<usize> {
        let (first, last) = self.positions(tile);
        let past = self.window().map_or(0, |window| first + 1 - window);
        let future = self.window().map_or(self.seq_k as isize, |window| last + window);
        let future = if self.rules.causal { last + 1 } else { future };
        let inside = |position: isize| position.clamp(0, self.seq_k as isize) as usize;
        inside(past)..inside(future)
    }

    /// Whether every query of a tile sees every one of the [`TILE`] keys from `first_key` on, as far as positions go.
    pub(super) fn sees_all(&self, tile: &QueryTile, first_key: usize) -> bool {
        let (first, last) = self.positions(tile);
        let (first_key, last_key) = (first_key as isize, (first_key + TILE - 1) as isize);
        let near = |window: isize| last - first_key < window && last_key - first < window;
        last_key < self.seq_k as isize
            && (!self.rules.causal || last_key <= first)
            && self.window().is_none_or(near)
    }

    /// A window longer than the sequence counts as one of its length.
    fn window(&self) -> Option<isize> {
        self.rules.window.map(|window| window.min(self.seq_q + self.seq_k) as isize)
    }

    /// Positions of the first and the last query of a tile.
    fn positions(&self, tile: &QueryTile) -> (isize, isize) {
        let first = self.first_position() + tile.first as isize;
        (first, first + tile.count as isize - 1)
    }
}

/// Up to [`TILE`] consecutive queries of one head.
#[derive(Debug, Clone, Copy)]
pub(super) struct QueryTile {
    pub(super) sequence: usize,
    /// Index among the heads of queries.
    pub(super) head: usize,
    pub(super) first: usize,
    pub(super) count: usize,
}
