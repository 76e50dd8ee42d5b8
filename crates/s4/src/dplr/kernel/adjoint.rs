//! The backward pass of the fused kernel.
//!
//! For each complex number `z` it carries `E_z = d/d re - i d/d im` of the loss, so that the chain rule of analytic
//! functions holds as it stands. With `E = e^(i theta) E_K^` of a kernel's spectrum, `w` the `inward` and
//! `u = h(C~, p) inverse`:
//!
//! ```text
//! h(C~, b): E      h(C~, p_r): -c E w_r      h(q_r, b): -c E u_r      h(q_r, p_s): c^2 E u_r w_s
//! ```
//! then `4 i s E_h` for `alpha g` and `-2 c E_h` for `beta g`, and `-g^2` from `g` to its denominator.

use rustfft::num_complex::Complex32;
use subquad_backend::micro::{Scalars, product_of_rows};
use subquad_backend::simd::{Lockstep, Simd, WithSimd, array, dispatch, mul_add, neg};

use super::block::{Complex, WIDTH, total};
use super::row::{Block, Forward, Row, Sizes};

impl Row<'_> {
    /// The gradients of the factors, in their layout, from those of the taps; and those of the spectra at the
    /// frequencies `at`, which do not otherwise contribute to the factors' gradients.
    pub(super) fn grads(&mut self, at: &[usize], grads: &[&[f32]]) -> (Vec<f32>, Vec<Vec<Complex32>>) {
        for (kernel, grad) in grads.iter().enumerate() {
            self.transform_grad(kernel, grad);
        }
        let take =
            |spectrum: &mut Vec<Complex32>| at.iter().map(|j| std::mem::take(&mut spectrum[*j])).collect();
        let exact = self.spectra.iter_mut().map(take).collect();
        let mut sums = Sums::new(self.sizes);
        for first in self.blocks(at) {
            self.start_block(first);
            dispatch(Forward(self));
            sums.load(&self.spectra, first, &self.block);
            dispatch(Backward(self, &mut sums));
        }
        (sums.of_factors(&self.factors), exact)
    }
}

struct Backward<'a, 'b>(&'a Row<'b>, &'a mut Sums);

impl WithSimd for Backward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.1.add(simd, self.0);
    }
}

/// The sums over all frequencies that make up the gradients, and the buffers of one block.
struct Sums {
    sizes: Sizes,
    /// `E` of every kernel.
    of_spectra: Vec<Complex>,
    /// `E_h` of every product.
    of_h: Vec<Complex>,
    /// `4 i s E_h` of every product, then `-2 c E_h`, real parts then imaginary parts: `[2 products, 2 WIDTH]`.
    of_sums: Vec<f32>,
    /// `E_g`, real parts then imaginary parts: `[pairs, 2 WIDTH]`.
    of_g: Vec<f32>,
    /// With respect to `alpha` of every product, then to `beta`, in parts: `[2 products, pairs]`.
    of_numbers: Vec<[f32; LANES]>,
    /// Sum of `c^2 Re E_den` and of `s c Im E_den` of every pair, in parts.
    of_den: Vec<[[f32; LANES]; 2]>,
}

impl Sums {
    fn new(sizes: Sizes) -> Self {
        let (products, pairs) = (sizes.products(), sizes.pairs);
        Self {
            sizes,
            of_spectra: vec![Complex::ZERO; sizes.kernels],
            of_h: vec![Complex::ZERO; products],
            of_sums: vec![0.0; 2 * products * 2 * WIDTH],
            of_g: vec![0.0; pairs * 2 * WIDTH],
            of_numbers: vec![[0.0; LANES]; 2 * products * pairs],
            of_den: vec![[[0.0; LANES]; 2]; pairs],
        }
    }

    /// `e^(i theta)` times the gradients of a block of the spectra, zero beyond the last frequency.
    fn load(&mut self, spectra: &[Vec<Complex32>], first: usize, block: &Block) {
        for (to, spectrum) in self.of_spectra.iter_mut().lockstep(spectra) {
            *to = Complex::ZERO;
            for (i, point) in spectrum[first..].iter().take(WIDTH).enumerate() {
                let (s, c) = (block.sin[i], block.cos[i]);
                (to.re[i], to.im[i]) = (point.re * c - point.im * s, point.re * s + point.im * c);
            }
        }
    }

