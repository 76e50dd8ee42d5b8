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
        Form::Fused => apply(Gate { by: X1 }, [parts.into()]),
    }
}

/// `y * x2`
fn after(y: Tensor<3>, parts: Tensor<3>, form: Form) -> Tensor<3> {
    match form {
        Form::Portable => y * third(&parts, X2),
        Form::Fused => apply(Gate { by: X2 }, [parts.into(), y.into()]),
    }
}

/// Inputs: `parts` and, if it is not their own `v` that a third of them gates, `y`.
#[derive(Debug)]
struct Gate {
    by: usize,
}

impl CpuKernel for Gate {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let [batch, seq, width] = inputs[0].dims();
        let data = rows(batch * seq, width / 3, |out, row| {
            simd::multiply(out, gated(inputs, row), part(&inputs[0], row, self.by));
        });
        Array::new(data, [batch, seq, width / 3])
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let parts = &saved.inputs[0];
        let [batch, seq, width] = parts.dims();
        let (count, d_model) = (batch * seq, width / 3);
        let grad = |row: usize| &saved.grad.data[row * d_model..][..d_model];
        let of_parts = |out: &mut [f32], row: usize| {
            simd::multiply(&mut out[self.by * d_model..][..d_model], grad(row), gated(saved.inputs, row));
            if saved.inputs.len() == 1 {
                simd::multiply(&mut out[V * d_model..], grad(row), part(parts, row, self.by));
            }
        };
        let of_y = |out: &mut [f32], row: usize| simd::multiply(out, grad(row), part(parts, row, self.by));
        let mut grads = vec![saved.wanted[0].then(|| Array::new(rows(count, width, of_parts), parts.shape))];
        if let Some(y) = saved.inputs.get(1) {
            grads.push(saved.wanted[1].then(|| Array::new(rows(count, d_model, of_y), y.shape)));
        }
        grads
    }
}

/// A row of what is gated.
fn gated<'a>(inputs: &[View<'a>], row: usize) -> &'a [f32] {
    match inputs.get(1) {
        Some(y) => &y.data[row * y.shape[2]..][..y.shape[2]],
        None => part(&inputs[0], row, V),
    }
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
