//! The backward pass of a tile, and the gradients of the factors.

use subquad_backend::simd::{self, Lockstep, Simd, WithSimd, dispatch};

use super::Sizes;
use super::across::{across_blocks, outer_across_blocks};
use super::blocks::{block_products, outer_of_blocks};
use super::packed::{Factors, whole};
use super::tile::{Tile, first_factor, put_back, take};

/// Gradients of the factors and the bias, summed over some rows.
pub(super) struct Sums {
    /// `[k, middle, p]`, rows padded.
    first: Vec<f32>,
    /// `[s, u, c]`, rows padded.
    second: Vec<f32>,
    /// Gradient of the bias, as wide as the padded output.
    bias: Vec<f32>,
}

impl Sums {
    pub(super) fn none(sizes: Sizes) -> Self {
        let ([k, middle, p], [c, s, u]) = (sizes.first, sizes.second);
        Self {
            first: vec![0.0; k * middle * whole(p)],
            second: vec![0.0; s * u * whole(c)],
            bias: vec![0.0; sizes.n_output()],
        }
    }

    /// The sums of the rows `x` with the output's gradients `dy`; also fills their `dx`.
    pub(super) fn of(factors: &Factors, tile_rows: usize, [x, dy]: [&[f32]; 2], dx: &mut [f32]) -> Self {
        let Sizes { d_input, d_output, .. } = factors.sizes;
        let mut sums = Self::none(factors.sizes);
        let (mut tile, mut back) = (Tile::new(factors.sizes, tile_rows), Tile::new(factors.sizes, tile_rows));
        let tiles = x.chunks(tile_rows * d_input).lockstep(dy.chunks(tile_rows * d_output));
        for (dx, (x, dy)) in dx.chunks_mut(tile_rows * d_input).lockstep(tiles) {
            take(&mut tile.x, x, factors.sizes);
            let [_, _, stride] = factors.sizes.strides();
            for (padded, dy) in back.y.chunks_mut(stride).lockstep(dy.chunks(d_output)) {
                padded[..d_output].copy_from_slice(dy);
            }
            let rows = x.len() / d_input;
            dispatch(Backward { factors, tile: &mut tile, back: &mut back, sums: &mut sums, rows });
            put_back(dx, &back.x, factors.sizes);
        }
        sums
    }

    pub(super) fn plus(mut self, other: Self) -> Self {
        simd::add(&mut self.first, &other.first);
        simd::add(&mut self.second, &other.second);
        simd::add(&mut self.bias, &other.bias);
        self
    }

    /// Returns the sums in the layout of the factors and the bias.
    pub(super) fn into_gradients(self, sizes: Sizes) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
        let ([_, _, p], [c, s, u]) = (sizes.first, sizes.second);
        let first = self.first.chunks(whole(p)).flat_map(|row| &row[..p]).copied().collect();
        let at = |l: usize, t: usize, r: usize| self.second[(t * u + r) * whole(c) + l];
        let places = (0..c).flat_map(|l| (0..s).flat_map(move |t| (0..u).map(move |r| (l, t, r))));
        let second = places.map(|(l, t, r)| at(l, t, r)).collect();
        (first, second, self.bias[..sizes.d_output].to_vec())
    }
}

struct Backward<'a> {
    factors: &'a Factors,
    /// The rows on their way forward, computed again.
    tile: &'a mut Tile,
    /// The gradients of the rows.
    back: &'a mut Tile,
    sums: &'a mut Sums,
    rows: usize,
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { factors, tile, back, sums, rows } = self;
        let ([k, middle, p], [c, s, u]) = (factors.sizes.first, factors.sizes.second);
        let [x_stride, z_stride, y_stride] = factors.sizes.strides();
        let [turned_first, turned_second] = factors.turned.as_ref().expect("packed both ways");
        first_factor(simd, factors, &tile.x, &mut tile.z, rows);
        for dy in back.y.chunks(y_stride).take(rows) {
            simd::add(&mut sums.bias, dy);
        }
        let dy = (&back.y[..], y_stride);
        across_blocks(simd, dy, turned_second, (&mut back.z, z_stride), [rows, s, u, c]);
        outer_across_blocks(simd, dy, (&tile.z, z_stride), &mut sums.second, [rows, s, u, c]);
        let dz = (&back.z[..], z_stride);
        block_products(simd, dz, turned_first, (&mut back.x, x_stride), [rows, k, middle, p]);
        outer_of_blocks(simd, dz, (&tile.x, x_stride), &mut sums.first, [rows, k, middle, p]);
    }
}
