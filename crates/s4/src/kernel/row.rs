//! One row of the fused kernel: plain loops over slices, no tensors.
//!
//! ```text
//! n    conjugate pair                      W_r = a_bar^r          inner powers, r < block
//! q, r lag = q block + r                   E_q = a_bar^(q block)  outer powers, q < blocks
//! ```
//! The powers are made in f64 and rounded once; both passes then are products of small matrices in f32.

use pulp::Arch;

/// Rows and columns of a register tile: 4 x 32 sums fill eight 512-bit registers.
const ROWS: usize = 4;
const LANES: usize = 32;

/// A complex number of one pair.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct C32 {
    pub(super) re: f32,
    pub(super) im: f32,
}

/// How a kernel of `seq` lags is cut: `blocks` blocks of `block` lags, padded to whole tiles.
#[derive(Debug, Clone, Copy)]
struct Split {
    seq: usize,
    block: usize,
    blocks: usize,
}

impl Split {
    /// Both factors near the square root, so that there are few powers to make.
    fn new(seq: usize) -> Self {
        let block = seq.isqrt().next_power_of_two().max(LANES);
        Self { seq, block, blocks: seq.div_ceil(block).next_multiple_of(ROWS) }
    }
}

/// One thread's buffers for kernels of one length.
#[derive(Debug)]
pub(super) struct Row {
    split: Split,
    /// `[pairs, 2 (re, im), block]`
    inner: Vec<f32>,
    /// `[pairs, 2 (re, im), blocks]`
    outer: Vec<f32>,
    packed: Vec<[f32; ROWS]>,
    /// `[blocks, block]`
    lags: Vec<f32>,
}

impl Row {
    pub(super) fn new(pairs: usize, seq: usize) -> Self {
        let split = Split::new(seq);
        Self {
            split,
            inner: vec![0.0; 2 * pairs * split.block],
            outer: vec![0.0; 2 * pairs * split.blocks],
            packed: vec![[0.0; ROWS]; (2 * pairs).max(split.blocks)],
            lags: vec![0.0; split.block * split.blocks],
        }
    }

    /// `out_l = 2 Re(sum over n of c_n a_bar_n^l)`, where `log_a` yields the logarithm of each `a_bar_n`.
    pub(super) fn kernel(&mut self, c: &[C32], log_a: &[C32], out: &mut [f32]) {
        self.fill_powers(log_a);
        Arch::new().dispatch(
            #[inline(always)]
            || self.multiply(c),
        );
        out.copy_from_slice(&self.lags[..self.split.seq]);
    }

    /// For every pair `(sum_l g_l a_bar^l, sum_l l g_l a_bar^l)`, where `grad` is `g`.
    pub(super) fn moments(&mut self, grad: &[f32], log_a: &[C32]) -> Vec<(C32, C32)> {
        self.fill_powers(log_a);
        self.lags[..grad.len()].copy_from_slice(grad);
        self.lags[grad.len()..].fill(0.0);
        Arch::new().dispatch(
            #[inline(always)]
            || self.contract(),
        )
    }

    fn fill_powers(&mut self, log_a: &[C32]) {
        let Split { block, blocks, .. } = self.split;
        let mut powers = Powers::new(block.max(blocks));
        let tables = self.inner.chunks_exact_mut(2 * block).zip(self.outer.chunks_exact_mut(2 * blocks));
        for ((inner, outer), log_a) in tables.zip(log_a) {
            let (re, im) = (f64::from(log_a.re), f64::from(log_a.im));
            Arch::new().dispatch(
                #[inline(always)]
                || {
                    powers.write(re, im, inner);
                    powers.write(re * block as f64, im * block as f64, outer);
                },
            );
        }
    }

    #[inline(always)]
    fn multiply(&mut self, c: &[C32]) {
        let Split { block, blocks, .. } = self.split;
        for q in (0..blocks).step_by(ROWS) {
            for ((rows, e), c) in self.packed.chunks_exact_mut(2).zip(self.outer.chunks_exact(2 * blocks)).zip(c) {
                for i in 0..ROWS {
                    let (e_re, e_im) = (e[q + i], e[blocks + q + i]);
                    rows[0][i] = 2.0 * (c.re * e_re - c.im * e_im);
                    rows[1][i] = -2.0 * (c.re * e_im + c.im * e_re);
                }
            }
            let a = &self.packed[..2 * c.len()];
            for r in (0..block).step_by(LANES) {
                let sums = tile(a, &self.inner, block, r);
                for i in 0..ROWS {
                    self.lags[(q + i) * block + r..][..LANES].copy_from_slice(&sums[i]);
                }
            }
        }
    }

