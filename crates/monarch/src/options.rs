//! The options that M2 and Hyena share, written once, and what they refuse.

use crate::filter::Rates;
use crate::{ImplicitFilterConfig, ImplicitFilterConfigError};

/// A config with the fields written in it, then all that the gated long convolutions share.
macro_rules! gated_config {
    ($(#[$about:meta])* pub struct $name:ident { $($(#[$own:meta])* pub $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(burn::config::Config, Debug)]
        pub struct $name {
            /// Width of input and output.
            pub d_model: usize,
            /// Longest sequence, in tokens. A filter keeps `l_max (channels + emb_dim)` floats.
            pub l_max: usize,
            $($(#[$own])* pub $field: $type,)*
            /// Width of the network that draws the filter. 64 as in Hyena; M2-BERT has 128.
            #[config(default = 64)]
            pub filter_order: usize,
            /// Positional features that this network reads: odd, at least 3; below 5 it hears next to no frequency.
            #[config(default = 5)]
            pub emb_dim: usize,
            /// Its sine layers behind the first one.
            #[config(default = 2)]
            pub num_inner: usize,
            /// Initial frequency of its sines. Higher ones draw rougher filters.
            #[config(default = 10.0)]
            pub sine_frequency: f64,
            /// Whether all its sine layers learn the same frequencies, as published; a two-sided filter's networks too.
            #[config(default = true)]
            pub share_sine: bool,
            /// Whether taps decay with their lag.
            #[config(default = true)]
            pub modulate: bool,
            /// What that decay is lifted by, so that far taps need not vanish.
            #[config(default = 0.0)]
            pub shift: f64,
            /// Whether the taps of all channels at one lag are divided by the sum of their absolute values.
            #[config(default = false)]
            pub normalized: bool,
            /// The transforms of the long convolutions.
            #[config(default = "crate::ConvAlgorithm::Fft")]
            pub conv: $crate::ConvAlgorithm,
            /// Taps of the short convolution, the present one among them.
            #[config(default = 3)]
            pub short_filter: usize,
            /// Probability of dropping a number in training alone.
            #[config(default = 0.0)]
            pub dropout: f64,
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

        impl $name {
            /// A one-sided filter of so many channels.
            fn causal_filter(&self, channels: usize) -> $crate::ImplicitFilterConfig {
                $crate::ImplicitFilterConfig::new(channels, self.l_max)
                    .with_order(self.filter_order)
                    .with_emb_dim(self.emb_dim)
                    .with_num_inner(self.num_inner)
                    .with_sine_frequency(self.sine_frequency)
                    .with_share_sine(self.share_sine)
                    .with_modulate(self.modulate)
                    .with_shift(self.shift)
                    .with_normalized(self.normalized)
                    .with_conv(self.conv)
            }

            pub(crate) fn rates(&self) -> $crate::filter::Rates {
                $crate::filter::Rates {
                    learning_rate: self.filter_lr,
                    weight_decay: self.filter_weight_decay,
                    position: self.position_lr,
                }
            }
        }
    };
}
pub(crate) use gated_config;

/// Why an [`M2Config`](crate::M2Config) is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum M2ConfigError {
    /// An option does not fit the filters.
    #[error(transparent)]
    Filter(#[from] ImplicitFilterConfigError),
    /// The short convolution has no taps.
    #[error("short_filter = 0, but the short convolution has at least the present token's tap")]
    NoTaps,
    /// More than some of the numbers would be dropped.
    #[error("dropout = {dropout:?}, but it is a share that is dropped, at least 0 and below 1")]
    Dropout {
        /// The share asked for.
        dropout: f64,
    },
    /// A learning rate or weight decay is negative or not a number.
    #[error("{what} = {value:?}, but it must be a finite number of at least 0")]
    Rate {
        /// Which.
        what: &'static str,
        /// Its value.
        value: f64,
    },
}

pub(crate) fn check(
    filter: &ImplicitFilterConfig,
    short_filter: usize,
    dropout: f64,
    rates: Rates,
) -> Result<(), M2ConfigError> {
    filter.check()?;
    if short_filter == 0 {
        return Err(M2ConfigError::NoTaps);
    }
    if !(0.0..1.0).contains(&dropout) {
        return Err(M2ConfigError::Dropout { dropout });
    }
    match rates.wrong() {
        Some((what, value)) => Err(M2ConfigError::Rate { what, value }),
        None => Ok(()),
    }
}
