//! The network that draws a filter: sine layers and a linear one.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use subquad_backend::{Form, linear::linear, sine::sine};

/// `W3 sin(w (W2 sin(w (W1 sin(w (W0 z + b0)) + b1)) + b2))`, with the frequencies `w` from outside.
#[derive(Module, Debug)]
pub(crate) struct SineNetwork {
    pub(crate) input: Linear,
    pub(crate) inner: Vec<Linear>,
    /// Without a bias: the filter is the network times a decay, so a bias would be one more bare decay.
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
    pub(crate) fn forward(&self, features: Tensor<2>, frequencies: Tensor<2>, form: Form) -> Tensor<2> {
        let [rows, _] = frequencies.dims();
        let frequency = |i: usize| frequencies.clone().narrow(0, i.min(rows - 1), 1).squeeze_dim::<1>(0);
        let layers = std::iter::once(&self.input).chain(&self.inner).enumerate();
        let unit =
            |x: Tensor<2>, (i, layer): (usize, &Linear)| sine(linear(layer, x, form), frequency(i), form);
        linear(&self.output, layers.fold(features, unit), form)
    }
}
