//! The channel mixer of Transformers.

use burn::config::Config;
use burn::nn::LinearConfig;
use burn::tensor::Device;
use subquad_mixer::Refusal;

use super::{DenseMlp, Mlp, expanded, narrow_widths};

/// Config of a [`DenseMlp`].
#[derive(Config, Debug)]
pub struct DenseMlpConfig {
    /// Width of input and output.
    pub d_model: usize,
    /// Hidden width, after the gate.
    pub d_hidden: usize,
    /// Whether there is a gate between the layers, for which the first layer is twice as wide.
    #[config(default = false)]
    pub gated: bool,
}

impl DenseMlpConfig {
    /// Whether the layer can be built.
    ///
    /// # Errors
    /// The first of the [refusals](Self::refusals).
    pub fn check(&self) -> Result<(), Refusal> {
        Refusal::first(self.refusals())
    }

    /// Everything that keeps the layer from being built: a size of 0.
    pub fn refusals(&self) -> Vec<Refusal> {
        narrow_widths(self.d_model, self.d_hidden, 1).collect()
    }

    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> DenseMlp {
        self.check().unwrap_or_else(|e| panic!("DenseMlpConfig: {e}"));
        Mlp::new(self.layers().map(|layer| layer.init(device)), self.gated, device)
    }

    /// Number of parameters of both layers, including biases.
    pub fn n_parameters(&self) -> usize {
        let bias = |layer: &LinearConfig| if layer.bias { layer.d_output } else { 0 };
        self.layers().iter().map(|layer| layer.d_input * layer.d_output + bias(layer)).sum()
    }

    /// Floating point operations of both layers for one token: two for each weight. Biases, GELU and gate are not counted.
    pub fn flops(&self) -> usize {
        self.layers().iter().map(|layer| 2 * layer.d_input * layer.d_output).sum()
    }

    fn layers(&self) -> [LinearConfig; 2] {
        let Self { d_model, d_hidden, gated } = *self;
        [
            LinearConfig::new(d_model, expanded(d_hidden, gated)).with_bias(!gated),
            LinearConfig::new(d_hidden, d_model),
        ]
    }
}
