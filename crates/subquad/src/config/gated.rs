//! Sections `[mixer.hyena]` and `[mixer.m2]` as types: what both share is written once.

use serde::{Deserialize, Serialize};

use super::Conv;

/// A section with the fields written in it, then all that both have.
macro_rules! section {
    ($(#[$about:meta])* pub struct $name:ident { $($(#[$own:meta])* pub $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$own])* pub $field: $type,)*
            /// Hidden width of the filter network.
            pub filter_order: usize,
            /// Width of the filter's positional features.
            pub emb_dim: usize,
            /// Sine layers of the filter network behind the first one.
            pub num_inner: usize,
            /// Frequency of the filter network's sine activations.
            pub sine_frequency: f64,
            /// Whether all sine layers learn the same frequencies.
            pub share_sine: bool,
            /// Whether taps decay with their lag.
            pub modulate: bool,
            /// What that decay is lifted by.
            pub shift: f64,
            /// Whether taps of all channels at one lag are divided by the sum of their absolute values.
            pub normalized: bool,
            /// The transforms of the long convolutions.
            pub conv: Conv,
            /// Taps of the short convolution.
            pub short_filter: usize,
            /// Share of numbers dropped in training inside the mixer.
            pub dropout: f64,
            /// Longest sequence that the filter reaches, in tokens, as a number.
            pub l_max: usize,
            /// Learning rate of the filter network.
            pub filter_lr: f64,
            /// Weight decay of the filter network.
            pub filter_weight_decay: f64,
            /// Learning rate of the positional features.
            pub position_lr: f64,
        }
    };
}

section! {
    /// Section `[mixer.hyena]`.
    pub struct HyenaSettings {
        /// Projections that gate.
        pub order: usize,
    }
}

section! {
    /// Section `[mixer.m2]`.
    pub struct M2Settings {
        /// Whether a second long convolution of the input runs beside the gated one.
        pub residual: bool,
        /// How far ahead the first tap that looks ahead looks, in tokens.
        pub rev_offset: usize,
        /// Whether a layer norm stands in front of the mixer.
        pub input_norm: bool,
    }
}
