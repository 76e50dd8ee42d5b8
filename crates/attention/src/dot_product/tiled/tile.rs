//! A tile of rows, and the same rows as lanes.

use super::problem::TILE;

/// Number of features that are moved together.
const BLOCK: usize = 4;

/// `rows [count, stride]` to `lanes [d_head, TILE]`: row `i` becomes lane `i`, and lanes without a row become 0.
#[inline(always)]
pub(super) fn to_lanes(rows: &[f32], stride: usize, count: usize, lanes: &mut [f32]) {
    for (block, lanes) in lanes.chunks_mut(BLOCK * TILE).enumerate() {
        for i in 0..TILE {
            let from = &rows[i * stride + block * BLOCK..][..BLOCK];
            for (lanes, x) in lanes.chunks_exact_mut(TILE).zip(from) {
                lanes[i] = if i < count { *x } else { 0.0 };
            }
        }
    }
}
