//! The options that M2 and Hyena share, written once, and the methods that every mixer's config has in the same form.

/// A config with the fields given, followed by those that the gated long convolutions share.
macro_rules! gated_config {
    ($(#[$about:meta])* pub struct $name:ident { $($(#[$own:meta])* pub $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(burn::config::Config, subquad_mixer::Options, Debug)]
        pub struct $name {
            /// Width of input and output.
            #[option(given, range = 1..)]
            pub d_model: usize,
            /// Length of the filter in tokens: the longest sequence that it covers. "longest" is the longest sequence
            /// of the config, test conditions included. A filter keeps l_max (channels + emb_dim) floats.
            #[option(range = 1..=subquad_options::range::LONGEST_SEQ, or = "longest")]
            pub l_max: usize,
            $($(#[$own])* pub $field: $type,)*
            /// Hidden width of the small network that generates the long filter. 64 as in Hyena; M2-BERT has 128.
            #[config(default = 64)]
            #[option(range = crate::filter::ORDERS)]
            pub filter_order: usize,
            /// Width of the filter's positional features, odd: time itself, then sines and cosines. With 3 there is a single
            /// frequency, so low that it is nearly constant.
            #[config(default = 5)]
            #[option(range = crate::filter::EMB_DIMS)]
            pub emb_dim: usize,
            /// Number of sine layers of the filter network after the first one, which reads the features.
            #[config(default = 2)]
            #[option(range = crate::filter::NUM_INNER)]
            pub num_inner: usize,
            /// Initial frequency of the filter network's sine activations; higher frequencies make rougher filters.
            #[config(default = 10.0)]
            #[option(range = subquad_options::range::POSITIVE)]
            pub sine_frequency: f64,
            /// All sine layers learn the same frequencies, as published; in a filter that looks both ways, so do both of its
            /// networks. False: each layer has its own.
            #[config(default = true)]
            pub share_sine: bool,
            /// Taps of the filter decay with their lag, in each channel at its own rate.
            #[config(default = true)]
            pub modulate: bool,
            /// A constant added to that decay, so that distant taps need not vanish. Only with modulate.
            #[config(default = 0.0)]
            pub shift: f64,
            /// Taps of all channels at one lag are divided by the sum of their absolute values.
            #[config(default = false)]
            pub normalized: bool,
            /// How the long convolutions are computed: by fast Fourier transforms, or by products with Monarch
            /// matrices, with the same result.
            #[config(default = "crate::ConvAlgorithm::Fft")]
            pub conv: crate::ConvAlgorithm,
            /// Taps of the short convolution before the gates, including the one on the present token.
            #[config(default = 3)]
            #[option(range = 1..=1024)]
            pub short_filter: usize,
            /// Share of numbers dropped in training, before each long filter and, in m2, before the output layer; 0
            /// drops none. It comes on top of model.dropout.
            #[config(default = 0.0)]
            #[option(range = subquad_options::range::DROPPED)]
            pub dropout: f64,
            /// The filter network learns at optim.lr, but never faster than this.
            #[config(default = 1e-3)]
            #[option(range = subquad_options::range::NOT_NEGATIVE)]
            pub filter_lr: f64,
            /// Weight decay of the filter network, whatever optim.weight_decay is.
            #[config(default = 0.0)]
            #[option(range = subquad_options::range::NOT_NEGATIVE)]
            pub filter_weight_decay: f64,
            /// The positional features learn at optim.lr, but never faster than this; 0 freezes them. It is small because they
            /// move the whole filter.
            #[config(default = 1e-5)]
            #[option(range = subquad_options::range::NOT_NEGATIVE)]
            pub position_lr: f64,
        }

        impl $name {
            /// Whether the layer can be built.
            ///
            /// # Errors
            /// The first of the [refusals](Self::refusals).
            pub fn check(&self) -> Result<(), subquad_mixer::Refusal> {
                subquad_mixer::Refusal::first(self.refusals())
            }

            /// A one-sided filter of `channels` channels.
            fn causal_filter(&self, channels: usize) -> crate::ImplicitFilterConfig {
                crate::ImplicitFilterConfig::new(channels, self.l_max)
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

            pub(crate) fn groups(
                &self,
                filters: &[&crate::ImplicitFilter],
            ) -> Vec<subquad_mixer::ParameterGroup> {
                let Self { filter_lr, filter_weight_decay, position_lr, .. } = *self;
                crate::ImplicitFilter::groups(filters, filter_lr, filter_weight_decay, position_lr)
            }
        }
    };
}
pub(crate) use gated_config;

/// The trait's methods for a config that has methods of the same names, so that users need not import the trait.
macro_rules! as_its_own_methods {
    () => {
        fn refusals(&self) -> Vec<subquad_mixer::Refusal> {
            self.refusals()
        }

        fn n_parameters(&self) -> usize {
            self.n_parameters()
        }

        fn init(&self, device: &burn::tensor::Device) -> Self::Mixer {
            self.init(device)
        }
    };
}
pub(crate) use as_its_own_methods;
