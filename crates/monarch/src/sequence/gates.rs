//! What surrounds the matrix along the sequence, as in M2: projections, a short convolution and two gates.
//!
//! ```text
//! x1, x2, v = split(short_conv(W_in x))
//! y         = W_out (mix(v * x1) * x2)
//! ```
//! Rows are tokens throughout: the matrices of this crate mix rows, and unlike an FFT have no use for channels in rows.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use rayon::prelude::*;
use subquad_backend::kernel::{Array, CpuKernel, Saved, Unwritten, View, apply};
use subquad_backend::{Form, linear::linear, short_conv::short_conv, simd};

use crate::m2::gate::{V, X1, X2, third};
use crate::short::{self, no_past, short_conv_after};

/// Number of taps of the short convolution.
const WIDTH: usize = 3;
/// Number of tokens that it looks back.
const PAST: usize = WIDTH - 1;

/// Projections, short convolution and gates.
#[derive(Module, Debug)]
pub(crate) struct Gates {
    in_linear: Linear,
    /// `[3 d_model, 3]`, the last tap is the present.
    short_weight: Param<Tensor<2>>,
    short_bias: Param<Tensor<1>>,
    out_linear: Linear,
}

impl Gates {
    pub(crate) fn new(d_model: usize, device: &Device) -> Self {
        let width = 3 * d_model;
        let (short_weight, short_bias) = short::init(width, WIDTH, device);
        Self {
            in_linear: LinearConfig::new(d_model, width).init(device),
            short_weight,
            short_bias,
            out_linear: LinearConfig::new(d_model, d_model).init(device),
        }
    }

    /// Number of parameters for a layer of this width.
    pub(crate) const fn parameters(d_model: usize) -> usize {
        3 * d_model * (d_model + 1 + WIDTH + 1) + d_model * (d_model + 1)
    }

    /// Operations of the matrix products for `seq` tokens.
    pub(crate) const fn flops(d_model: usize, seq: usize) -> usize {
        2 * seq * d_model * 4 * d_model
    }

    /// Number of floats of [`past`](Self::past) per sequence.
    pub(crate) const fn past_floats(d_model: usize) -> usize {
        PAST * 3 * d_model
    }

    /// What the short convolution remembers before the first token.
    pub(crate) fn past(&self, batch: usize) -> Tensor<3> {
        no_past(batch, &self.short_weight)
    }

    /// The three parts of a whole sequence, `[batch, seq, 3 d_model]`.
    pub(crate) fn parts(&self, x: Tensor<3>, form: Form) -> Tensor<3> {
        self.short_conv(linear(&self.in_linear, x, form), form)
    }

    /// The three parts of a chunk that follows `past`; `past` is advanced.
    pub(crate) fn parts_after(&self, past: &mut Tensor<3>, x: Tensor<3>, form: Form) -> Tensor<3> {
        let (weight, bias) = (self.short_weight.val(), self.short_bias.val());
        short_conv_after(past, linear(&self.in_linear, x, form), weight, bias, form)
    }

    /// Applies gates and output projection around `mix`.
    pub(crate) fn around(
        &self,
        parts: Tensor<3>,
        form: Form,
        mix: impl FnOnce(Tensor<3>) -> Tensor<3>,
    ) -> Tensor<3> {
        let y = mix(before(parts.clone(), form));
        linear(&self.out_linear, after(y, parts, form), form)
    }

    fn short_conv(&self, projected: Tensor<3>, form: Form) -> Tensor<3> {
        short_conv(projected, self.short_weight.val(), self.short_bias.val(), form)
    }
}

/// `v * x1`: `[batch, seq, 3 d_model]` to `[batch, seq, d_model]`.
fn before(parts: Tensor<3>, form: Form) -> Tensor<3> {
    match form {
        Form::Portable => third(&parts, V) * third(&parts, X1),
        Form::Fused => apply(Before, [parts.into()]),
    }
}

/// `y * x2`
fn after(y: Tensor<3>, parts: Tensor<3>, form: Form) -> Tensor<3> {
    match form {
        Form::Portable => y * third(&parts, X2),
        Form::Fused => apply(After, [y.into(), parts.into()]),
    }
}

/// Input: `parts`.
#[derive(Debug)]
struct Before;

impl CpuKernel for Before {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let parts = &inputs[0];
        let [batch, seq, width] = parts.dims();
        let d_model = width / 3;
        let data = rows(batch * seq, d_model, |out, row| {
            let (x1, v) = (part(parts, row, X1), part(parts, row, V));
            (0..d_model).for_each(|i| out[i] = v[i] * x1[i]);
        });
        Array::new(data, [batch, seq, d_model])
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let (parts, d) = (&saved.inputs[0], saved.grad.data);
        let [batch, seq, width] = parts.dims();
        let d_model = width / 3;
        let data = rows(batch * seq, width, |out, row| {
            let (x1, v, d) = (part(parts, row, X1), part(parts, row, V), &d[row * d_model..][..d_model]);
            let (dx1, rest) = out.split_at_mut(d_model);
            let dv = &mut rest[d_model..];
            for i in 0..d_model {
                dx1[i] = d[i] * v[i];
                dv[i] = d[i] * x1[i];
            }
        });
        vec![Some(Array::new(data, [batch, seq, width]))]
    }
}

/// Inputs: `y`, `parts`.
#[derive(Debug)]
struct After;

impl CpuKernel for After {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let (y, parts) = (&inputs[0], &inputs[1]);
        Array::new(gated(y.data, parts), y.shape)
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let (y, parts, d) = (&saved.inputs[0], &saved.inputs[1], saved.grad.data);
        let [batch, seq, width] = parts.dims();
        let d_model = width / 3;
        let of_parts = || {
            let data = rows(batch * seq, width, |out, row| {
                let (y, d) = (&y.data[row * d_model..][..d_model], &d[row * d_model..][..d_model]);
                let dx2 = &mut out[X2 * d_model..][..d_model];
                (0..d_model).for_each(|i| dx2[i] = d[i] * y[i]);
            });
            Array::new(data, [batch, seq, width])
        };
        vec![saved.wanted[0].then(|| Array::new(gated(d, parts), y.shape)), saved.wanted[1].then(of_parts)]
    }
}

/// `y * x2`
fn gated(y: &[f32], parts: &View<'_>) -> Vec<f32> {
    let [batch, seq, width] = parts.dims();
    let d_model = width / 3;
    rows(batch * seq, d_model, |out, row| {
        let (y, x2) = (&y[row * d_model..][..d_model], part(parts, row, X2));
        (0..d_model).for_each(|i| out[i] = y[i] * x2[i]);
    })
}

fn part<'a>(parts: &View<'a>, row: usize, i: usize) -> &'a [f32] {
    let d_model = parts.shape[2] / 3;
    &parts.data[(row * 3 + i) * d_model..][..d_model]
}

/// Number of rows that one thread makes at a time.
const ROWS: usize = 64;

/// `count` rows of `width` numbers, of zeros that `f` fills.
fn rows(count: usize, width: usize, f: impl Fn(&mut [f32], usize) + Sync) -> Vec<f32> {
    let mut all = Unwritten::new(count * width);
    all.parts(ROWS * width).into_par_iter().enumerate().for_each(|(chunk, out)| {
        let out = out.zeros();
        simd::run(
            #[inline(always)]
            || out.chunks_mut(width).enumerate().for_each(|(i, out)| f(out, chunk * ROWS + i)),
        );
    });
    all.into_vec()
}
