//! The network that draws a filter: three sine layers and a linear one.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use subquad_backend::{Form, linear::linear, sine::sine};

/// `W3 sin(w (W2 sin(w (W1 sin(w (W0 z + b0)) + b1)) + b2))`, with the frequencies `w` from outside.
#[derive(Module, Debug)]
pub(crate) struct SineNetwork {
    pub(crate) input: Linear,
    pub(crate) inner: [Linear; 2],
    /// Without a bias: the filter is the network times a decay, so a bias would be one more bare decay.
    pub(crate) output: Linear,
}

impl SineNetwork {
    pub(crate) fn new(emb_dim: usize, order: usize, d_model: usize, device: &Device) -> Self {
        let inner = || LinearConfig::new(order, order).init(device);
        Self {
            input: LinearConfig::new(emb_dim, order).init(device),
            inner: [inner(), inner()],
            output: LinearConfig::new(order, d_model).with_bias(false).init(device),
        }
    }

    /// `features [seq, emb_dim]` and `frequency [order]` to `[seq, d_model]`.
    pub(crate) fn forward(&self, features: Tensor<2>, frequency: Tensor<1>, form: Form) -> Tensor<2> {
        let unit = |layer: &Linear, x: Tensor<2>| sine(linear(layer, x, form), frequency.clone(), form);
        let hidden = unit(&self.input, features);
        let hidden = self.inner.iter().fold(hidden, |x, layer| unit(layer, x));
        linear(&self.output, hidden, form)
    }
}
