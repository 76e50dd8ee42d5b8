//! One channel of the fused kernel: plain loops over slices, no tensors.
//!
//! With `g = 1 / den` of every pair and frequency, every `h` is a sum over the pairs of `g` times one of two real numbers,
//! `alpha = Re(v)` and `beta = Re(v conj a)`: one product of small matrices gives them all.

use rustfft::num_complex::Complex32;
use subquad_backend::fft::Plan;
use subquad_backend::micro::{Scalars, product_of_rows};
use subquad_backend::simd::{Lockstep, Simd, WithSimd, dispatch};

use super::block::{Complex, Lanes, WIDTH, invert};
use super::roots::Roots;

/// What all channels share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) pairs: usize,
    pub(super) kernels: usize,
    /// Kernels and rank.
    pub(super) lefts: usize,
    /// One and rank.
    pub(super) rights: usize,
    pub(super) l_max: usize,
}

impl Sizes {
    pub(super) fn rank(&self) -> usize {
        self.rights - 1
    }

    /// Products `v`.
    pub(super) fn products(&self) -> usize {
        self.lefts * self.rights
    }
}

/// One thread's buffers.
pub(super) struct Row<'a> {
    pub(super) sizes: Sizes,
    roots: &'a Roots,
    plan: &'a Plan,
    /// `Re a`, `Im a`, then the real and the imaginary parts of the left factors, then of the right: `[parts, pairs]`.
    pub(super) factors: Vec<f32>,
    /// `alpha` of every product, then `beta`: `[2 products, pairs]`.
    pub(super) numbers: Vec<f32>,
    pub(super) block: Block,
    points: Vec<Complex32>,
    scratch: Vec<Complex32>,
    /// `[kernels, frequencies]`: the spectra, or their gradients.
    pub(super) spectra: Vec<Vec<Complex32>>,
}

/// What is computed for one block of frequencies.
pub(super) struct Block {
    pub(super) sin: Lanes,
    pub(super) cos: Lanes,
    /// `1 / den`, real parts then imaginary parts: `[pairs, 2 WIDTH]`.
    pub(super) g: Vec<f32>,
    /// Sums over the pairs of `alpha g` and of `beta g`: `[2 products, 2 WIDTH]`.
    pub(super) sums: Vec<f32>,
    /// `h(l, r)`: `[lefts, rights]`.
    pub(super) h: Vec<Complex>,
    /// `(1 + c h(q, p))^-1`: `[rank, rank]`.
    pub(super) inverse: Vec<Complex>,
    /// `inverse h(q, b)`: `[rank]`.
    pub(super) inward: Vec<Complex>,
}

impl<'a> Row<'a> {
    pub(super) fn new(sizes: Sizes, roots: &'a Roots, plan: &'a Plan) -> Self {
        let Sizes { pairs, lefts, rights, l_max, kernels } = sizes;
        let (products, rank) = (sizes.products(), sizes.rank());
        let point = Complex32::default();
        Self {
            sizes,
            roots,
            plan,
            factors: vec![0.0; (2 + 2 * lefts + 2 * rights) * pairs],
            numbers: vec![0.0; 2 * products * pairs],
            block: Block {
                sin: [0.0; WIDTH],
                cos: [0.0; WIDTH],
                g: vec![0.0; pairs * 2 * WIDTH],
                sums: vec![0.0; 2 * products * 2 * WIDTH],
                h: vec![Complex::ZERO; products],
                inverse: vec![Complex::ZERO; rank * rank],
                inward: vec![Complex::ZERO; rank],
            },
            points: vec![point; l_max],
            scratch: vec![point; plan.scratch_len()],
            spectra: vec![vec![point; roots.len()]; kernels],
        }
    }

