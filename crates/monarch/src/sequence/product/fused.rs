//! The factor as a CPU kernel.
//!
//! Within: a thread computes the tokens of one block. Across: a thread computes some tokens of every block, all
//! neighbours in the result, from rows that it gathers first, because rows a power of two apart would evict each other
//! from its cache.

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;
use subquad_backend::kernel::{Array, CpuKernel, Saved, Unwritten, View};
use subquad_backend::linear::transpose::transpose;
use subquad_backend::micro::{Scalars, product_of_rows};
use subquad_backend::simd::{Lockstep, Simd, WithSimd, dispatch, load, save};

use super::{Entries, Lines};

/// Inputs: `x`, `weight`.
#[derive(Debug)]
pub(super) struct Product {
    pub(super) lines: Lines,
    pub(super) entries: Entries,
}

impl CpuKernel for Product {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let sizes = self.sizes(inputs);
        let factor = Factor { data: &self.cut(&inputs[1]), sizes, transposed: false };
        Array::new(
            factor.multiply(inputs[0].data),
            [sizes.batch, sizes.blocks * sizes.outputs, sizes.d_model],
        )
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let (x, weight) = (&saved.inputs[0], &saved.inputs[1]);
        let sizes = self.sizes(saved.inputs);
        let of_x = || {
            let factor = Factor { data: &self.cut(weight), sizes, transposed: true };
            Array::new(factor.multiply(saved.grad.data), x.shape)
        };
        let of_weight = || Array::new(sizes.weight_grad(x.data, saved.grad.data), weight.shape);
        vec![saved.wanted[0].then(of_x), saved.wanted[1].then(of_weight)]
    }
}

impl Product {
    fn sizes(&self, inputs: &[View<'_>]) -> Sizes {
        let ([batch, _, d_model], [heads, blocks, outputs, inputs]) = (inputs[0].dims(), inputs[1].dims());
        Sizes { batch, d_model, heads, blocks, outputs, inputs, lines: self.lines, entries: self.entries }
    }

    /// The weight with zeros for missing entries: a group of rows has the terms of its longest row.
    fn cut<'a>(&self, weight: &View<'a>) -> Cow<'a, [f32]> {
        let [_, _, outputs, inputs] = weight.dims();
        if self.entries == Entries::All {
            return Cow::Borrowed(weight.data);
        }
        let mut data = weight.data.to_vec();
        data.par_chunks_mut(outputs * inputs).for_each(|block| self.entries.clear_others(block, inputs));
        Cow::Owned(data)
    }
}

#[derive(Debug, Clone, Copy)]
struct Sizes {
    batch: usize,
    d_model: usize,
    heads: usize,
    blocks: usize,
    outputs: usize,
    inputs: usize,
    lines: Lines,
    entries: Entries,
}

/// The blocks of the factor, or their transposes.
#[derive(Clone, Copy)]
struct Factor<'a> {
    data: &'a [f32],
    sizes: Sizes,
    transposed: bool,
}

/// The most tokens of each block that a thread computes at a time: each gathered number is used this often.
const GATHERED_FOR: usize = 32;

