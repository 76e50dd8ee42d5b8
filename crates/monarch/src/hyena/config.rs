//! Config of Hyena.

use burn::nn::LinearConfig;
use burn::tensor::Device;
use subquad_backend::Form;

use super::Hyena;
use crate::init::draw;
use crate::options::{M2ConfigError, check, gated_config};
use crate::{ImplicitFilterConfig, short};

gated_config! {
    /// Config of a [`Hyena`].
    pub struct HyenaConfig {
        /// Projections that gate, at least 2. There is one long filter less: each stands between two gates.
        #[config(default = 2)]
        pub order: usize,
    }
}

/// Why a [`HyenaConfig`] is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum HyenaConfigError {
    /// Too few gates for a filter.
    #[error("order = {order}, but a long filter stands between two gates, so it must be at least 2")]
    Order {
        /// The order asked for.
        order: usize,
    },
    /// An option that M2 has as well.
    #[error(transparent)]
    Option(#[from] M2ConfigError),
}

impl HyenaConfig {
    /// # Errors
    /// If `order` is below 2, the [filter](ImplicitFilterConfig::check) is refused, `short_filter` is 0, `dropout` is not in
    /// [0, 1), or a rate is negative.
    pub fn check(&self) -> Result<(), HyenaConfigError> {
        let Self { order, short_filter, dropout, .. } = *self;
        match order < 2 {
            true => Err(HyenaConfigError::Order { order }),
            false => Ok(check(&self.filter(), short_filter, dropout, self.rates())?),
        }
    }

    /// How many numbers the layer learns, without building it. The config must pass [`check`](Self::check).
    pub fn n_parameters(&self) -> usize {
        let (d_model, width) = (self.d_model, (self.order + 1) * self.d_model);
        let linear = (d_model + 1) * (width + d_model);
        linear + width * (self.short_filter + 1) + self.filter().n_parameters()
    }

    /// Linear layers and the filter network start as PyTorch's do, the short convolution in `+-1/sqrt(short_filter)`, the
    /// filters' biases as N(0, 1). All parameters are drawn at once.
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> Hyena {
        self.check().unwrap_or_else(|e| panic!("HyenaConfig: {e}"));
        let (d_model, width) = (self.d_model, (self.order + 1) * self.d_model);
        let (short_weight, short_bias) = short::init(width, self.short_filter, device);
        draw(Hyena {
            in_linear: LinearConfig::new(d_model, width).init(device),
            short_weight,
            short_bias,
            filter: self.filter().init(device),
            out_linear: LinearConfig::new(d_model, d_model).init(device),
            config: self.clone(),
            form: Form::for_device(device),
        })
    }

    /// All long filters together, as one of `(order - 1) d_model` channels.
    pub(crate) fn filter(&self) -> ImplicitFilterConfig {
        self.causal_filter((self.order - 1) * self.d_model)
    }
}
