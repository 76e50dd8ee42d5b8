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
use subquad_backend::row_linear::RowLinear;
use subquad_backend::{Form, linear::linear, short_conv::short_conv};
use subquad_mixer::Flops;

use crate::gate;
use crate::history::{no_past, short_conv_after};
use crate::init;
use crate::stepper::{RowGates, ShortTaps};

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
        let (short_weight, short_bias) = init::short_conv(width, WIDTH, device);
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

    /// Operations of the short convolution, forward and backward.
    pub(crate) fn short_flops(d_model: usize, seq_len: usize) -> Flops {
        Flops::short_conv(3 * d_model, WIDTH, seq_len)
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
        let (weight, bias) = (self.short_weight.val(), self.short_bias.val());
        short_conv(linear(&self.in_linear, x, form), weight, bias, form)
    }

    /// The three parts of a chunk that follows `past`; `past` is advanced.
    pub(crate) fn parts_after(&self, past: &mut Tensor<3>, x: Tensor<3>, form: Form) -> Tensor<3> {
        let (weight, bias) = (self.short_weight.val(), self.short_bias.val());
        short_conv_after(past, linear(&self.in_linear, x, form), weight, bias, form)
    }

    /// A copy of the present weights for decoding over slices.
    pub(crate) fn rows(&self) -> RowGates {
        RowGates {
            in_linear: RowLinear::new(&self.in_linear),
            short: ShortTaps::new(self.short_weight.val(), self.short_bias.val()),
            out_linear: RowLinear::new(&self.out_linear),
        }
    }

    /// Applies gates and output projection around `mix`.
    pub(crate) fn around(
        &self,
        parts: Tensor<3>,
        form: Form,
        mix: impl FnOnce(Tensor<3>) -> Tensor<3>,
    ) -> Tensor<3> {
        let y = mix(gate::before(parts.clone(), form));
        linear(&self.out_linear, gate::after(y, parts, form), form)
    }
}
