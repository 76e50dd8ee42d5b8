//! The backward pass: a tile of tokens at a time, and their shares of the weight's gradient summed in a fixed tree.

use std::hint::black_box;
use std::ops::Range;
use std::sync::Mutex;

use rayon::prelude::*;

use super::sizes::{Sizes, TOKENS, stride};
use crate::linear::transpose::transpose;
use crate::micro::{Scalars, product_of_rows};
use crate::pointwise::Activation;
use crate::simd::{self, Counted, Lockstep, Simd, WithSimd, dispatch, load};

/// What the backward pass reads.
#[derive(Clone, Copy)]
pub(super) struct Backward<'a> {
    pub(super) sizes: Sizes,
    pub(super) activation: Activation,
    pub(super) y: &'a [f32],
    pub(super) weight: &'a [f32],
    /// Output and sigmoids of a gate: what its derivatives are computed from.
    pub(super) gated: Option<[&'a [f32]; 2]>,
    pub(super) grad: &'a [f32],
}

impl Backward<'_> {
    /// The gradient of `y`, and of the rows of the weight and the bias if there is one; empty where they are not wanted.
    pub(super) fn run(self, wants_y: bool, wants_weight: bool) -> [Vec<f32>; 2] {
        let sizes = self.sizes;
        let mut dy = vec![0.0; if wants_y { self.y.len() } else { 0 }];
        let transposed = if wants_y { self.transposed_weight() } else { vec![] };
        let mut tiles = pieces(&mut dy, sizes);
        let sums = Sums { of: self, idle: Mutex::default(), transposed: &transposed, wants_weight };
        let packed = sums.of_tiles(0, &mut tiles);
        [dy, if wants_weight { sizes.unpacked(&packed) } else { vec![] }]
    }

    /// `[packed, channels]`, rows [`stride`] apart.
    fn transposed_weight(&self) -> Vec<f32> {
        let sizes = self.sizes;
        let packed = sizes.packed_weight(self.weight, None);
        let (from, to) = (stride(sizes.packed()), stride(sizes.channels));
        let mut transposed = vec![0.0; sizes.packed() * to];
        transposed.par_chunks_mut(16 * to).enumerate().for_each(|(index, rows)| {
            let size = [sizes.channels, rows.len() / to];
            transpose(&packed[index * 16..], from, size, rows, to);
        });
        transposed
    }
}

/// `[batch, channels, seq]` by tiles: of each its segments' rows of channels.
fn pieces(dy: &mut [f32], sizes: Sizes) -> Vec<Vec<&mut [f32]>> {
    let count = sizes.tokens().div_ceil(TOKENS);
    let mut tiles: Vec<Vec<&mut [f32]>> = (0..count).map(|_| vec![]).collect();
    for (row, mut rest) in dy.chunks_mut(sizes.seq).enumerate() {
        let mut token = row / sizes.channels * sizes.seq;
        while !rest.is_empty() {
            let len = rest.len().min(TOKENS - token % TOKENS);
            let (piece, after) = rest.split_at_mut(len);
            tiles[token / TOKENS].push(piece);
            (rest, token) = (after, token + len);
        }
    }
    tiles
}

/// How many tiles one thread sums in a row: with all tiles of a short sequence, threads would be idle; with single
/// tiles of a long one, there would be too many sums to add up.
fn tiles_together(tiles: usize) -> usize {
    (tiles / 32).clamp(1, 8)
}

struct Sums<'a> {
    of: Backward<'a>,
    /// Buffers that threads have finished with.
    idle: Mutex<Vec<Scratch>>,
    transposed: &'a [f32],
    wants_weight: bool,
}

