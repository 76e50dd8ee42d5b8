//! What the passes share: sizes, tiles of tokens, and the order of the linear layer's outputs in vectors.

use crate::simd::Lockstep;
use std::ops::Range;

use rayon::prelude::*;

/// Tokens of a tile: its activations and gradients stay in a core's cache, and enough rows share each block of the weight.
pub(super) const TOKENS: usize = 128;
/// Floats of a cache line.
const LINE: usize = 16;

/// Distance of rows that hold `width` floats: an odd number of cache lines, so that neighbouring rows do not push each
/// other out of the cache.
#[inline]
pub(super) fn stride(width: usize) -> usize {
    (width.div_ceil(LINE) | 1) * LINE
}

/// Sizes of `[batch, channels, seq]` to `[batch, seq, d_out]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) batch: usize,
    pub(super) channels: usize,
    pub(super) seq: usize,
    pub(super) d_out: usize,
    /// Numbers of the linear layer that make one output: two with a gate.
    pub(super) parts: usize,
    pub(super) has_bias: bool,
    /// Floats of a vector.
    pub(super) lanes: usize,
}

impl Sizes {
    pub(super) fn tokens(&self) -> usize {
        self.batch * self.seq
    }

    /// Inputs of the linear layer; a bias counts as the weight of one more channel, which is always 1.
    #[inline]
    pub(super) fn inputs(&self) -> usize {
        self.channels + usize::from(self.has_bias)
    }

    /// Outputs of the linear layer.
    #[inline]
    pub(super) fn outputs(&self) -> usize {
        self.parts * self.d_out
    }

    /// Vectors that hold one number per output.
    #[inline]
    pub(super) fn vectors(&self) -> usize {
        self.d_out.div_ceil(self.lanes)
    }

    /// Floats of a token's outputs in vectors, as [`Self::pack`] orders them.
    #[inline]
    pub(super) fn packed(&self) -> usize {
        self.parts * self.vectors() * self.lanes
    }

    /// From the linear layer's order (first parts, then second parts) to vectors that alternate: one of first parts, then one of
    /// second parts. The excess of the last ones stays as it is.
    fn pack(&self, from: &[f32], to: &mut [f32]) {
        for (part, from) in from.chunks(self.d_out).enumerate() {
            let to = to.chunks_mut(self.lanes).skip(part).step_by(self.parts);
            to.lockstep(from.chunks(self.lanes))
                .for_each(|(to, from)| to[..from.len()].copy_from_slice(from));
        }
    }

    /// The inverse.
    pub(super) fn unpack(&self, from: &[f32], to: &mut [f32]) {
        for (part, to) in to.chunks_mut(self.d_out).enumerate() {
            let from = from.chunks(self.lanes).skip(part).step_by(self.parts);
            from.lockstep(to.chunks_mut(self.lanes))
                .for_each(|(from, to)| to.copy_from_slice(&from[..to.len()]));
        }
    }

    /// Rows of the weight, and the bias as one more, in vectors: `[inputs, packed]`, rows [`stride`] apart.
    pub(super) fn packed_weight(&self, weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        let stride = stride(self.packed());
        let mut packed = vec![0.0; self.inputs() * stride];
        let (rows, last) = packed.split_at_mut(self.channels * stride);
        let pairs = rows.par_chunks_mut(stride).zip(weight.par_chunks(self.outputs()));
        pairs.for_each(|(to, from)| self.pack(from, to));
        bias.into_iter().for_each(|bias| self.pack(bias, last));
        packed
    }

    /// Tokens of a tile.
    #[inline]
    pub(super) fn tile(&self, index: usize) -> Range<usize> {
        index * TOKENS..self.tokens().min((index + 1) * TOKENS)
    }

    /// The parts of a tile that each belong to one row of the batch, in order.
    #[inline]
    pub(super) fn segments(&self, tile: Range<usize>) -> impl Iterator<Item = Segment> {
        let seq = self.seq;
        let rows = tile.start / seq..tile.end.div_ceil(seq);
        rows.map(move |row| {
            let (first, last) = (tile.start.max(row * seq), tile.end.min((row + 1) * seq));
            Segment { row, from: first - row * seq, to: first - tile.start, len: last - first }
        })
    }

    /// Rows of channels of a tile of `[batch, channels, seq]`, [`TOKENS`] long, [`stride`] apart.
    pub(super) fn gather(&self, y: &[f32], tile: Range<usize>, rows: &mut [f32]) {
        for Segment { row, from, to, len } in self.segments(tile) {
            let y = y[row * self.channels * self.seq..].chunks_exact(self.seq);
            for (to_row, y) in rows.chunks_exact_mut(stride(TOKENS)).lockstep(y).take(self.channels) {
                to_row[to..to + len].copy_from_slice(&y[from..from + len]);
            }
        }
    }
}

/// Neighbouring tokens of one row of the batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    /// The row of the batch.
    row: usize,
    /// Where it starts in the row.
    from: usize,
    /// Where it starts in the tile.
    pub(super) to: usize,
    pub(super) len: usize,
}