    /// Adds the contribution of a block.
    #[inline(always)]
    fn add<S: Simd>(&mut self, simd: S, row: &Row<'_>) {
        self.through_low_rank(&row.block);
        self.through_sums(&row.block);
        self.through_products(simd, &row.numbers);
        self.add_numbers(simd, &row.block.g);
        self.add_denominators(simd, &row.block);
    }

    /// `E_h` from `E`.
    #[inline(always)]
    fn through_low_rank(&mut self, block: &Block) {
        let Sizes { kernels, rights, .. } = self.sizes;
        let rank = self.sizes.rank();
        self.of_h[kernels * rights..].fill(Complex::ZERO);
        for kernel in 0..kernels {
            let grad = self.of_spectra[kernel];
            let scaled = grad.scaled(&block.cos);
            self.of_h[kernel * rights] = grad;
            for r in 0..rank {
                let mut outward = Complex::ZERO;
                for s in 0..rank {
                    let h = &block.h[kernel * rights + 1 + s];
                    outward.add_product(h, &block.inverse[s * rank + r], 1.0);
                }
                let outward = scaled.times(&outward);
                self.of_h[kernel * rights + 1 + r] = Complex::ZERO;
                self.of_h[kernel * rights + 1 + r].add_product(&scaled, &block.inward[r], -1.0);
                let own = (kernels + r) * rights;
                for i in 0..WIDTH {
                    self.of_h[own].re[i] -= outward.re[i];
                    self.of_h[own].im[i] -= outward.im[i];
                }
                let twice = outward.scaled(&block.cos);
                for s in 0..rank {
                    self.of_h[own + 1 + s].add_product(&twice, &block.inward[s], 1.0);
                }
            }
        }
    }

    #[inline(always)]
    fn through_sums(&mut self, block: &Block) {
        let products = self.sizes.products();
        let (alphas, betas) = self.of_sums.split_at_mut(products * 2 * WIDTH);
        let rows = alphas.chunks_exact_mut(2 * WIDTH).lockstep(betas.chunks_exact_mut(2 * WIDTH));
        for (h, (alpha, beta)) in self.of_h.iter().lockstep(rows) {
            for i in 0..WIDTH {
                let (s, c) = (4.0 * block.sin[i], -2.0 * block.cos[i]);
                (alpha[i], alpha[WIDTH + i]) = (-s * h.im[i], s * h.re[i]);
                (beta[i], beta[WIDTH + i]) = (c * h.re[i], c * h.im[i]);
            }
        }
    }

    #[inline(always)]
    fn through_products<S: Simd>(&mut self, simd: S, numbers: &[f32]) {
        let Sizes { pairs, .. } = self.sizes;
        let (terms, of_g) = (2 * self.sizes.products(), &mut self.of_g);
        product_of_rows(
            simd,
            Scalars::columns(numbers, pairs),
            (&self.of_sums, 2 * WIDTH),
            [pairs, 2 * WIDTH / S::F32_LANES, terms],
            #[inline(always)]
            |i, j, sum| {
                let at = i * 2 * WIDTH + j * S::F32_LANES;
                S::as_mut_simd_f32s(&mut of_g[at..at + S::F32_LANES]).0[0] = sum;
            },
        );
    }

    #[inline(always)]
    fn add_numbers<S: Simd>(&mut self, simd: S, g: &[f32]) {
        let pairs = self.sizes.pairs;
        let rows = self.of_sums.chunks_exact(2 * WIDTH).lockstep(self.of_numbers.chunks_exact_mut(pairs));
        for (of_sum, of_number) in rows {
            let (of_re, of_im) = of_sum.split_at(WIDTH);
            let ((of_re, _), (of_im, _)) = (S::as_simd_f32s(of_re), S::as_simd_f32s(of_im));
            for (g, to) in g.chunks_exact(2 * WIDTH).lockstep(of_number) {
                let (g_re, g_im) = g.split_at(WIDTH);
                let ((g_re, _), (g_im, _)) = (S::as_simd_f32s(g_re), S::as_simd_f32s(g_im));
                let (to, _) = S::as_mut_simd_f32s(to);
                let count = to.len();
                for (lane, to) in to.iter_mut().enumerate() {
                    let mut sum = *to;
                    for i in (lane..g_re.len()).step_by(count) {
                        sum = mul_add(simd, of_re[i], g_re[i], sum);
                        sum = mul_add(simd, neg(simd, of_im[i]), g_im[i], sum);
                    }
                    *to = sum;
                }
            }
        }
    }

