//! The work on one tile of rows, and the factors packed for it.

use subquad_backend::micro::{Scalars, product_of_rows};
use subquad_backend::simd::{self, Simd, WithSimd, dispatch, load, mul_add, save};

use super::fused::Sizes;

/// Packed rows are filled up to vectors of this many numbers, the widest there are.
const LANES: usize = 16;

fn whole(width: usize) -> usize {
    width.next_multiple_of(LANES)
}

/// Both factors, packed.
pub(super) struct Factors {
    sizes: Sizes,
    /// Each block turned: `[k, p, middle]`, rows filled up.
    first: Vec<f32>,
    /// Blocks fastest: `[s, u, c]`, rows filled up.
    second: Vec<f32>,
    /// What the backward pass needs beside them.
    turned: Option<Turned>,
}

/// The factors the other way round.
struct Turned {
    /// As it is, `[k, middle, p]`, rows filled up.
    first: Vec<f32>,
    /// Blocks fastest: `[u, s, c]`, rows filled up.
    second: Vec<f32>,
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
        let turned = Turned {
            first: packed([k, middle, p], |i, m, q| w1[(i * middle + m) * p + q]),
            second: packed([u, s, c], |r, t, l| w2[(l * s + t) * u + r]),
        };
        Self { turned: Some(turned), ..Self::forward(w1, w2, sizes) }
    }

    pub(super) fn tile(&self, rows: usize) -> Tile {
        let ([x, z, y], [_, _, p]) = (self.sizes.strides(), self.sizes.first);
        // A product may read whole vectors beyond the last block.
        let beyond = whole(p);
        Tile { x: vec![0.0; rows * x + beyond], z: vec![0.0; rows * z], y: vec![0.0; rows * y] }
    }

    pub(super) fn no_sums(&self) -> Sums {
        let ([k, middle, p], [c, s, u]) = (self.sizes.first, self.sizes.second);
        Sums {
            first: vec![0.0; k * middle * whole(p)],
            second: vec![0.0; s * u * whole(c)],
            bias: vec![0.0; self.sizes.n_output()],
        }
    }
}

/// `f` of every place of `[a, b, c]`, with rows of whole vectors.
fn packed([a, b, c]: [usize; 3], f: impl Fn(usize, usize, usize) -> f32) -> Vec<f32> {
    let mut out = vec![0.0; a * b * whole(c)];
    for (at, row) in out.chunks_mut(whole(c).max(1)).enumerate() {
        for (l, value) in row.iter_mut().take(c).enumerate() {
            *value = f(at / b, at % b, l);
        }
    }
    out
}

/// One thread's rows on their way: as the first factor reads them, between the factors, and as the second one writes them.
pub(super) struct Tile {
    x: Vec<f32>,
    z: Vec<f32>,
    y: Vec<f32>,
}

impl Tile {
    pub(super) fn forward(&mut self, factors: &Factors, x: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
        let sizes = factors.sizes;
        take(&mut self.x, x, sizes);
        dispatch(Forward { factors, tile: self, rows: x.len() / sizes.d_input });
        let [_, _, stride] = sizes.strides();
        for (y, padded) in y.chunks_mut(sizes.d_output).zip(self.y.chunks(stride)) {
            y.copy_from_slice(&padded[..sizes.d_output]);
            if let Some(bias) = bias {
                simd::add(y, bias);
            }
        }
    }
}

