//! The resolvent of a channel at a few frequencies at a time.

use subquad_backend::simd::{self, Lockstep};

use super::super::block;
use super::super::roots::root;
use super::channel::{Channel, Sizes};
use crate::number::Complex;

/// Frequencies in a block: a vector of the widest instruction set.
pub(super) const WIDTH: usize = 8;
pub(super) type Lanes = block::Complex<f64, WIDTH>;

impl Channel {
    /// Of every kernel, at these frequencies.
    pub(super) fn spectra(&self, frequencies: &[usize]) -> Vec<Vec<Complex>> {
        let mut block = Block::new(self);
        let mut spectra = vec![Vec::with_capacity(frequencies.len()); self.sizes.kernels];
        for chunk in frequencies.chunks(WIDTH) {
            block.start(chunk, self.sizes.l_max);
            simd::run(
                #[inline(always)]
                || block.solve(self),
            );
            for (spectrum, values) in spectra.iter_mut().lockstep(&block.spectra) {
                spectrum.extend((0..chunk.len()).map(|i| Complex { re: values.re[i], im: values.im[i] }));
            }
        }
        spectra
    }
}

/// What is computed for one block of frequencies.
pub(super) struct Block {
    pub(super) sin: [f64; WIDTH],
    pub(super) cos: [f64; WIDTH],
    /// `1 / d` of every member.
    pub(super) g: Vec<Lanes>,
    /// `x` of every member.
    pub(super) x: Vec<Lanes>,
    /// `[rank]`
    pub(super) z: Vec<Lanes>,
    /// `[kernels][rank]`
    pub(super) w: Vec<Vec<Lanes>>,
    /// `[kernels]`
    pub(super) spectra: Vec<Lanes>,
    /// `1 + c sum of q p^T / d`, its transpose, and room to solve in: `[rank, rank]` each.
    matrices: [Vec<Lanes>; 3],
}

impl Block {
    pub(super) fn new(channel: &Channel) -> Self {
        let (Sizes { kernels, rank, .. }, members) = (channel.sizes, channel.a.len());
        let square = || vec![Lanes::ZERO; rank * rank];
        Self {
            sin: [1.0; WIDTH],
            cos: [0.0; WIDTH],
            g: vec![Lanes::ZERO; members],
            x: vec![Lanes::ZERO; members],
            z: vec![Lanes::ZERO; rank],
            w: vec![vec![Lanes::ZERO; rank]; kernels],
            spectra: vec![Lanes::ZERO; kernels],
            matrices: [square(), square(), square()],
        }
    }

    /// Those beyond the last frequency have a harmless denominator.
    pub(super) fn start(&mut self, frequencies: &[usize], l_max: usize) {
        (self.sin, self.cos) = ([1.0; WIDTH], [0.0; WIDTH]);
        for (i, j) in frequencies.iter().enumerate() {
            (self.sin[i], self.cos[i]) = root(*j, l_max);
        }
    }

    #[inline(always)]
    pub(super) fn solve(&mut self, channel: &Channel) {
        self.sum(channel);
        self.through_low_rank(channel.sizes);
        self.spectra.fill(Lanes::ZERO);
        for m in 0..channel.a.len() {
            let mut x = constant(channel.b[m]);
            for (p, z) in channel.p.iter().lockstep(&self.z) {
                x.add_constant(&z.scaled(&self.cos), -p[m]);
            }
            self.x[m] = x.times(&self.g[m]);
            for (spectrum, c) in self.spectra.iter_mut().lockstep(&channel.c) {
                spectrum.add_constant(&self.x[m], c[m]);
            }
        }
        let turn = Lanes { re: self.cos, im: self.sin };
        for spectrum in &mut self.spectra {
            *spectrum = spectrum.times(&turn);
        }
    }

    /// All `1 / d`, and the sums over the members.
    #[inline(always)]
    fn sum(&mut self, channel: &Channel) {
        let rank = channel.sizes.rank;
        let [matrix, _, _] = &mut self.matrices;
        matrix.fill(Lanes::ZERO);
        self.z.fill(Lanes::ZERO);
        self.w.iter_mut().for_each(|w| w.fill(Lanes::ZERO));
        for m in 0..channel.a.len() {
            let mut d = Lanes::ZERO;
            for i in 0..WIDTH {
                d.re[i] = -self.cos[i] * channel.a[m].re;
                d.im[i] = 2.0 * self.sin[i] - self.cos[i] * channel.a[m].im;
            }
            let g = d.inverse();
            self.g[m] = g;
            for r in 0..rank {
                let (p, q) = (channel.p[r][m], channel.q[r][m]);
                self.z[r].add_constant(&g, q * channel.b[m]);
                for s in 0..rank {
                    matrix[r * rank + s].add_constant(&g, q * channel.p[s][m]);
                }
                for (w, c) in self.w.iter_mut().lockstep(&channel.c) {
                    w[r].add_constant(&g, p * c[m]);
                }
            }
        }
    }

    /// `z` and `w`, in place, from their sums.
    #[inline(always)]
    fn through_low_rank(&mut self, Sizes { rank, .. }: Sizes) {
        let [matrix, transpose, room] = &mut self.matrices;
        for r in 0..rank {
            for s in 0..rank {
                let mut entry = matrix[r * rank + s].scaled(&self.cos);
                if r == s {
                    entry.re.iter_mut().for_each(|re| *re += 1.0);
                }
                matrix[r * rank + s] = entry;
                transpose[s * rank + r] = entry;
            }
        }
        room.copy_from_slice(matrix);
        solve(room, &mut self.z);
        for w in &mut self.w {
            room.copy_from_slice(transpose);
            solve(room, w);
        }
    }
}

/// Replaces the right side by the solution, by Gaussian elimination. It needs no pivots, because the Hermitian part
/// of the matrix is at least that of the identity. An inverse would lose the digits that elimination keeps.
#[inline(always)]
fn solve(matrix: &mut [Lanes], right: &mut [Lanes]) {
    let size = right.len();
    for k in 0..size {
        let pivot = matrix[k * size + k].inverse();
        for i in k + 1..size {
            let factor = matrix[i * size + k].times(&pivot);
            for j in k + 1..size {
                let above = matrix[k * size + j];
                matrix[i * size + j].add_product(&factor, &above, -1.0);
            }
            let above = right[k];
            right[i].add_product(&factor, &above, -1.0);
        }
    }
    for k in (0..size).rev() {
        for j in k + 1..size {
            let (factor, known) = (matrix[k * size + j], right[j]);
            right[k].add_product(&factor, &known, -1.0);
        }
        right[k] = right[k].times(&matrix[k * size + k].inverse());
    }
}

#[inline(always)]
pub(super) fn constant(z: Complex) -> Lanes {
    Lanes { re: [z.re; WIDTH], im: [z.im; WIDTH] }
}

impl Lanes {
    /// `self + factor z`
    #[inline(always)]
    pub(super) fn add_constant(&mut self, factor: &Self, z: Complex) {
        for i in 0..WIDTH {
            self.re[i] += factor.re[i] * z.re - factor.im[i] * z.im;
            self.im[i] += factor.re[i] * z.im + factor.im[i] * z.re;
        }
    }
}