    /// Takes the factors of a channel.
    pub(super) fn load(&mut self, parts: &[&[f32]]) {
        let Sizes { pairs, lefts, rights, .. } = self.sizes;
        for (to, part) in self.factors.chunks_exact_mut(pairs).lockstep(parts) {
            to.copy_from_slice(part);
        }
        let part = |i: usize| &self.factors[i * pairs..][..pairs];
        let (alphas, betas) = self.numbers.split_at_mut(lefts * rights * pairs);
        let rows = alphas.chunks_exact_mut(pairs).lockstep(betas.chunks_exact_mut(pairs));
        for (i, (alpha, beta)) in rows.enumerate() {
            let (l, r) = (2 + i / rights, 2 + 2 * lefts + i % rights);
            let (left, right) = ([part(l), part(l + lefts)], [part(r), part(r + rights)]);
            for n in 0..pairs {
                alpha[n] = left[0][n] * right[0][n] - left[1][n] * right[1][n];
                let im = left[0][n] * right[1][n] + left[1][n] * right[0][n];
                beta[n] = alpha[n] * part(0)[n] + im * part(1)[n];
            }
        }
    }

    /// The taps of every kernel of the channel. At the frequencies `at` its spectrum is `exact`, real parts then imaginary parts.
    pub(super) fn taps(&mut self, at: &[usize], exact: &[&[f32]], taps: Vec<&mut [f32]>) {
        for first in self.blocks(at) {
            self.start_block(first);
            dispatch(Forward(self));
            self.finish_block(first);
        }
        for (spectrum, exact) in self.spectra.iter_mut().lockstep(exact) {
            let (re, im) = exact.split_at(exact.len() / 2);
            at.iter()
                .lockstep(re.iter().lockstep(im))
                .for_each(|(j, (re, im))| spectrum[*j] = Complex32::new(*re, *im));
        }
        for (kernel, taps) in taps.into_iter().enumerate() {
            self.invert(kernel, taps);
        }
    }

    /// Where blocks begin, without those in which every frequency is among `at`.
    pub(super) fn blocks(&self, at: &[usize]) -> impl Iterator<Item = usize> + use<> {
        let count = self.roots.len();
        let before = |j: usize| at.partition_point(|at| *at < j);
        let taken = |first: usize| before(first + WIDTH) - before(first) == WIDTH.min(count - first);
        (0..count).step_by(WIDTH).filter(|first| !taken(*first)).collect::<Vec<_>>().into_iter()
    }

    /// Sines and cosines of the block's frequencies; those beyond the last have a harmless denominator.
    pub(super) fn start_block(&mut self, first: usize) {
        let count = WIDTH.min(self.roots.len() - first);
        (self.block.sin, self.block.cos) = ([1.0; WIDTH], [0.0; WIDTH]);
        self.block.sin[..count].copy_from_slice(&self.roots.sin[first..][..count]);
        self.block.cos[..count].copy_from_slice(&self.roots.cos[first..][..count]);
    }

    /// `K^ = e^(i theta) (h(C, b) - c h(C, p) inward)` of every kernel.
    fn finish_block(&mut self, first: usize) {
        let Sizes { rights, .. } = self.sizes;
        let Block { sin, cos, h, inward, .. } = &self.block;
        for (kernel, spectrum) in self.spectra.iter_mut().enumerate() {
            let row = &h[kernel * rights..][..rights];
            let mut low_rank = Complex::ZERO;
            row[1..].iter().lockstep(inward).for_each(|(h, inward)| low_rank.add_product(h, inward, -1.0));
            for (i, point) in spectrum[first..].iter_mut().take(WIDTH).enumerate() {
                let re = row[0].re[i] + cos[i] * low_rank.re[i];
                let im = row[0].im[i] + cos[i] * low_rank.im[i];
                *point = Complex32::new(re * cos[i] - im * sin[i], re * sin[i] + im * cos[i]);
            }
        }
    }

    /// The taps of a kernel from its spectrum, which is that of real numbers.
    fn invert(&mut self, kernel: usize, taps: &mut [f32]) {
        let (spectrum, l_max) = (&self.spectra[kernel], self.sizes.l_max);
        self.points[..spectrum.len()].copy_from_slice(spectrum);
        for j in spectrum.len()..l_max {
            self.points[j] = spectrum[l_max - j].conj();
        }
        self.plan.inverse.process_with_scratch(&mut self.points, &mut self.scratch);
        let scale = 1.0 / l_max as f32;
        taps.iter_mut().lockstep(&self.points).for_each(|(tap, point)| *tap = scale * point.re);
    }

