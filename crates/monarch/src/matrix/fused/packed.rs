//! The factors, laid out for the kernels.

use super::Sizes;

/// Packed rows are padded to whole vectors of this many numbers, the widest there are.
const LANES: usize = 16;

#[inline]
pub(super) fn whole(width: usize) -> usize {
    width.next_multiple_of(LANES)
}

/// Both factors, packed.
pub(super) struct Factors {
    pub(super) sizes: Sizes,
    /// Each block transposed: `[k, p, middle]`, rows padded.
    pub(super) first: Vec<f32>,
    /// Blocks fastest: `[s, u, c]`, rows padded.
    pub(super) second: Vec<f32>,
    /// The factors for the opposite direction, which the backward pass needs as well: the first one not transposed, `[k,
    /// middle, p]`, and the second one `[u, s, c]`, rows padded.
    pub(super) turned: Option<[Vec<f32>; 2]>,
}

impl Factors {
    pub(super) fn forward(w1: &[f32], w2: &[f32], sizes: Sizes) -> Self {
        let ([k, middle, p], [c, s, u]) = (sizes.first, sizes.second);
        Self {
            first: packed([k, p, middle], |i, q, m| w1[(i * middle + m) * p + q]),
            second: packed([s, u, c], |t, r, l| w2[(l * s + t) * u + r]),
            sizes,
            turned: None,
        }
    }

    pub(super) fn both_ways(w1: &[f32], w2: &[f32], sizes: Sizes) -> Self {
        let ([k, middle, p], [c, s, u]) = (sizes.first, sizes.second);
        let turned = [
            packed([k, middle, p], |i, m, q| w1[(i * middle + m) * p + q]),
            packed([u, s, c], |r, t, l| w2[(l * s + t) * u + r]),
        ];
        Self { turned: Some(turned), ..Self::forward(w1, w2, sizes) }
    }
}

/// `f` of every index of `[a, b, c]`, with rows of whole vectors.
fn packed([a, b, c]: [usize; 3], f: impl Fn(usize, usize, usize) -> f32) -> Vec<f32> {
    let mut out = vec![0.0; a * b * whole(c)];
    for (at, row) in out.chunks_mut(whole(c).max(1)).enumerate() {
        for (l, value) in row.iter_mut().take(c).enumerate() {
            *value = f(at / b, at % b, l);
        }
    }
    out
}
