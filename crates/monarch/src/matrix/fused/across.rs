//! Products with the second factor, whose vectors run over its blocks.

use subquad_backend::simd::{Lockstep, Simd, load, mul_add, save};

use super::packed::whole;

/// `out[row, t, l] = sum over u of w[t, u, l] z[row, u, l]`, for `w [s, n_u, c]` with padded rows.
#[inline(always)]
pub(super) fn across_blocks<S: Simd>(
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

/// Some blocks of the second factor: as many as a vector has lanes, or the last few.
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

    /// Computes `T` outputs of `R` rows.
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
                for (sum, weight) in sums.iter_mut().lockstep(&weights) {
                    *sum = mul_add(simd, read, *weight, *sum);
                }
            }
        }
        for (i, sums) in sums.iter().enumerate() {
            for (j, sum) in sums.iter().enumerate() {
                save(simd, &mut out[(row + i) * y_stride + (t + j) * c + lane..][..width], *sum);
            }
        }
        R
    }
}

/// `sum[t, u, l] += sum over rows of dy[row, t, l] z[row, u, l]`, with padded rows of `sum`.
#[inline(always)]
pub(super) fn outer_across_blocks<S: Simd>(
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

    /// Computes `T` by `U` sums over the rows.
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
                for (sum, read) in sums.iter_mut().lockstep(&read) {
                    *sum = mul_add(simd, dy, *read, *sum);
                }
            }
        }
        for (i, sums) in sums.iter().enumerate() {
            for (j, more) in sums.iter().enumerate() {
                let at = ((t + i) * n_u + u + j) * whole(c) + lane;
                let sum = &mut sum[at..][..S::F32_LANES];
                let total = simd.add_f32s(load(simd, sum), *more);
                save(simd, sum, total);
            }
        }
        U
    }
}