/// Rows as the first factor reads them, zeros where it reads more than there is.
fn take(tile: &mut [f32], x: &[f32], sizes: Sizes) {
    let Sizes { d_input, first: [k, _, p], .. } = sizes;
    let (n_input, [stride, _, _]) = (k * p, sizes.strides());
    for (tile, x) in tile.chunks_mut(stride).zip(x.chunks(d_input)) {
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

/// The other way: gradients of what was read.
fn put_back(dx: &mut [f32], tile: &[f32], sizes: Sizes) {
    let Sizes { d_input, first: [k, _, p], .. } = sizes;
    let [stride, _, _] = sizes.strides();
    for (dx, tile) in dx.chunks_mut(d_input).zip(tile.chunks(stride)) {
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

/// `z[i] = W1[i] x[i]` of every row and block.
#[inline(always)]
fn first_factor<S: Simd>(simd: S, factors: &Factors, x: &[f32], z: &mut [f32], rows: usize) {
    let ([x_stride, z_stride, _], [k, middle, p]) = (factors.sizes.strides(), factors.sizes.first);
    block_products(simd, (x, x_stride), &factors.first, (z, z_stride), [rows, k, p, middle]);
}

/// `out[i] = x[i] w[i]` for every row and block `i`, `w [k, terms, cols]` with rows filled up.
#[inline(always)]
fn block_products<S: Simd>(
    simd: S,
    (x, x_stride): (&[f32], usize),
    w: &[f32],
    (out, out_stride): (&mut [f32], usize),
    [rows, k, terms, cols]: [usize; 4],
) {
    let width = whole(cols);
    for i in 0..k {
        product_of_rows(
            simd,
            Scalars::rows(&x[i * terms..], x_stride),
            (&w[i * terms * width..], width),
            [rows, cols.div_ceil(S::F32_LANES), terms],
            #[inline(always)]
            |row, j, sum| {
                let from = j * S::F32_LANES;
                let to = cols.min(from + S::F32_LANES);
                let at = row * out_stride + i * cols;
                save(simd, &mut out[at + from..at + to], sum);
            },
        );
    }
}

/// `out[row, t, l] = sum over u of w[t, u, l] z[row, u, l]`, for `w [s, n_u, c]` with rows filled up.
#[inline(always)]
fn across_blocks<S: Simd>(
    simd: S,
    (z, z_stride): (&[f32], usize),
    w: &[f32],
    (out, y_stride): (&mut [f32], usize),
    [rows, n_u, s, c]: [usize; 4],
) {
    for lane in (0..c).step_by(S::F32_LANES) {
        let width = S::F32_LANES.min(c - lane);
        let strip = Strip { n_u, c, z_stride, y_stride, lane, width };
        let mut t = 0;
        while t < s {
            t += match s - t {
                4.. => strip.rows::<S, 4>(simd, z, w, out, rows, t),
                _ => strip.rows::<S, 1>(simd, z, w, out, rows, t),
            };
        }
    }
}

/// Some blocks of the second factor: as many as a vector has lanes, or what is left of them.
#[derive(Clone, Copy)]
struct Strip {
    n_u: usize,
    c: usize,
    z_stride: usize,
    y_stride: usize,
    lane: usize,
    width: usize,
}

impl Strip {
    #[inline(always)]
    fn rows<S: Simd, const T: usize>(
        self,
        simd: S,
        z: &[f32],
        w: &[f32],
        out: &mut [f32],
        rows: usize,
        t: usize,
    ) -> usize {
        let mut row = 0;
        while row < rows {
            row += match rows - row {
                4.. => self.sums::<S, T, 4>(simd, z, w, out, row, t),
                _ => self.sums::<S, T, 1>(simd, z, w, out, row, t),
            };
        }
        T
    }

    /// `T` outputs of `R` rows.
    #[inline(always)]
    fn sums<S: Simd, const T: usize, const R: usize>(
        self,
        simd: S,
        z: &[f32],
        w: &[f32],
        out: &mut [f32],
        row: usize,
        t: usize,
    ) -> usize {
        let Self { n_u, c, z_stride, y_stride, lane, width } = self;
        let mut sums = [[simd.splat_f32s(0.0); T]; R];
        for u in 0..n_u {
            let mut weights = [simd.splat_f32s(0.0); T];
            for i in 0..T {
                weights[i] = load(simd, &w[((t + i) * n_u + u) * whole(c) + lane..][..S::F32_LANES]);
            }
            for (i, sums) in sums.iter_mut().enumerate() {
                let read = load(simd, &z[(row + i) * z_stride + u * c + lane..][..width]);
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum = mul_add(simd, read, weight, *sum);
                }
            }
        }
        for (i, sums) in sums.into_iter().enumerate() {
            for (j, sum) in sums.into_iter().enumerate() {
                save(simd, &mut out[(row + i) * y_stride + (t + j) * c + lane..][..width], sum);
            }
        }
        R
    }
}

/// Gradients of the factors and the bias, summed over some rows.
pub(super) struct Sums {
    /// `[k, middle, p]`, rows filled up.
    first: Vec<f32>,
    /// `[s, u, c]`, rows filled up.
    second: Vec<f32>,
    /// Of the padded output.
    bias: Vec<f32>,
}

impl Sums {
    /// Adds those of the rows `x` with the output's gradients `dy`, and fills their `dx`.
    pub(super) fn add(&mut self, factors: &Factors, tile_rows: usize, [x, dy]: [&[f32]; 2], dx: &mut [f32]) {
        let Sizes { d_input, d_output, .. } = factors.sizes;
        let (mut tile, mut back) = (factors.tile(tile_rows), factors.tile(tile_rows));
        let tiles = x.chunks(tile_rows * d_input).zip(dy.chunks(tile_rows * d_output));
        for (dx, (x, dy)) in dx.chunks_mut(tile_rows * d_input).zip(tiles) {
            take(&mut tile.x, x, factors.sizes);
            let [_, _, stride] = factors.sizes.strides();
            for (padded, dy) in back.y.chunks_mut(stride).zip(dy.chunks(d_output)) {
                padded[..d_output].copy_from_slice(dy);
            }
            let rows = x.len() / d_input;
            dispatch(Backward { factors, tile: &mut tile, back: &mut back, sums: self, rows });
            put_back(dx, &back.x, factors.sizes);
        }
    }

    pub(super) fn plus(mut self, other: Self) -> Self {
        simd::add(&mut self.first, &other.first);
        simd::add(&mut self.second, &other.second);
        simd::add(&mut self.bias, &other.bias);
        self
    }

    /// Laid out as the factors and the bias are.
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
    /// The rows again.
    tile: &'a mut Tile,
    /// Their gradients.
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
        let turned = factors.turned.as_ref().expect("packed both ways");
        first_factor(simd, factors, &tile.x, &mut tile.z, rows);
        for dy in back.y.chunks(y_stride).take(rows) {
            simd::add(&mut sums.bias, dy);
        }
        let dy = (&back.y[..], y_stride);
        across_blocks(simd, dy, &turned.second, (&mut back.z, z_stride), [rows, s, u, c]);
        outer_across_blocks(simd, dy, (&tile.z, z_stride), &mut sums.second, [rows, s, u, c]);
        let dz = (&back.z[..], z_stride);
        block_products(simd, dz, &turned.first, (&mut back.x, x_stride), [rows, k, middle, p]);
        outer_of_blocks(simd, dz, (&tile.x, x_stride), &mut sums.first, [rows, k, middle, p]);
    }
}

/// `sum[i, m, q] += sum over rows of dz[row, i, m] x[row, i, q]`, rows of `sum` filled up. What a filled up row gets beyond its
/// numbers is of the next block, and nobody reads it.
#[inline(always)]
fn outer_of_blocks<S: Simd>(
    simd: S,
    (dz, dz_stride): (&[f32], usize),
    (x, x_stride): (&[f32], usize),
    sum: &mut [f32],
    [rows, k, middle, p]: [usize; 4],
) {
    let width = whole(p);
    for i in 0..k {
        product_of_rows(
            simd,
            Scalars::columns(&dz[i * middle..], dz_stride),
            (&x[i * p..], x_stride),
            [middle, p.div_ceil(S::F32_LANES), rows],
            #[inline(always)]
            |m, j, product| {
                let sum = &mut sum[(i * middle + m) * width + j * S::F32_LANES..][..S::F32_LANES];
                let total = simd.add_f32s(load(simd, sum), product);
                save(simd, sum, total);
            },
        );
    }
}

/// `sum[t, u, l] += sum over rows of dy[row, t, l] z[row, u, l]`, rows of `sum` filled up.
#[inline(always)]
fn outer_across_blocks<S: Simd>(
    simd: S,
    (dy, y_stride): (&[f32], usize),
    (z, z_stride): (&[f32], usize),
    sum: &mut [f32],
    [rows, s, n_u, c]: [usize; 4],
) {
    for lane in (0..c).step_by(S::F32_LANES) {
        let width = S::F32_LANES.min(c - lane);
        let strip = Strip { n_u, c, z_stride, y_stride, lane, width };
        let mut t = 0;
        while t < s {
            t += match s - t {
                4.. => strip.outer_rows::<S, 4>(simd, dy, z, sum, rows, t),
                _ => strip.outer_rows::<S, 1>(simd, dy, z, sum, rows, t),
            };
        }
    }
}

impl Strip {
    #[inline(always)]
    fn outer_rows<S: Simd, const T: usize>(
        self,
        simd: S,
        dy: &[f32],
        z: &[f32],
        sum: &mut [f32],
        rows: usize,
        t: usize,
    ) -> usize {
        let mut u = 0;
        while u < self.n_u {
            u += match self.n_u - u {
                4.. => self.outer::<S, T, 4>(simd, dy, z, sum, rows, [t, u]),
                _ => self.outer::<S, T, 1>(simd, dy, z, sum, rows, [t, u]),
            };
        }
        T
    }

    /// `T` by `U` sums over the rows.
    #[inline(always)]
    fn outer<S: Simd, const T: usize, const U: usize>(
        self,
        simd: S,
        dy: &[f32],
        z: &[f32],
        sum: &mut [f32],
        rows: usize,
        [t, u]: [usize; 2],
    ) -> usize {
        let Self { n_u, c, z_stride, y_stride, lane, width } = self;
        let mut sums = [[simd.splat_f32s(0.0); U]; T];
        for row in 0..rows {
            let mut read = [simd.splat_f32s(0.0); U];
            for (j, read) in read.iter_mut().enumerate() {
                *read = load(simd, &z[row * z_stride + (u + j) * c + lane..][..width]);
            }
            for (i, sums) in sums.iter_mut().enumerate() {
                let dy = load(simd, &dy[row * y_stride + (t + i) * c + lane..][..width]);
                for (sum, read) in sums.iter_mut().zip(read) {
                    *sum = mul_add(simd, dy, read, *sum);
                }
            }
        }
        for (i, sums) in sums.into_iter().enumerate() {
            for (j, more) in sums.into_iter().enumerate() {
                let at = ((t + i) * n_u + u + j) * whole(c) + lane;
                let sum = &mut sum[at..][..S::F32_LANES];
                let total = simd.add_f32s(load(simd, sum), more);
                save(simd, sum, total);
            }
        }
        U
    }
}
