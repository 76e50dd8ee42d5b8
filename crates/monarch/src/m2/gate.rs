//! The two gates of M2 and of Hyena. They also take the sequence into the layout of the long convolution and back.
//!
//! ```text
//! before   v * x1            [batch, seq, 3 d_model] to [batch, d_model, seq]
//! after    y * x2 (+ skip)   [batch, d_model, seq] to [batch, seq, d_model]
//! ```
//! x1, x2, v are the thirds of the last axis. As burn operations these would be a handful of passes over strided views,
//! each on one thread, and would take longer than the convolution between them.

use burn::tensor::Tensor;
use rayon::prelude::*;
use subquad_backend::Form;
use subquad_backend::kernel::{Array, CpuKernel, Saved, Unwritten, View, apply};

/// # Shapes
/// - `parts`: `[batch, seq, 3 d_model]`
/// - output: `[batch, d_model, seq]`
pub(crate) fn before(parts: Tensor<3>, form: Form) -> Tensor<3> {
    match form {
        Form::Portable => (third(&parts, V) * third(&parts, X1)).swap_dims(1, 2),
        Form::Fused => apply(Before, [parts.into()]),
    }
}

/// # Shapes
/// - `y`, `skip`: `[batch, d_model, seq]`
/// - `parts`: `[batch, seq, 3 d_model]`
/// - output: `[batch, seq, d_model]`
pub(crate) fn after(y: Tensor<3>, parts: Tensor<3>, skip: Option<Tensor<3>>, form: Form) -> Tensor<3> {
    match (form, skip) {
        (Form::Portable, None) => y.swap_dims(1, 2) * third(&parts, X2),
        (Form::Portable, Some(skip)) => y.swap_dims(1, 2) * third(&parts, X2) + skip.swap_dims(1, 2),
        (Form::Fused, None) => apply(After, [y.into(), parts.into()]),
        (Form::Fused, Some(skip)) => apply(After, [y.into(), parts.into(), skip.into()]),
    }
}

/// The thirds of a projection, in order.
pub(crate) const X1: usize = 0;
pub(crate) const X2: usize = 1;
pub(crate) const V: usize = 2;

/// One of the thirds: `[batch, seq, 3 d_model]` to `[batch, seq, d_model]`.
pub(crate) fn third(parts: &Tensor<3>, i: usize) -> Tensor<3> {
    let d_model = parts.dims()[2] / 3;
    parts.clone().narrow(2, i * d_model, d_model)
}

/// Inputs: `parts`.
#[derive(Debug)]
struct Before;

impl CpuKernel for Before {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let parts = Parts::new(&inputs[0]);
        parts.grid.channel_rows(|at| parts.get(V, at) * parts.get(X1, at))
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let (parts, dz) = (Parts::new(&saved.inputs[0]), saved.grad.data);
        vec![Some(parts.grid.token_rows(|at| {
            let dz = dz[at.in_channels];
            [dz * parts.get(V, at), 0.0, dz * parts.get(X1, at)]
        }))]
    }
}

/// Inputs: `y`, `parts` and, if there is one, `skip`.
#[derive(Debug)]
struct After;

impl CpuKernel for After {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let (y, parts) = (inputs[0].data, Parts::new(&inputs[1]));
        match inputs.get(2) {
            Some(skip) => parts
                .grid
                .token_rows(|at| [y[at.in_channels] * parts.get(X2, at) + skip.data[at.in_channels]]),
            None => parts.grid.token_rows(|at| [y[at.in_channels] * parts.get(X2, at)]),
        }
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let (y, parts, d) = (saved.inputs[0].data, Parts::new(&saved.inputs[1]), saved.grad.data);
        let grid = parts.grid;
        let mut grads = vec![
            saved.wanted[0].then(|| grid.channel_rows(|at| d[at.in_tokens(grid)] * parts.get(X2, at))),
            saved.wanted[1]
                .then(|| grid.token_rows(|at| [0.0, d[at.in_tokens(grid)] * y[at.in_channels], 0.0])),
        ];
        if let Some(wanted) = saved.wanted.get(2) {
            grads.push(wanted.then(|| grid.channel_rows(|at| d[at.in_tokens(grid)])));
        }
        grads
    }
}

/// `[batch, seq, 3 d_model]`
struct Parts<'a> {
    data: &'a [f32],
    grid: Grid,
}

impl<'a> Parts<'a> {
    fn new(view: &View<'a>) -> Self {
        let [batch, seq, width] = view.dims();
        Self { data: view.data, grid: Grid { batch, seq, d_model: width / 3 } }
    }

    #[inline(always)]
    fn get(&self, third: usize, at: At) -> f32 {
        self.data[(at.token * 3 + third) * self.grid.d_model + at.channel]
    }
}

/// One element of a sequence.
#[derive(Clone, Copy)]
struct At {
    /// Its token, counted over the whole batch.
    token: usize,
    channel: usize,
    /// Its place in `[batch, d_model, seq]`.
    in_channels: usize,
}

impl At {
    /// Its place in `[batch, seq, d_model]`.
    #[inline(always)]
    fn in_tokens(self, grid: Grid) -> usize {
        self.token * grid.d_model + self.channel
    }
}

/// Number of tokens and channels that are processed together: 16 floats are a cache line, so both layouts use whole lines.
const TILE: usize = 16;

#[derive(Clone, Copy)]
struct Grid {
    batch: usize,
    seq: usize,
    d_model: usize,
}

impl Grid {
    fn at(self, batch: usize, t: usize, channel: usize) -> At {
        At {
            token: batch * self.seq + t,
            channel,
            in_channels: (batch * self.d_model + channel) * self.seq + t,
        }
    }

    /// `f` of every element, as `[batch, d_model, seq]`.
    fn channel_rows(self, f: impl Fn(At) -> f32 + Sync) -> Array {
        let Self { batch, seq, d_model } = self;
        let mut out = Unwritten::new(batch * d_model * seq);
        out.parts(d_model * seq).into_par_iter().enumerate().for_each(|(b, rows)| {
            rows.parts(TILE * seq).into_par_iter().enumerate().for_each(|(block, rows)| {
                let rows = rows.zeros();
                for first in (0..seq).step_by(TILE) {
                    for (i, row) in rows.chunks_mut(seq).enumerate() {
                        let channel = block * TILE + i;
                        let tile = row[first..].iter_mut().take(TILE).enumerate();
                        tile.for_each(|(j, out)| *out = f(self.at(b, first + j, channel)));
                    }
                }
            });
        });
        Array::new(out.into_vec(), [batch, d_model, seq])
    }

    /// The `N` numbers that `f` gives for every element, as `[batch, seq, N d_model]`: all first ones, then all second ones ..
    fn token_rows<const N: usize>(self, f: impl Fn(At) -> [f32; N] + Sync) -> Array {
        let Self { batch, seq, d_model } = self;
        let width = N * d_model;
        let mut out = Unwritten::new(batch * seq * width);
        out.parts(seq * width).into_par_iter().enumerate().for_each(|(b, rows)| {
            rows.parts(TILE * width).into_par_iter().enumerate().for_each(|(block, rows)| {
                let rows = rows.zeros();
                for channel in 0..d_model {
                    for (i, row) in rows.chunks_mut(width).enumerate() {
                        let values = f(self.at(b, block * TILE + i, channel));
                        (0..N).for_each(|n| row[n * d_model + channel] = values[n]);
                    }
                }
            });
        });
        Array::new(out.into_vec(), [batch, seq, width])
    }
}
