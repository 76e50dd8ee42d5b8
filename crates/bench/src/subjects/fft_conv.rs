//! The causal long convolution on its own: `[batch, d_model, seq_len]` with one kernel per channel, as long as the
//! sequence, by FFT or by products with Monarch matrices.

use burn::module::{Module, Param};
use burn::tensor::{Device, Distribution, Tensor};
use subquad_backend::Form;
use subquad_backend::fft_conv::{self, reference};
use subquad_monarch::monarch_conv;

use crate::layer::operation;
use crate::{Layer, Sizes};

#[derive(Module, Debug)]
struct Convolution {
    /// `[d_model, seq_len]`
    kernel: Param<Tensor<2>>,
    #[module(skip)]
    form: Form,
}

impl Convolution {
    fn new(sizes: &Sizes, device: &Device) -> Self {
        let shape = [sizes.d_model, sizes.seq_len];
        let kernel = Param::from_tensor(Tensor::random(shape, Distribution::Normal(0.0, 1.0), device));
        Self { kernel, form: Form::for_device(device) }
    }
}

pub(super) fn build(sizes: &Sizes, device: &Device) -> Box<dyn Layer> {
    operation(Convolution::new(sizes, device), |layer, x| {
        fft_conv::causal_conv(x, layer.kernel.val(), layer.form)
    })
}

pub(super) fn build_monarch(sizes: &Sizes, device: &Device) -> Box<dyn Layer> {
    operation(Convolution::new(sizes, device), |layer, x| {
        monarch_conv::causal_conv(x, layer.kernel.val(), layer.form)
    })
}

pub(super) fn definition(sizes: &Sizes, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
    let channels = x.chunks(sizes.seq_len).zip(parameters[0].chunks(sizes.seq_len));
    channels.flat_map(|(u, kernel)| reference::causal_conv(u, kernel)).collect()
}

pub(super) fn alive(sizes: &Sizes) -> f64 {
    ACTIVATIONS * sizes.elements() as f64 + 2.0 * (sizes.d_model * sizes.seq_len) as f64
}

pub(super) fn alive_monarch(sizes: &Sizes) -> f64 {
    MONARCH_ACTIVATIONS * (sizes.elements() + sizes.d_model * sizes.seq_len) as f64
}

/// Number of floats alive for each float of the input.
const ACTIVATIONS: f64 = 4.0;
/// The same for burn operations, each of which keeps its output.
const MONARCH_ACTIVATIONS: f64 = 9.0;
