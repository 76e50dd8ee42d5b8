//! The causal long convolution on its own: `[batch, d_model, seq_len]` with one kernel per channel, as long as the
//! sequence, by FFT or by products with Monarch matrices.

use burn::module::{Module, Param};
use burn::tensor::{Device, Distribution, Tensor};
use subquad_backend::Form;
use subquad_backend::fft_conv::{self, reference};
use subquad_mixer::Flops;
use subquad_monarch::monarch_conv;

use super::subject::{Alive, Build, Operations, Subject};
use crate::layer::operation;
use crate::{Layer, Sizes};

/// Both ways.
pub(super) const SUBJECTS: &[Subject] = &[
    subject(
        "fft_conv",
        "causal long convolution and its kernel; input [batch, d_model, seq]",
        |sizes, device| build(sizes, device, fft_conv::causal_conv),
        |sizes| ACTIVATIONS * sizes.elements() as f64 + 2.0 * kernel_floats(sizes),
        |sizes| Some(Flops::fft_conv(sizes.d_model, sizes.d_model, sizes.seq_len).of_step(sizes.batch)),
    ),
    subject(
        "monarch_conv",
        "the same convolution as fft_conv, by products with Monarch matrices",
        |sizes, device| build(sizes, device, monarch_conv::causal_conv),
        |sizes| MONARCH_ACTIVATIONS * (sizes.elements() as f64 + kernel_floats(sizes)),
        |sizes| Some(monarch_conv::training_flops(sizes.d_model, sizes.seq_len, false).of_step(sizes.batch)),
    ),
];

/// Number of floats alive for each float of the input.
const ACTIVATIONS: f64 = 4.0;
/// The same for burn operations, each of which keeps its output.
const MONARCH_ACTIVATIONS: f64 = 9.0;

const fn subject(
    name: &'static str,
    summary: &'static str,
    build: Build,
    alive: Alive,
    flops: Operations,
) -> Subject {
    Subject {
        name,
        summary,
        has_hidden: false,
        has_blocks: false,
        check: |_| Ok(()),
        build,
        input: |sizes| [sizes.batch, sizes.d_model, sizes.seq_len],
        definition,
        alive,
        flops,
    }
}

fn kernel_floats(sizes: &Sizes) -> f64 {
    (sizes.d_model * sizes.seq_len) as f64
}

type CausalConv = fn(Tensor<3>, Tensor<2>, Form) -> Tensor<3>;

#[derive(Module, Debug)]
struct Convolution {
    /// `[d_model, seq_len]`
    kernel: Param<Tensor<2>>,
    #[module(skip)]
    form: Form,
    #[module(skip)]
    causal_conv: CausalConv,
}

fn build(sizes: &Sizes, device: &Device, causal_conv: CausalConv) -> Box<dyn Layer> {
    let normal = Distribution::Normal(0.0, 1.0);
    let kernel = Param::from_tensor(Tensor::random([sizes.d_model, sizes.seq_len], normal, device));
    operation(Convolution { kernel, form: Form::for_device(device), causal_conv }, |layer, x| {
        (layer.causal_conv)(x, layer.kernel.val(), layer.form)
    })
}

fn definition(sizes: &Sizes, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
    let channels = x.chunks(sizes.seq_len).zip(parameters[0].chunks(sizes.seq_len));
    channels.flat_map(|(u, kernel)| reference::causal_conv(u, kernel)).collect()
}
