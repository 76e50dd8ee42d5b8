//! The channel mixer of Transformers.

use burn::config::Config;
use burn::nn::LinearConfig;
use burn::tensor::Device;

use super::{DenseMlp, Mlp, expanded};

/// Config of a [`DenseMlp`].
#[derive(Config, Debug)]
pub struct DenseMlpConfig {
    /// Width of input and output.
    pub d_model: usize,
    /// Width in between, after the gate.
    pub d_hidden: usize,
    /// Whether a gate stands in between, which the first layer makes twice as wide for.
    #[config(default = false)]
    pub gated: bool,
}

/// Why a [`DenseMlpConfig`] is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DenseMlpConfigError {
    /// A size is 0.
    #[error("{what} = 0, but a channel mixer needs at least 1")]
    ZeroSize {
        /// The size.
        what: &'static str,
    },
}

impl DenseMlpConfig {
    /// # Errors
    /// If a size is 0.
    pub fn check(&self) -> Result<(), DenseMlpConfigError> {
        match [("d_model", self.d_model), ("d_hidden", self.d_hidden)]
            .into_iter()
            .find(|(_, size)| *size == 0)
        {
            Some((what, _)) => Err(DenseMlpConfigError::ZeroSize { what }),
            None => Ok(()),
        }
    }

    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> DenseMlp {
        self.check().unwrap_or_else(|e| panic!("DenseMlpConfig: {e}"));
        Mlp::new(self.layers().map(|layer| layer.init(device)), self.gated, device)
    }

    /// Parameters of both layers, biases included.
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