impl Sums<'_> {
    /// The share of some tiles, from number `first` on, in the weight's gradient, in vectors.
    fn of_tiles(&self, first: usize, tiles: &mut [Vec<&mut [f32]>]) -> Vec<f32> {
        let together = tiles_together(self.of.sizes.tokens().div_ceil(TOKENS));
        if tiles.len() <= together {
            return self.in_order(first, tiles);
        }
        let middle = (tiles.len() / 2).next_multiple_of(together);
        let (left, right) = tiles.split_at_mut(middle);
        let (mut sum, other) =
            rayon::join(|| self.of_tiles(first, left), || self.of_tiles(first + middle, right));
        simd::run(
            #[inline(always)]
            || simd::add(&mut sum, &other),
        );
        sum
    }

    fn in_order(&self, first: usize, tiles: &mut [Vec<&mut [f32]>]) -> Vec<f32> {
        let sizes = self.of.sizes;
        let mut sum = vec![0.0; if self.wants_weight { sizes.inputs() * sizes.packed() } else { 0 }];
        let idle = self.idle.lock().expect("no thread panics while it holds the lock").pop();
        let mut scratch = idle.unwrap_or_else(|| Scratch::new(sizes));
        for (index, dy) in tiles.iter_mut().enumerate() {
            let index = first + index;
            dispatch(Tile { of: self, index, dy, sum: &mut sum, scratch: &mut scratch });
        }
        self.idle.lock().expect("no thread panics while it holds the lock").push(scratch);
        sum
    }
}

struct Scratch {
    /// `[inputs, TOKENS]`
    hidden: Vec<f32>,
    /// `[channels, TOKENS]`
    slopes: Vec<f32>,
    /// Gradient of the linear layer's outputs in vectors: `[TOKENS, packed]`
    outer: Vec<f32>,
    /// Gradient of its inputs: `[TOKENS, channels]`
    inner: Vec<f32>,
}

impl Scratch {
    fn new(sizes: Sizes) -> Self {
        Self {
            hidden: vec![1.0; sizes.inputs() * stride(TOKENS)],
            slopes: vec![0.0; sizes.channels * stride(TOKENS)],
            outer: vec![0.0; TOKENS * stride(sizes.packed())],
            inner: vec![0.0; TOKENS * stride(sizes.channels)],
        }
    }
}

struct Tile<'a, 'd> {
    of: &'a Sums<'a>,
    index: usize,
    dy: &'a mut [&'d mut [f32]],
    sum: &'a mut [f32],
    scratch: &'a mut Scratch,
}

impl WithSimd for Tile<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { of, index, dy, sum, scratch } = self;
        let Backward { sizes, activation, y, .. } = of.of;
        let tile = sizes.tile(index);
        sizes.gather(y, tile.clone(), &mut scratch.hidden);
        for (hidden, slopes) in
            rows_of_tokens(&mut scratch.hidden).lockstep(rows_of_tokens(&mut scratch.slopes))
        {
            activation.apply_with_slopes(simd, hidden, slopes);
        }
        of.of.outer_grad(simd, tile.clone(), &mut scratch.outer);
        if of.wants_weight {
            add_weight_grad(simd, sizes, tile.len(), scratch, sum);
        }
        if !dy.is_empty() {
            inner_grad(simd, sizes, tile.len(), of.transposed, scratch);
            scratch.times_slopes(sizes, tile, dy);
        }
    }
}

/// Rows of [`TOKENS`] that are [`stride`] apart.
#[inline(always)]
fn rows_of_tokens(rows: &mut [f32]) -> impl Counted<Item = &mut [f32]> {
    rows.chunks_exact_mut(stride(TOKENS)).map(|row| &mut row[..TOKENS])
}

/// `sum += hidden outer`
#[inline(always)]
fn add_weight_grad<S: Simd>(simd: S, sizes: Sizes, tokens: usize, scratch: &Scratch, sum: &mut [f32]) {
    let packed = sizes.packed();
    product_of_rows(
        simd,
        // Unknown to the compiler: it reads all rows of a block first if their distance is a constant, and then has no registers for the sums.
        Scalars::rows(&scratch.hidden, black_box(stride(TOKENS))),
        (&scratch.outer, stride(packed)),
        [sizes.inputs(), sizes.parts * sizes.vectors(), tokens],
        #[inline(always)]
        |i, j, share| {
            let sum = vector::<S>(sum, i * packed + j * S::F32_LANES);
            *sum = simd.add_f32s(*sum, share);
        },
    );
}