    /// Replaces the spectrum by its gradient, `d/d re - i d/d im`, from that of the kernel's taps.
    pub(super) fn transform_grad(&mut self, kernel: usize, grad: &[f32]) {
        let points = self.points.iter_mut().lockstep(grad);
        points.for_each(|(point, grad)| *point = Complex32::new(*grad, 0.0));
        self.plan.inverse.process_with_scratch(&mut self.points, &mut self.scratch);
        let scale = 1.0 / self.sizes.l_max as f32;
        let points = self.points.iter().lockstep(&self.roots.count);
        let spectrum = self.spectra[kernel].iter_mut().lockstep(points);
        spectrum.for_each(|(to, (point, count))| *to = point * (scale * count));
    }

    /// All `h`, and the terms of the low-rank part.
    #[inline(always)]
    fn resolve<S: Simd>(&mut self, simd: S) {
        let Sizes { pairs, kernels, rights, .. } = self.sizes;
        let (products, rank, block) = (self.sizes.products(), self.sizes.rank(), &mut self.block);
        block.fill_g(&self.factors[..pairs], &self.factors[pairs..][..pairs]);
        let (a, sums) = (Scalars::rows(&self.numbers, pairs), &mut block.sums);
        product_of_rows(
            simd,
            a,
            (&block.g, 2 * WIDTH),
            [2 * products, 2 * WIDTH / S::F32_LANES, pairs],
            #[inline(always)]
            |i, j, sum| {
                let at = i * 2 * WIDTH + j * S::F32_LANES;
                S::as_mut_simd_f32s(&mut sums[at..at + S::F32_LANES]).0[0] = sum;
            },
        );
        for i in 0..products {
            block.combine(i, products);
        }
        block.low_rank(kernels, rights, rank);
    }
}

impl Block {
    /// `1 / den` of every pair.
    #[inline(always)]
    fn fill_g(&mut self, x: &[f32], y: &[f32]) {
        for ((g, x), y) in self.g.chunks_exact_mut(2 * WIDTH).lockstep(x).lockstep(y) {
            let (g_re, g_im) = g.split_at_mut(WIDTH);
            let size = x * x + y * y;
            for i in 0..WIDTH {
                let (s, c) = (self.sin[i], self.cos[i]);
                let (re, im) = (c * c * size - 4.0 * s * s, -4.0 * s * c * x);
                // Divided by its size first, because a denominator may be so small that its square underflows in f32.
                let scale = 1.0 / re.abs().max(im.abs());
                let (re, im) = (re * scale, im * scale);
                let inverse = scale / (re * re + im * im);
                (g_re[i], g_im[i]) = (re * inverse, -im * inverse);
            }
        }
    }

    /// `h` of product `i`: `4 i s` times the sum with `alpha`, less `2 c` times that with `beta`.
    #[inline(always)]
    fn combine(&mut self, i: usize, products: usize) {
        let alpha = &self.sums[i * 2 * WIDTH..][..2 * WIDTH];
        let beta = &self.sums[(products + i) * 2 * WIDTH..][..2 * WIDTH];
        let h = &mut self.h[i];
        for j in 0..WIDTH {
            let (s, c) = (4.0 * self.sin[j], 2.0 * self.cos[j]);
            h.re[j] = -s * alpha[WIDTH + j] - c * beta[j];
            h.im[j] = s * alpha[j] - c * beta[WIDTH + j];
        }
    }

    #[inline(always)]
    fn low_rank(&mut self, kernels: usize, rights: usize, rank: usize) {
        for r in 0..rank {
            for s in 0..rank {
                let mut entry = self.h[(kernels + r) * rights + 1 + s].scaled(&self.cos);
                if r == s {
                    entry.re.iter_mut().for_each(|re| *re += 1.0);
                }
                self.inverse[r * rank + s] = entry;
            }
        }
        invert(&mut self.inverse, rank);
        for r in 0..rank {
            self.inward[r] = Complex::ZERO;
            for s in 0..rank {
                self.inward[r].add_product(&self.inverse[r * rank + s], &self.h[(kernels + s) * rights], 1.0);
            }
        }
    }
}

/// What a block of frequencies needs from the factors.
pub(super) struct Forward<'a, 'b>(pub(super) &'a mut Row<'b>);

impl WithSimd for Forward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.0.resolve(simd);
    }
}