impl Factor<'_> {
    fn multiply(&self, x: &[f32]) -> Vec<f32> {
        let Sizes { batch, d_model, blocks, lines, .. } = self.sizes;
        let [rows, terms] = self.dims();
        let mut all = Unwritten::new(batch * blocks * rows * d_model);
        match lines {
            Lines::Within => {
                let parts = all.parts(rows * d_model).into_par_iter().zip(x.par_chunks(terms * d_model));
                parts.enumerate().for_each(|(index, (y, x))| {
                    self.block(index % blocks, 0..rows, (y.zeros(), d_model), x);
                });
            }
            Lines::Across => {
                let (sequences, some) = (all.parts(blocks * rows * d_model), self.rows_at_once());
                let sequences = sequences.into_par_iter().zip(x.par_chunks(blocks * terms * d_model));
                sequences.for_each(|(y, x)| {
                    let parts = y.parts(some * blocks * d_model).into_par_iter().enumerate();
                    parts.for_each(|(index, y)| self.across(index * some, y.zeros(), x));
                });
            }
        }
        all.into_vec()
    }

    /// Rows and columns of a block.
    fn dims(&self) -> [usize; 2] {
        let Sizes { outputs, inputs, .. } = self.sizes;
        if self.transposed { [inputs, outputs] } else { [outputs, inputs] }
    }

    /// No sum depends on this, so it may depend on the number of threads.
    fn rows_at_once(&self) -> usize {
        let wanted = (self.sizes.batch * self.dims()[0]).div_ceil(2 * rayon::current_num_threads());
        wanted.next_multiple_of(GROUP).clamp(GROUP, GATHERED_FOR)
    }

    /// Rows of every block from `first` on, as many as `y` has.
    fn across(&self, first: usize, y: &mut [f32], x: &[f32]) {
        let Sizes { d_model, blocks, .. } = self.sizes;
        let stride = blocks * d_model;
        let rows = first..first + y.len() / stride;
        let terms = self.terms(&rows);
        let mut gathered = vec![0.0; self.dims()[1] * d_model];
        for block in 0..blocks {
            for t in terms.clone() {
                let row = &x[(t * blocks + block) * d_model..][..d_model];
                gathered[t * d_model..][..d_model].copy_from_slice(row);
            }
            self.block(block, rows.clone(), (&mut y[block * d_model..], stride), &gathered);
        }
    }

    /// The terms that any of these rows has.
    fn terms(&self, rows: &Range<usize>) -> Range<usize> {
        let (entries, [_, terms]) = (self.sizes.entries, self.dims());
        match self.transposed {
            false => 0..entries.until(rows.end - 1, terms),
            true => entries.from(rows.start, terms)..terms,
        }
    }

    /// Writes some rows of one block, for every head, to `y`, which begins with the first of them and comes with its row
    /// stride; `x` begins with term 0.
    fn block(&self, block: usize, rows: Range<usize>, (y, stride): (&mut [f32], usize), x: &[f32]) {
        let Sizes { d_model, heads, blocks, outputs, inputs, .. } = self.sizes;
        let (cols, first) = (d_model / heads, rows.start);
        let group = |first: usize| first..rows.end.min(first + GROUP);
        let groups = rows.clone().step_by(GROUP).map(group).map(|rows| (rows.clone(), self.terms(&rows)));
        let groups: Vec<_> = groups.collect();
        for head in 0..heads {
            let data = &self.data[(head * blocks + block) * outputs * inputs..][..outputs * inputs];
            let weight = match self.transposed {
                false => Scalars::rows(data, inputs),
                true => Scalars::columns(data, inputs),
            };
            let (out, x) = ((&mut y[head * cols..], stride), (&x[head * cols..], d_model));
            dispatch(Sums { out, first, weight, x, cols, groups: &groups, add: false });
        }
    }
}

/// Number of rows that share their terms: those of the last row, if entries are missing.
const GROUP: usize = 8;
/// Number of columns whose terms stay in a core's L1 cache.
const STRIP: usize = 64;

/// `out = weight x`, or `out += weight x`.
struct Sums<'a> {
    /// Rows from number `first` on, and their stride.
    out: (&'a mut [f32], usize),
    first: usize,
    weight: Scalars<'a>,
    /// Rows and their stride.
    x: (&'a [f32], usize),
    cols: usize,
    /// Ranges of rows, and the terms that they have.
    groups: &'a [(Range<usize>, Range<usize>)],
    add: bool,
}

impl WithSimd for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let whole = self.cols / S::F32_LANES * S::F32_LANES;
        let (x, stride) = self.x;
        for from in (0..whole).step_by(STRIP) {
            self.strip(simd, (&x[from..], stride), from..whole.min(from + STRIP));
        }
        if whole < self.cols {
            let rest = rest::<S>((&x[whole..], stride), self.cols - whole);
            self.strip(simd, (&rest, S::F32_LANES), whole..self.cols);
        }
    }
}

