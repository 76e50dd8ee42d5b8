//! A tile of rows, and the same rows as lanes.

use super::problem::TILE;

/// `rows [count, stride]` to `lanes [d_head, TILE]`: row `i` becomes lane `i`, and lanes without a row become 0.
#[inline(always)]
pub(super) fn to_lanes(rows: &[f32], stride: usize, count: usize, lanes: &mut [f32]) {
    for (feature, lanes) in lanes.chunks_exact_mut(TILE).enumerate() {
        let (used, unused) = lanes.split_at_mut(count);
        used.iter_mut().zip(rows.chunks(stride)).for_each(|(lane, row)| *lane = row[feature]);
        unused.fill(0.0);
    }
}

/// Lane `lane` of `lanes [d_head, TILE]`, times `scale`.
#[inline(always)]
pub(super) fn from_lane(lanes: &[f32], lane: usize, scale: f32, row: &mut [f32]) {
    for (to, lanes) in row.iter_mut().zip(lanes.chunks_exact(TILE)) {
        *to = lanes[lane] * scale;
    }
}