/// `inner = outer W^T`
#[inline(always)]
fn inner_grad<S: Simd>(simd: S, sizes: Sizes, tokens: usize, transposed: &[f32], scratch: &mut Scratch) {
    let Scratch { outer, inner, .. } = scratch;
    let to = stride(sizes.channels);
    product_of_rows(
        simd,
        Scalars::rows(outer, stride(sizes.packed())),
        (transposed, to),
        [tokens, sizes.channels.div_ceil(S::F32_LANES), sizes.packed()],
        #[inline(always)]
        |i, j, sum| *vector::<S>(inner, i * to + j * S::F32_LANES) = sum,
    );
}

/// The vector that starts at a number.
#[inline(always)]
fn vector<S: Simd>(numbers: &mut [f32], at: usize) -> &mut S::f32s {
    &mut S::as_mut_simd_f32s(&mut numbers[at..]).0[0]
}

impl Scratch {
    /// The gradient of `y`: that of the hidden numbers by channels, times the slopes.
    #[inline(always)]
    fn times_slopes(&mut self, sizes: Sizes, tile: Range<usize>, dy: &mut [&mut [f32]]) {
        let Self { hidden: grads, slopes, inner, .. } = self;
        transpose(inner, stride(sizes.channels), [tile.len(), sizes.channels], grads, stride(TOKENS));
        let mut pieces = dy.iter_mut();
        for segment in sizes.segments(tile) {
            let rows = grads.chunks_exact(stride(TOKENS)).lockstep(slopes.chunks_exact(stride(TOKENS)));
            let tokens = segment.to..segment.to + segment.len;
            for ((grads, slopes), dy) in rows.lockstep(&mut pieces) {
                let numbers = grads[tokens.clone()].iter().lockstep(&slopes[tokens.clone()]);
                for (dy, (grad, slope)) in dy.iter_mut().lockstep(numbers) {
                    *dy = grad * slope;
                }
            }
        }
    }
}

impl Backward<'_> {
    /// The gradient of the linear layer's outputs.
    #[inline(always)]
    fn outer_grad<S: Simd>(&self, simd: S, tile: Range<usize>, outer: &mut [f32]) {
        let Self { sizes, grad, gated, .. } = *self;
        for (token, outer) in tile.lockstep(outer.chunks_exact_mut(stride(sizes.packed()))) {
            let row = token * sizes.d_out..(token + 1) * sizes.d_out;
            let (outer, grad) = (S::as_mut_simd_f32s(outer).0, &grad[row.clone()]);
            match gated {
                None => ungated(simd, grad, outer),
                Some([out, gate]) => ungate(simd, [grad, &out[row.clone()], &gate[row]], outer),
            }
        }
    }
}

/// A token's gradient in vectors.
#[inline(always)]
fn ungated<S: Simd>(simd: S, grad: &[f32], outer: &mut [S::f32s]) {
    for (outer, grad) in outer.iter_mut().lockstep(grad.chunks(S::F32_LANES)) {
        *outer = load(simd, grad);
    }
}

/// `da = dout s` and `db = dout out (1 - s)` in vectors that alternate.
#[inline(always)]
fn ungate<S: Simd>(simd: S, [grad, out, gate]: [&[f32]; 3], outer: &mut [S::f32s]) {
    let one = simd.splat_f32s(1.0);
    let numbers =
        grad.chunks(S::F32_LANES).lockstep(out.chunks(S::F32_LANES)).lockstep(gate.chunks(S::F32_LANES));
    for (outer, ((grad, out), gate)) in outer.chunks_exact_mut(2).lockstep(numbers) {
        let (grad, out, gate) = (load(simd, grad), load(simd, out), load(simd, gate));
        outer[0] = simd.mul_f32s(grad, gate);
        outer[1] = simd.mul_f32s(simd.mul_f32s(grad, out), simd.sub_f32s(one, gate));
    }
}

impl Sizes {
    /// `[inputs, outputs]`
    fn unpacked(&self, packed: &[f32]) -> Vec<f32> {
        let mut rows = vec![0.0; self.inputs() * self.outputs()];
        let pairs = rows.par_chunks_mut(self.outputs()).zip(packed.par_chunks(self.packed()));
        pairs.for_each(|(to, from)| self.unpack(from, to));
        rows
    }
}