    #[inline(always)]
    fn add_denominators<S: Simd>(&mut self, simd: S, block: &Block) {
        let ((sin, _), (cos, _)) = (S::as_simd_f32s(&block.sin), S::as_simd_f32s(&block.cos));
        let rows = self.of_g.chunks_exact(2 * WIDTH).lockstep(block.g.chunks_exact(2 * WIDTH));
        for ((of_g, g), [of_re, of_im]) in rows.lockstep(&mut self.of_den) {
            let ((re, _), (im, _)) = (S::as_simd_f32s(&of_g[..WIDTH]), S::as_simd_f32s(&of_g[WIDTH..]));
            let ((g_re, _), (g_im, _)) = (S::as_simd_f32s(&g[..WIDTH]), S::as_simd_f32s(&g[WIDTH..]));
            let ((of_re, _), (of_im, _)) = (S::as_mut_simd_f32s(of_re), S::as_mut_simd_f32s(of_im));
            let count = of_re.len();
            for i in 0..re.len() {
                // One factor after the other: the square of g by itself may be out of the range of f32.
                let g = [g_re[i], g_im[i]];
                let [re, im] = times(simd, times(simd, [re[i], im[i]], g), g);
                let minus_cos = neg(simd, cos[i]);
                let (both, square) = (simd.mul_f32s(sin[i], minus_cos), simd.mul_f32s(cos[i], minus_cos));
                of_re[i % count] = mul_add(simd, square, re, of_re[i % count]);
                of_im[i % count] = mul_add(simd, both, im, of_im[i % count]);
            }
        }
    }

    /// Gradients of `a`, of the left and of the right factors, in the layout of the factors.
    fn of_factors(&self, factors: &[f32]) -> Vec<f32> {
        let Sizes { pairs, lefts, rights, .. } = self.sizes;
        let products = self.sizes.products();
        let number = |part: usize, n: usize| f64::from(factors[part * pairs + n]);
        let mut grads = vec![0.0; factors.len()];
        for n in 0..pairs {
            let (x, y) = (number(0, n), number(1, n));
            let mut add = |part: usize, value: f64| grads[part * pairs + n] += value;
            let [of_re, of_im] = array(|part| total(&self.of_den[n][part]));
            add(0, 2.0 * x * of_re + 4.0 * of_im);
            add(1, 2.0 * y * of_re);
            for i in 0..products {
                let (l, r) = (2 + i / rights, 2 + 2 * lefts + i % rights);
                let (left, right) =
                    ([number(l, n), number(l + lefts, n)], [number(r, n), number(r + rights, n)]);
                let [of_alpha, of_beta] =
                    array(|part| total(&self.of_numbers[(part * products + i) * pairs + n]));
                // v = left right: alpha is its real part, beta is Re(v) x + Im(v) y.
                let (of_re, of_im) = (of_alpha + of_beta * x, of_beta * y);
                add(0, of_beta * (left[0] * right[0] - left[1] * right[1]));
                add(1, of_beta * (left[0] * right[1] + left[1] * right[0]));
                add(l, of_re * right[0] + of_im * right[1]);
                add(l + lefts, of_im * right[0] - of_re * right[1]);
                add(r, of_re * left[0] + of_im * left[1]);
                add(r + rights, of_im * left[0] - of_re * left[1]);
            }
        }
        grads.into_iter().map(|grad: f64| grad as f32).collect()
    }
}

/// Partial sums that run side by side: as many as the longest vector has lanes.
const LANES: usize = 16;

/// A product of complex numbers.
#[inline(always)]
fn times<S: Simd>(simd: S, [a_re, a_im]: [S::f32s; 2], [b_re, b_im]: [S::f32s; 2]) -> [S::f32s; 2] {
    let re = mul_add(simd, neg(simd, a_im), b_im, simd.mul_f32s(a_re, b_re));
    [re, mul_add(simd, a_re, b_im, simd.mul_f32s(a_im, b_re))]
}
