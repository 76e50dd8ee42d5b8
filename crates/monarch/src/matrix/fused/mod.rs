//! The fused form of two factors: a tile of rows goes through both while it is in a core's cache, and no number is
//! moved for a permutation.
//!
//! ```text
//! z[i, m]  = sum over q of W1[i, m, q] x[i, q]       the micro-kernel, block by block; i < k, m < middle, q < p
//! y[t, l]  = sum over u of W2[l, t, u] z[u, l]       vectors run over the blocks l < c; u < k middle / c, t < s
//! ```
//! The middle is one row of numbers that the first factor sees as `[k, middle]` and the second one as `[u, c]`. As the
//! blocks of the second factor are the fastest axis of both what it reads and what it writes, a vector holds one number
//! of each of 16 blocks. The backward pass recomputes the middle.

mod across;
mod blocks;
mod gradients;
mod packed;
mod tile;

use burn::tensor::Tensor;
use rayon::prelude::*;
use subquad_backend::kernel::{Array, CpuKernel, Operand, Saved, Unwritten, View, apply};
use subquad_backend::linear::sums::PARTS;

use gradients::Sums;
use packed::Factors;
use tile::Tile;

/// `[rows, d_input]` to `[rows, d_output]`.
pub(super) fn product(
    x: Tensor<2>,
    [w1, w2]: [Tensor<3>; 2],
    bias: Option<Tensor<1>>,
    pre_permute: bool,
    d_output: usize,
) -> Tensor<2> {
    let [x, w1, w2]: [Operand; 3] = [x.into(), w1.into(), w2.into()];
    match bias {
        None => apply(TwoFactors { pre_permute, d_output }, [x, w1, w2]),
        Some(bias) => apply(TwoFactors { pre_permute, d_output }, [x, w1, w2, bias.into()]),
    }
}

/// Inputs: `x [rows, d_input]`, `w1 [k, middle, p]`, `w2 [c, s, u]` and, if there is one, `bias [d_output]`.
#[derive(Debug)]
struct TwoFactors {
    pre_permute: bool,
    d_output: usize,
}

/// Size of one array of a tile: three of them fit into a core's own cache.
const TILE: usize = 1 << 14;
/// The micro-kernel takes rows in powers of two up to this.
const ROWS_TOGETHER: usize = 8;

/// The widths, and how factors cut them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) rows: usize,
    pub(super) d_input: usize,
    pub(super) d_output: usize,
    /// Blocks, rows and columns of the first factor.
    pub(super) first: [usize; 3],
    /// Blocks, rows and columns of the second factor.
    pub(super) second: [usize; 3],
    pub(super) pre_permute: bool,
}

impl Sizes {
    pub(super) fn n_input(self) -> usize {
        self.first[0] * self.first[2]
    }

    pub(super) fn n_middle(self) -> usize {
        self.first[0] * self.first[1]
    }

    pub(super) fn n_output(self) -> usize {
        self.second[0] * self.second[1]
    }

    /// Distances between rows of a tile: as the first factor reads them, between the factors, and as the second one
    /// writes them.
    pub(super) fn strides(self) -> [usize; 3] {
        [self.n_input(), self.n_middle(), self.n_output()].map(apart)
    }

    /// Number of rows that go through both factors together.
    fn tile_rows(self) -> usize {
        let widest = self.n_input().max(self.n_middle()).max(self.n_output());
        (TILE / widest).clamp(ROWS_TOGETHER, 64).next_multiple_of(ROWS_TOGETHER)
    }

    /// Number of rows of a part, in whole tiles. It depends only on the sizes, so that the sums do too.
    fn part_rows(self) -> usize {
        self.rows.div_ceil(PARTS).next_multiple_of(self.tile_rows()).max(1)
    }
}

/// Rounds up to an odd number of cache lines: rows a power of two apart would evict each other from the cache.
fn apart(width: usize) -> usize {
    const LINE: usize = 16;
    width.next_multiple_of(LINE) | LINE
}

impl CpuKernel for TwoFactors {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let sizes = self.sizes(inputs);
        let Sizes { rows, d_input, d_output, .. } = sizes;
        let factors = Factors::forward(inputs[1].data, inputs[2].data, sizes);
        let (tile, bias) = (sizes.tile_rows(), inputs.get(3).map(|bias| bias.data));
        let mut y = Unwritten::new(rows * d_output);
        let tiles = y.parts(tile * d_output).into_par_iter().zip(inputs[0].data.par_chunks(tile * d_input));
        tiles.for_each_init(
            || Tile::new(sizes, tile),
            |work, (y, x)| work.forward(&factors, x, bias, y.zeros()),
        );
        Array::new(y.into_vec(), [rows, d_output])
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let sizes = self.sizes(saved.inputs);
        let (x, w1, w2) = (&saved.inputs[0], &saved.inputs[1], &saved.inputs[2]);
        let factors = Factors::both_ways(w1.data, w2.data, sizes);
        let (mut dx, part) = (Unwritten::new(x.data.len()), sizes.part_rows());
        let rows = x.data.par_chunks(part * sizes.d_input);
        let rows = rows.zip(saved.grad.data.par_chunks(part * sizes.d_output));
        let parts: Vec<Sums> = dx
            .parts(part * sizes.d_input)
            .into_par_iter()
            .zip(rows)
            .map(|(dx, (x, dy))| Sums::of(&factors, sizes.tile_rows(), [x, dy], dx.zeros()))
            .collect();
        let sums = parts.into_iter().reduce(Sums::plus);
        let sums = sums.unwrap_or_else(|| Sums::none(sizes));
        let (dw1, dw2, dbias) = sums.into_gradients(sizes);
        let arrays = [(dx.into_vec(), x.shape), (dw1, w1.shape), (dw2, w2.shape)];
        let bias = saved.inputs.get(3).map(|bias| (dbias, bias.shape));
        let arrays = arrays.into_iter().chain(bias).zip(saved.wanted);
        arrays.map(|((grad, shape), wanted)| wanted.then(|| Array::new(grad, shape))).collect()
    }
}

impl TwoFactors {
    fn sizes(&self, inputs: &[View<'_>]) -> Sizes {
        let [rows, d_input] = inputs[0].dims();
        Sizes {
            rows,
            d_input,
            d_output: self.d_output,
            first: inputs[1].dims(),
            second: inputs[2].dims(),
            pre_permute: self.pre_permute,
        }
    }
}