    /// With `V_r = sum_q E_q g_{q,r}` and `V1_r = sum_q q E_q g_{q,r}`, both moments are sums over `r`:
    /// `sum_r W_r V_r` and `sum_r W_r (r V_r + block V1_r)`.
    #[inline(always)]
    fn contract(&mut self) -> Vec<(C32, C32)> {
        let Split { block, blocks, .. } = self.split;
        let tables = self.inner.chunks_exact(2 * block).zip(self.outer.chunks_exact(2 * blocks));
        let packed = &mut self.packed[..blocks];
        let moments = tables.map(|(w, e)| {
            for (q, row) in packed.iter_mut().enumerate() {
                let (re, im) = (e[q], e[blocks + q]);
                *row = [re, im, q as f32 * re, q as f32 * im];
            }
            let mut sums = [[0.0; LANES]; 4];
            for r in (0..block).step_by(LANES) {
                let v = tile(packed, &self.lags, block, r);
                add_moments(&mut sums, &v, &w[r..][..LANES], &w[block + r..][..LANES], block, r);
            }
            let [re, im, re1, im1] = sums.map(|lanes| lanes.iter().sum());
            (C32 { re, im }, C32 { re: re1, im: im1 })
        });
        moments.collect()
    }
}

/// `sums_ij = sum over k of a_ki b_kj` for the `LANES` columns of `b` from `column` on.
#[inline(always)]
fn tile(a: &[[f32; ROWS]], b: &[f32], width: usize, column: usize) -> [[f32; LANES]; ROWS] {
    let mut sums = [[0.0; LANES]; ROWS];
    for (a, b) in a.iter().zip(b.chunks_exact(width)) {
        let b = &b[column..][..LANES];
        for (sums, a) in sums.iter_mut().zip(a) {
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum += a * b;
            }
        }
    }
    sums
}

/// Adds the products of the lags `r ..` to the lanes of both moments.
#[inline(always)]
fn add_moments(sums: &mut [[f32; LANES]; 4], v: &[[f32; LANES]; ROWS], w_re: &[f32], w_im: &[f32], block: usize, r: usize) {
    for j in 0..LANES {
        let lag = (r + j) as f32;
        let (v1_re, v1_im) = (lag * v[0][j] + block as f32 * v[2][j], lag * v[1][j] + block as f32 * v[3][j]);
        sums[0][j] += w_re[j] * v[0][j] - w_im[j] * v[1][j];
        sums[1][j] += w_re[j] * v[1][j] + w_im[j] * v[0][j];
        sums[2][j] += w_re[j] * v1_re - w_im[j] * v1_im;
        sums[3][j] += w_re[j] * v1_im + w_im[j] * v1_re;
    }
}

/// Smaller than this counts as zero: sums of order one do not see it, and denormal factors cost a hundred cycles each.
const NEGLIGIBLE: f64 = 1e-30;

/// Powers of a complex number in f64.
struct Powers {
    re: Vec<f64>,
    im: Vec<f64>,
}

impl Powers {
    fn new(count: usize) -> Self {
        Self { re: vec![0.0; count], im: vec![0.0; count] }
    }

    /// Writes `e^(l (log_re + i log_im))` for `l < table.len() / 2`: all real parts, then all imaginary parts.
    ///
    /// The table doubles: powers `m .. 2 m` are powers `0 .. m` times the `m`-th, so few roundings pile up and the
    /// loop has no chain of dependent products.
    #[inline(always)]
    fn write(&mut self, log_re: f64, log_im: f64, table: &mut [f32]) {
        let count = table.len() / 2;
        let (mut step_re, mut step_im) = (log_re.exp() * log_im.cos(), log_re.exp() * log_im.sin());
        (self.re[0], self.im[0]) = (1.0, 0.0);
        let mut done = 1;
        while done < count {
            let more = done.min(count - done);
            let (re, next_re) = self.re.split_at_mut(done);
            let (im, next_im) = self.im.split_at_mut(done);
            for j in 0..more {
                next_re[j] = re[j] * step_re - im[j] * step_im;
                next_im[j] = re[j] * step_im + im[j] * step_re;
            }
            (step_re, step_im) = (step_re * step_re - step_im * step_im, 2.0 * step_re * step_im);
            done += more;
        }
        let (table_re, table_im) = table.split_at_mut(count);
        round(&self.re[..count], table_re);
        round(&self.im[..count], table_im);
    }
}

#[inline(always)]
fn round(values: &[f64], table: &mut [f32]) {
    for (rounded, value) in table.iter_mut().zip(values) {
        *rounded = if value.abs() < NEGLIGIBLE { 0.0 } else { *value as f32 };
    }
}
