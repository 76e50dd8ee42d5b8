//! The network that draws a filter: sine layers and a linear one.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

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
    pub(crate) fn forward(&self, features: Tensor<2>, frequencies: Tensor<2>) -> Tensor<2> {
        let frequency = |i: usize| match frequencies.dims() {
            [1, _] => frequencies.clone(),
            _ => frequencies.clone().narrow(0, i, 1),
        };
        let layers = std::iter::once(&self.input).chain(&self.inner).enumerate();
        let sine = |x: Tensor<2>, (i, layer): (usize, &Linear)| (layer.forward(x) * frequency(i)).sin();
        self.output.forward(layers.fold(features, sine))
    }
}