impl Sums<'_> {
    #[inline(always)]
    fn strip<S: Simd>(&mut self, simd: S, (x, stride): (&[f32], usize), cols: Range<usize>) {
        let vectors = cols.len().div_ceil(S::F32_LANES);
        let Self { out: (out, out_stride), first, weight, groups, add, .. } = self;
        for (rows, terms) in groups.iter() {
            let start = rows.start * weight.row + terms.start * weight.step;
            let a = Scalars { data: weight.data.get(start..).unwrap_or(&[]), ..*weight };
            let x = x.get(terms.start * stride..).unwrap_or(&[]);
            product_of_rows(
                simd,
                a,
                (x, stride),
                [rows.len(), vectors, terms.len()],
                #[inline(always)]
                |i, j, sum| {
                    let from = cols.start + j * S::F32_LANES;
                    let to = cols.end.min(from + S::F32_LANES);
                    let out = &mut out[(rows.start - *first + i) * *out_stride..][from..to];
                    let sum = if *add { simd.add_f32s(load(simd, out), sum) } else { sum };
                    save(simd, out, sum);
                },
            );
        }
    }
}

/// The first `cols` columns of rows `stride` apart, padded to a vector.
fn rest<S: Simd>((x, stride): (&[f32], usize), cols: usize) -> Vec<f32> {
    let mut rest = vec![0.0; x.len().div_ceil(stride) * S::F32_LANES];
    for (rest, x) in rest.chunks_mut(S::F32_LANES).lockstep(x.chunks(stride)) {
        let cols = cols.min(x.len());
        rest[..cols].copy_from_slice(&x[..cols]);
    }
    rest
}

impl Sizes {
    /// Sum over the batch of `dy x^T`, block by block.
    fn weight_grad(&self, x: &[f32], dy: &[f32]) -> Vec<f32> {
        let Self { d_model, heads, blocks, outputs, inputs, entries, .. } = *self;
        let mut grads = vec![0.0; heads * blocks * outputs * inputs];
        grads.par_chunks_mut(outputs * inputs).enumerate().for_each(|(index, grads)| {
            let feature = index / blocks * (d_model / heads);
            let sequences = x.chunks(blocks * inputs * d_model).zip(dy.chunks(blocks * outputs * d_model));
            for (x, dy) in sequences {
                let (x, dy) = (&x[feature..], &dy[feature..]);
                self.add_weight_grad(
                    grads,
                    self.block(x, index % blocks, inputs),
                    self.block(dy, index % blocks, outputs),
                );
            }
            entries.clear_others(grads, inputs);
        });
        grads
    }

    /// The rows of a block of `size`, and their stride.
    fn block<'a>(&self, x: &'a [f32], block: usize, size: usize) -> (&'a [f32], usize) {
        match self.lines {
            Lines::Within => (&x[block * size * self.d_model..], self.d_model),
            Lines::Across => (&x[block * self.d_model..], self.blocks * self.d_model),
        }
    }

    fn add_weight_grad(&self, grads: &mut [f32], (x, x_stride): (&[f32], usize), dy: (&[f32], usize)) {
        let Self { outputs, inputs, .. } = *self;
        let d_head = self.d_model / self.heads;
        let mut columns = vec![0.0; d_head * inputs];
        transpose(x, x_stride, [inputs, d_head], &mut columns, inputs);
        let groups = (0..outputs).step_by(GROUP).map(|first| (first..outputs.min(first + GROUP), 0..d_head));
        let groups: Vec<_> = groups.collect();
        dispatch(Sums {
            out: (grads, inputs),
            first: 0,
            weight: Scalars::rows(dy.0, dy.1),
            x: (&columns, inputs),
            cols: inputs,
            groups: &groups,
            add: true,
        });
    }
}
