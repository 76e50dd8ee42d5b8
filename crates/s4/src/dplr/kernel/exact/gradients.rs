//! The sums that make up a channel's gradients.

use subquad_backend::simd::{self, Lockstep};

use super::channel::{Channel, Sizes, parts_of};
use super::resolvent::{Block, Lanes, WIDTH, constant};
use crate::dplr::LEAST_DECAY;
use crate::dplr::kernel::block::total;
use crate::number::{Complex, real};

impl Channel {
    /// From the gradients of the spectra, real parts then imaginary parts, those of the steps and of the numbers, laid out as they
    /// are, but without their second parts, which are there for their values only.
    pub(super) fn grads(&self, frequencies: &[usize], of_spectra: &[&[f32]]) -> [Vec<f32>; 2] {
        let mut block = Block::new(self);
        let mut sums = Sums::new(self);
        for (i, chunk) in frequencies.chunks(WIDTH).enumerate() {
            block.start(chunk, self.sizes.l_max);
            sums.load(&block, of_spectra, i * WIDTH..i * WIDTH + chunk.len());
            simd::run(
                #[inline(always)]
                || {
                    block.solve(self);
                    sums.add(self, &block);
                },
            );
        }
        sums.through_steps(self)
    }
}

/// The sums over all frequencies that make up the gradients, one per member and lane.
struct Sums {
    /// `E` of every kernel.
    of_spectra: Vec<Lanes>,
    a: Vec<Lanes>,
    b: Vec<Lanes>,
    p: Vec<Vec<Lanes>>,
    q: Vec<Vec<Lanes>>,
    c: Vec<Vec<Lanes>>,
}

impl Sums {
    fn new(channel: &Channel) -> Self {
        let (Sizes { kernels, rank, .. }, members) = (channel.sizes, channel.a.len());
        let row = || vec![Lanes::ZERO; members];
        Self {
            of_spectra: vec![Lanes::ZERO; kernels],
            a: row(),
            b: row(),
            p: vec![row(); rank],
            q: vec![row(); rank],
            c: vec![row(); kernels],
        }
    }

    /// `e^(i theta)` times `d/d re - i d/d im` of a block of the spectra, zero beyond the last frequency.
    fn load(&mut self, block: &Block, of_spectra: &[&[f32]], at: std::ops::Range<usize>) {
        for (to, row) in self.of_spectra.iter_mut().lockstep(of_spectra) {
            *to = Lanes::ZERO;
            let (of_re, of_im) = row.split_at(row.len() / 2);
            for (i, j) in at.clone().enumerate() {
                let (re, im) = (f64::from(of_re[j]), -f64::from(of_im[j]));
                let (s, c) = (block.sin[i], block.cos[i]);
                (to.re[i], to.im[i]) = (re * c - im * s, re * s + im * c);
            }
        }
    }

    /// Adds the contribution of a block.
    #[inline(always)]
    fn add(&mut self, channel: &Channel, block: &Block) {
        let Sizes { kernels, rank, .. } = channel.sizes;
        for m in 0..channel.a.len() {
            let (x, g) = (&block.x[m], &block.g[m]);
            // E y summed over the kernels.
            let mut of_x = Lanes::ZERO;
            for k in 0..kernels {
                let mut y = constant(channel.c[k][m]);
                for r in 0..rank {
                    y.add_constant(&block.w[k][r].scaled(&block.cos), -channel.q[r][m]);
                }
                of_x.add_product(&self.of_spectra[k], &y.times(g), 1.0);
                self.c[k][m].add_product(&self.of_spectra[k], x, 1.0);
            }
            for i in 0..WIDTH {
                self.b[m].re[i] += of_x.re[i];
                self.b[m].im[i] += of_x.im[i];
            }
            let of_x = of_x.scaled(&block.cos);
            self.a[m].add_product(&of_x, x, 1.0);
            let x = x.scaled(&block.cos);
            for r in 0..rank {
                self.p[r][m].add_product(&of_x, &block.z[r], -1.0);
                for k in 0..kernels {
                    let of_w = self.of_spectra[k].times(&block.w[k][r]);
                    self.q[r][m].add_product(&of_w, &x, -1.0);
                }
            }
        }
    }

    /// The gradients of the continuous system and of the steps, from those of the system with the steps multiplied
    /// in.
    fn through_steps(&self, channel: &Channel) -> [Vec<f32>; 2] {
        let (mut dt, mut all) = (vec![0.0; channel.dt.len()], self.of_rows(channel));
        let with_step = 2 + channel.sizes.rank;
        for (grads, row) in all.iter_mut().zip(&channel.stored).take(with_step) {
            for (n, (grad, stored)) in grads.iter_mut().zip(row).enumerate() {
                let at = n % dt.len();
                dt[at] += (*grad * *stored).re;
                *grad = real(channel.dt[at]) * *grad;
            }
        }
        for (grads, sums) in all[2..].iter_mut().zip(&self.q) {
            grads.iter_mut().enumerate().for_each(|(n, grad)| *grad += folded(sums, n).conj());
        }
        [dt.into_iter().map(|grad: f64| grad as f32).collect(), flat(channel.sizes, &all)]
    }

    /// The gradients of `dt a`, `dt b`, `dt P` and `C~`, in the order in which they are stored.
    fn of_rows(&self, channel: &Channel) -> Vec<Vec<Complex>> {
        let row = |sums: &Vec<Lanes>| (0..sums.len() / 2).map(|n| folded(sums, n)).collect::<Vec<_>>();
        let mut of_a = row(&self.a);
        let clamped = channel.a.iter().map(|a| a.re >= -LEAST_DECAY);
        of_a.iter_mut().zip(clamped).filter(|(_, clamped)| *clamped).for_each(|(grad, _)| grad.re = 0.0);
        [of_a, row(&self.b)].into_iter().chain(self.p.iter().map(row)).chain(self.c.iter().map(row)).collect()
    }
}

/// The contribution of both members of pair `n`, as `d/d re - i d/d im`.
fn folded(sums: &[Lanes], n: usize) -> Complex {
    let total = |lanes: &Lanes| Complex { re: total(&lanes.re), im: total(&lanes.im) };
    total(&sums[n]) + total(&sums[n + sums.len() / 2]).conj()
}

/// `d/d re` and `d/d im` in the places of the inputs' parts.
fn flat(sizes: Sizes, complex: &[Vec<Complex>]) -> Vec<f32> {
    let pairs = complex[0].len();
    let mut numbers = vec![0.0; 2 * complex.len() * pairs];
    for (row, [re, im]) in complex.iter().zip(parts_of(sizes)) {
        for (n, grad) in row.iter().enumerate() {
            numbers[re * pairs + n] = grad.re as f32;
            numbers[im * pairs + n] = -grad.im as f32;
        }
    }
    numbers
}
