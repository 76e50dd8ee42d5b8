//! One row of the fused kernel: plain loops over slices, no tensors.
//!
//! ```text
//! n    conjugate pair                      W_r = a_bar^r          inner powers, r < block
//! q, r lag = q block + r                   E_q = a_bar^(q block)  outer powers, q < blocks
//! ```
//! The powers are made in f64 and rounded once; both passes then are products of small matrices in f32.

use rustfft::num_complex::Complex32;
use subquad_backend::simd::{self, Lockstep, Simd, WithSimd, mul_add};

use crate::number::Complex;

/// Rows and columns of a tile of sums.
const ROWS: usize = 4;
const LANES: usize = 32;
type Lanes = [f32; LANES];

/// How a kernel of `seq` lags is cut: `blocks` blocks of `block` lags, padded to whole tiles.
#[derive(Debug, Clone, Copy)]
struct Split {
    seq: usize,
    block: usize,
    blocks: usize,
}

impl Split {
    /// Both factors are near the square root, so that there are few powers to compute.
    fn new(seq: usize) -> Self {
        let block = seq.isqrt().next_power_of_two().max(LANES);
        Self { seq, block, blocks: seq.div_ceil(block).next_multiple_of(ROWS) }
    }

    /// Tiles per block.
    fn columns(self) -> usize {
        self.block / LANES
    }
}

/// One thread's buffers for kernels of one length.
#[derive(Debug)]
pub(super) struct Row {
    split: Split,
    /// `[pairs, 2 (re, im), block]`
    inner: Vec<Lanes>,
    /// `[pairs, 2 (re, im), blocks]`
    outer: Vec<f32>,
    packed: Vec<[f32; ROWS]>,
    /// `[blocks, block]`
    lags: Vec<Lanes>,
    powers: Powers,
}

impl Row {
    pub(super) fn new(pairs: usize, seq: usize) -> Self {
        let split = Split::new(seq);
        Self {
            split,
            inner: vec![[0.0; LANES]; 2 * pairs * split.columns()],
            outer: vec![0.0; 2 * pairs * split.blocks],
            packed: vec![[0.0; ROWS]; (2 * pairs).max(split.blocks)],
            lags: vec![[0.0; LANES]; split.columns() * split.blocks],
            powers: Powers::new(split.block.max(split.blocks)),
        }
    }

    /// `out_l = 2 Re(sum over n of c_n a_bar_n^l)`, from the logarithms of the `a_bar_n`.
    pub(super) fn kernel(&mut self, c: &[Complex32], log_a: &[Complex], out: &mut [f32]) {
        let Split { seq, blocks, .. } = self.split;
        let columns = self.split.columns();
        self.fill_powers(log_a);
        for q in (0..blocks).step_by(ROWS) {
            self.pack_outer(c, q);
            let a = &self.packed[..2 * c.len()];
            for column in 0..columns {
                for (i, sums) in tile(a, &self.inner[column..], columns).iter().enumerate() {
                    self.lags[(q + i) * columns + column] = *sums;
                }
            }
        }
        out.copy_from_slice(&self.lags.as_flattened()[..seq]);
    }

    /// `2 c E_q` of `ROWS` blocks: `2 Re(z w) = (2 Re z) (Re w) + (-2 Im z) (Im w)`.
    fn pack_outer(&mut self, c: &[Complex32], q: usize) {
        let blocks = self.split.blocks;
        let rows = self.packed.chunks_exact_mut(2);
        for ((rows, e), c) in rows.lockstep(self.outer.chunks_exact(2 * blocks)).lockstep(c) {
            for i in 0..ROWS {
                let (e_re, e_im) = (e[q + i], e[blocks + q + i]);
                rows[0][i] = 2.0 * (c.re * e_re - c.im * e_im);
                rows[1][i] = -2.0 * (c.re * e_im + c.im * e_re);
            }
        }
    }

    /// `(sum_l g_l a_bar^l, sum_l l g_l a_bar^l)` of every pair, where `grad` is `g`.
    ///
    /// With `V_r = sum_q E_q g_{q,r}` and `V1_r = sum_q q E_q g_{q,r}` both are sums over `r`: `sum_r W_r V_r` and
    /// `sum_r W_r (r V_r + block V1_r)`.
    pub(super) fn moments(&mut self, grad: &[f32], log_a: &[Complex]) -> Vec<(Complex32, Complex32)> {
        let Split { block, blocks, .. } = self.split;
        let columns = self.split.columns();
        self.fill_powers(log_a);
        let lags = self.lags.as_flattened_mut();
        lags[..grad.len()].copy_from_slice(grad);
        lags[grad.len()..].fill(0.0);
        let packed = &mut self.packed[..blocks];
        let tables = self.inner.chunks_exact(2 * columns).lockstep(self.outer.chunks_exact(2 * blocks));
        let moments = tables.map(|(w, e)| {
            for (q, row) in packed.iter_mut().enumerate() {
                let (re, im) = (e[q], e[blocks + q]);
                *row = [re, im, q as f32 * re, q as f32 * im];
            }
            let mut sums = [[0.0; LANES]; ROWS];
            for column in 0..columns {
                let v = tile(packed, &self.lags[column..], columns);
                add_moments(&mut sums, &v, &w[column], &w[columns + column], block, column * LANES);
            }
            let [re, im, re1, im1] = simd::array(|row| simd::total(sums[row].iter()));
            (Complex32 { re, im }, Complex32 { re: re1, im: im1 })
        });
        moments.collect()
    }

