//! A tile of rows on its way through both factors.

use subquad_backend::simd::{self, Lockstep, Simd, WithSimd, dispatch};

use super::Sizes;
use super::across::across_blocks;
use super::blocks::block_products;
use super::packed::{Factors, whole};

/// One thread's rows on their way: as the first factor reads them, between the factors, and as the second one writes them.
pub(super) struct Tile {
    pub(super) x: Vec<f32>,
    pub(super) z: Vec<f32>,
    pub(super) y: Vec<f32>,
}

impl Tile {
    pub(super) fn new(sizes: Sizes, rows: usize) -> Self {
        let ([x, z, y], [_, _, p]) = (sizes.strides(), sizes.first);
        // A product may read whole vectors beyond the last block.
        let beyond = whole(p);
        Self { x: vec![0.0; rows * x + beyond], z: vec![0.0; rows * z], y: vec![0.0; rows * y] }
    }

    pub(super) fn forward(&mut self, factors: &Factors, x: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
        let sizes = factors.sizes;
        take(&mut self.x, x, sizes);
        dispatch(Forward { factors, tile: self, rows: x.len() / sizes.d_input });
        let [_, _, stride] = sizes.strides();
        for (y, padded) in y.chunks_mut(sizes.d_output).lockstep(self.y.chunks(stride)) {
            y.copy_from_slice(&padded[..sizes.d_output]);
            if let Some(bias) = bias {
                simd::add(y, bias);
            }
        }
    }
}

/// Copies rows as the first factor reads them, with zeros where it reads beyond their end.
pub(super) fn take(tile: &mut [f32], x: &[f32], sizes: Sizes) {
    let Sizes { d_input, first: [k, _, p], .. } = sizes;
    let (n_input, [stride, _, _]) = (k * p, sizes.strides());
    for (tile, x) in tile.chunks_mut(stride).lockstep(x.chunks(d_input)) {
        if sizes.pre_permute {
            let at = |place: usize| place % p * k + place / p;
            tile[..n_input]
                .iter_mut()
                .enumerate()
                .for_each(|(i, to)| *to = x.get(at(i)).copied().unwrap_or(0.0));
        } else {
            tile[..d_input].copy_from_slice(x);
        }
    }
}

/// The reverse of [`take`]: copies the gradients of what was read.
pub(super) fn put_back(dx: &mut [f32], tile: &[f32], sizes: Sizes) {
    let Sizes { d_input, first: [k, _, p], .. } = sizes;
    let [stride, _, _] = sizes.strides();
    for (dx, tile) in dx.chunks_mut(d_input).lockstep(tile.chunks(stride)) {
        if sizes.pre_permute {
            dx.iter_mut().enumerate().for_each(|(at, dx)| *dx = tile[at % k * p + at / k]);
        } else {
            dx.copy_from_slice(&tile[..d_input]);
        }
    }
}

struct Forward<'a> {
    factors: &'a Factors,
    tile: &'a mut Tile,
    rows: usize,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { factors, tile: Tile { x, z, y }, rows } = self;
        let [c, s, u] = factors.sizes.second;
        first_factor(simd, factors, x, z, rows);
        let [_, z_stride, y_stride] = factors.sizes.strides();
        across_blocks(simd, (z, z_stride), &factors.second, (y, y_stride), [rows, u, s, c]);
    }
}

/// `z[i] = W1[i] x[i]` for every row and block.
#[inline(always)]
pub(super) fn first_factor<S: Simd>(simd: S, factors: &Factors, x: &[f32], z: &mut [f32], rows: usize) {
    let ([x_stride, z_stride, _], [k, middle, p]) = (factors.sizes.strides(), factors.sizes.first);
    block_products(simd, (x, x_stride), &factors.first, (z, z_stride), [rows, k, p, middle]);
}
