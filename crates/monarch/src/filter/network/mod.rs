//! The network that generates a filter: sine layers and a linear one.

mod backward;
mod forward;
mod fused;
mod layers;

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use subquad_backend::Form;
use subquad_backend::kernel::apply;

use self::layers::Sizes;

/// `W3 sin(w (W2 sin(w (W1 sin(w (W0 z + b0)) + b1)) + b2))`, with the frequencies `w` from outside.
///
/// Sitzmann et al. 2020, <https://arxiv.org/abs/2006.09661>, and with learned frequencies Poli et al. 2023 (Hyena),
/// <https://arxiv.org/abs/2302.10866>, section 3.3.
#[derive(Module, Debug)]
pub(crate) struct SineNetwork {
    pub(crate) input: Linear,
    pub(crate) inner: Vec<Linear>,
    /// It has no bias: the filter is the network times a decay, so a bias would only add a bare decay.
    pub(crate) output: Linear,
}

impl SineNetwork {
    pub(crate) fn new([emb_dim, order, d_model]: [usize; 3], num_inner: usize, device: &Device) -> Self {
        let inner = |_| LinearConfig::new(order, order).init(device);
        Self {
            input: LinearConfig::new(emb_dim, order).init(device),
            inner: (0..num_inner).map(inner).collect(),
            output: LinearConfig::new(order, d_model).with_bias(false).init(device),
        }
    }

    /// `features [seq, emb_dim]` to `[seq, d_model]`; `frequencies [sine layers, order]`, or `[1, order]` for all layers.
    ///
    /// # Panics
    /// If a width or the number of frequencies differs.
    pub(crate) fn forward(&self, features: Tensor<2>, frequencies: Tensor<2>, form: Form) -> Tensor<2> {
        let (sizes, [_, emb_dim], [rows, order]) = (self.sizes(), features.dims(), frequencies.dims());
        assert_eq!(
            [emb_dim, order],
            [sizes.emb_dim, sizes.order],
            "features and sines of a filter's network"
        );
        assert!(rows == 1 || rows == sizes.sine_layers, "{rows} rows of frequencies for {sizes:?}");
        match form {
            Form::Portable => self.layer_by_layer(features, frequencies),
            Form::Fused => {
                let inputs = [features.into(), frequencies.into(), self.numbers().into()];
                apply(fused::Answers(sizes), inputs)
            }
        }
    }

    fn layer_by_layer(&self, features: Tensor<2>, frequencies: Tensor<2>) -> Tensor<2> {
        let [rows, _] = frequencies.dims();
        let frequency = |i: usize| frequencies.clone().narrow(0, i.min(rows - 1), 1);
        let layers = std::iter::once(&self.input).chain(&self.inner).enumerate();
        let sine = |x: Tensor<2>, (i, layer): (usize, &Linear)| (layer.forward(x) * frequency(i)).sin();
        self.output.forward(layers.fold(features, sine))
    }

    /// Weights and biases of all layers one after the other, as [`Sizes`] finds them.
    fn numbers(&self) -> Tensor<1> {
        let layers = std::iter::once(&self.input).chain(&self.inner).chain([&self.output]);
        let numbers = |layer: &Linear| {
            let bias = layer.bias.as_ref().map(Param::val);
            std::iter::once(layer.weight.val().flatten::<1>(0, 1)).chain(bias)
        };
        Tensor::cat(layers.flat_map(numbers).collect(), 0)
    }

    fn sizes(&self) -> Sizes {
        let ([emb_dim, order], [_, d_model]) = (self.input.weight.dims(), self.output.weight.dims());
        Sizes { emb_dim, order, d_model, sine_layers: 1 + self.inner.len() }
    }
}
