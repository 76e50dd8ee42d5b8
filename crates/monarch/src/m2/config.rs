//! Config of M2.

use burn::config::Config;
use burn::nn::LinearConfig;
use burn::tensor::Device;
use subquad_backend::Form;

use super::{M2, SHORT_WIDTH};
use crate::init::uniform;
use crate::{ImplicitFilterConfig, ImplicitFilterConfigError};

/// Config of an [`M2`].
#[derive(Config, Debug)]
pub struct M2Config {
    /// Width of input and output.
    pub d_model: usize,
    /// Longest sequence, in tokens. Each filter keeps `l_max * (d_model + emb_dim)` floats.
    pub l_max: usize,
    /// Width of the network that draws the filter. 64 as in Hyena; M2-BERT has 128.
    #[config(default = 64)]
    pub filter_order: usize,
    /// Positional features that this network reads: odd, at least 3; below 5 it hears next to no frequency.
    #[config(default = 5)]
    pub emb_dim: usize,
    /// Initial frequency of its sines. Higher ones draw rougher filters.
    #[config(default = 10.0)]
    pub sine_frequency: f64,
    /// Whether the long convolutions look ahead too. The short one stays causal, as published.
    #[config(default = false)]
    pub bidirectional: bool,
    /// Whether a second long filter on the layer's own input is added before the output projection. It is the only
    /// skip inside the layer: published M2-BERT has it, and no residual around the layer.
    #[config(default = false)]
    pub residual: bool,
    /// Largest learning rate of the networks that draw the filters.
    #[config(default = 1e-3)]
    pub filter_lr: f64,
    /// Their weight decay.
    #[config(default = 0.0)]
    pub filter_weight_decay: f64,
    /// Largest learning rate of the positional features. They move the whole filter, so it is small; 0 freezes them.
    #[config(default = 1e-5)]
    pub position_lr: f64,
}

/// Why an [`M2Config`] is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum M2ConfigError {
    /// A size or the frequency does not fit the filters.
    #[error(transparent)]
    Filter(#[from] ImplicitFilterConfigError),
    /// A learning rate or weight decay is negative or not a number.
    #[error("{what} = {value}, but it must be a finite number of at least 0")]
    Rate {
        /// Which.
        what: &'static str,
        /// Its value.
        value: f64,
    },
}

impl M2Config {
    /// # Errors
    /// If a size is 0, `emb_dim` is even or below 3, the frequency is not positive, or a rate is negative.
    pub fn check(&self) -> Result<(), M2ConfigError> {
        self.filter().check()?;
        let rates = [
            ("filter_lr", self.filter_lr),
            ("filter_weight_decay", self.filter_weight_decay),
            ("position_lr", self.position_lr),
        ];
        match rates.into_iter().find(|(_, value)| !(value.is_finite() && *value >= 0.0)) {
            Some((what, value)) => Err(M2ConfigError::Rate { what, value }),
            None => Ok(()),
        }
    }

    /// How many numbers the layer learns, without building it. The config must pass [`check`](Self::check).
    pub fn n_parameters(&self) -> usize {
        let d_model = self.d_model;
        let (linear, short) = ((d_model + 1) * 4 * d_model, 3 * d_model * (SHORT_WIDTH + 1));
        let filters = if self.residual { 2 } else { 1 };
        linear + short + filters * self.filter().n_parameters()
    }

    /// Linear layers and filter networks start as PyTorch's do, the short convolution in `+-1/sqrt(3)`, the filters'
    /// biases as N(0, 1).
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> M2 {
        self.check().unwrap_or_else(|e| panic!("M2Config: {e}"));
        let (d_model, width) = (self.d_model, 3 * self.d_model);
        M2 {
            in_linear: LinearConfig::new(d_model, width).init(device),
            short_weight: uniform([width, SHORT_WIDTH], SHORT_WIDTH, device),
            short_bias: uniform([width], SHORT_WIDTH, device),
            filter: self.filter().init(device),
            residual: self.residual.then(|| self.filter().init(device)),
            out_linear: LinearConfig::new(d_model, d_model).init(device),
            config: self.clone(),
            form: Form::for_device(device),
        }
    }

    pub(crate) fn filter(&self) -> ImplicitFilterConfig {
        ImplicitFilterConfig::new(self.d_model, self.l_max)
            .with_order(self.filter_order)
            .with_emb_dim(self.emb_dim)
            .with_sine_frequency(self.sine_frequency)
            .with_bidirectional(self.bidirectional)
    }
}