    fn fill_powers(&mut self, log_a: &[Complex]) {
        let Split { block, blocks, .. } = self.split;
        let tables = self
            .inner
            .as_flattened_mut()
            .chunks_exact_mut(2 * block)
            .lockstep(self.outer.chunks_exact_mut(2 * blocks));
        for ((inner, outer), Complex { re, im }) in tables.lockstep(log_a) {
            self.powers.write(*re, *im, inner);
            self.powers.write(re * block as f64, im * block as f64, outer);
        }
    }
}

// The loops below are compiled for several instruction sets and chosen at run time. That works only if all of a loop is
// inlined, which the compiler refuses, silently, where a call inside passes a pair by value, as iterators do: so they
// index. (Seen as missing wide registers in the disassembly.)

/// `sum over k of a_ki b_kj`, where row `k` of `b` is `b[k * stride]`.
fn tile(a: &[[f32; ROWS]], b: &[Lanes], stride: usize) -> [Lanes; ROWS] {
    let mut sums = [[0.0; LANES]; ROWS];
    simd::dispatch(Tile { a, b, stride, sums: &mut sums });
    sums
}

struct Tile<'a> {
    a: &'a [[f32; ROWS]],
    b: &'a [Lanes],
    stride: usize,
    sums: &'a mut [Lanes; ROWS],
}

impl WithSimd for Tile<'_> {
    type Output = ();

    /// Two vectors wide at a time: 4 x 2 sums, two of `b` and one of `a` fit into sixteen registers.
    #[allow(clippy::needless_range_loop, reason = "iterators would keep this from being inlined, see above")]
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for at in (0..LANES / S::F32_LANES).step_by(2) {
            let mut sums = [[simd.splat_f32s(0.0); 2]; ROWS];
            for k in 0..self.a.len() {
                let (b, _) = S::as_simd_f32s(&self.b[k * self.stride]);
                for i in 0..ROWS {
                    let a = simd.splat_f32s(self.a[k][i]);
                    sums[i][0] = mul_add(simd, a, b[at], sums[i][0]);
                    sums[i][1] = mul_add(simd, a, b[at + 1], sums[i][1]);
                }
            }
            for i in 0..ROWS {
                let (out, _) = S::as_mut_simd_f32s(&mut self.sums[i]);
                (out[at], out[at + 1]) = (sums[i][0], sums[i][1]);
            }
        }
    }
}

/// Adds the products of the lags from `r` on to the lanes of both moments.
fn add_moments(
    sums: &mut [Lanes; ROWS],
    v: &[Lanes; ROWS],
    w_re: &Lanes,
    w_im: &Lanes,
    block: usize,
    r: usize,
) {
    simd::run(
        #[inline(always)]
        || {
            for j in 0..LANES {
                let (lag, block) = ((r + j) as f32, block as f32);
                let (v1_re, v1_im) = (lag * v[0][j] + block * v[2][j], lag * v[1][j] + block * v[3][j]);
                sums[0][j] += w_re[j] * v[0][j] - w_im[j] * v[1][j];
                sums[1][j] += w_re[j] * v[1][j] + w_im[j] * v[0][j];
                sums[2][j] += w_re[j] * v1_re - w_im[j] * v1_im;
                sums[3][j] += w_re[j] * v1_im + w_im[j] * v1_re;
            }
        },
    );
}

/// Smaller than this counts as zero: sums of order one do not see it, and denormal factors cost a hundred cycles each.
const NEGLIGIBLE: f64 = 1e-30;

/// Powers of a complex number in f64.
#[derive(Debug)]
struct Powers {
    re: Vec<f64>,
    im: Vec<f64>,
}

impl Powers {
    fn new(count: usize) -> Self {
        Self { re: vec![1.0; count], im: vec![0.0; count] }
    }

    /// Writes `e^(l (log_re + i log_im))` for `l < table.len() / 2`: all real parts, then all imaginary parts.
    ///
    /// The table doubles: powers `m .. 2 m` are powers `0 .. m` times the `m`-th, so few roundings pile up and the
    /// loop has no chain of dependent products.
    fn write(&mut self, log_re: f64, log_im: f64, table: &mut [f32]) {
        let count = table.len() / 2;
        let (mut step_re, mut step_im) = (log_re.exp() * log_im.cos(), log_re.exp() * log_im.sin());
        let mut done = 1;
        while done < count {
            self.double(done, done.min(count - done), step_re, step_im);
            (step_re, step_im) = (step_re * step_re - step_im * step_im, 2.0 * step_re * step_im);
            done *= 2;
        }
        let (table_re, table_im) = table.split_at_mut(count);
        round(&self.re[..count], table_re);
        round(&self.im[..count], table_im);
    }

    /// Powers `done .. done + more` from powers `0 .. more`.
    fn double(&mut self, done: usize, more: usize, step_re: f64, step_im: f64) {
        let (re, next_re) = self.re.split_at_mut(done);
        let (im, next_im) = self.im.split_at_mut(done);
        let (re, next_re) = (&re[..more], &mut next_re[..more]);
        let (im, next_im) = (&im[..more], &mut next_im[..more]);
        simd::run(
            #[inline(always)]
            || {
                for j in 0..more {
                    next_re[j] = re[j] * step_re - im[j] * step_im;
                    next_im[j] = re[j] * step_im + im[j] * step_re;
                }
            },
        );
    }
}

fn round(values: &[f64], table: &mut [f32]) {
    let table = &mut table[..values.len()];
    simd::run(
        #[inline(always)]
        || {
            for j in 0..values.len() {
                table[j] = if values[j].abs() < NEGLIGIBLE { 0.0 } else { values[j] as f32 };
            }
        },
    );
}
