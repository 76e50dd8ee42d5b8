//! Config of M2.

use burn::nn::{LayerNormConfig, LinearConfig};
use burn::tensor::Device;
use subquad_backend::Form;
use subquad_mixer::{Context, Flops, Options, Refusal, SequenceMixerConfig};
use subquad_options::range;

use super::M2;
use crate::ImplicitFilterConfig;
use crate::init::short_conv;
use crate::options::{as_its_own_methods, gated_config};

gated_config! {
    /// Config of an [`M2`].
    pub struct M2Config {
        /// Whether the long convolutions look ahead too. The short one stays causal, as published.
        #[config(default = false)]
        #[option(given)]
        pub bidirectional: bool,
        /// A second long convolution, of the layer's own input, is added to the gated one. It is the only skip inside
        /// the layer: published M2-BERT has it instead of a residual connection around the layer.
        #[config(default = false)]
        pub residual: bool,
        /// How many tokens ahead the first future tap looks: 1 as published, or 0, which adds it to the tap of the
        /// present token. 0 only without model.causal.
        #[config(default = 1)]
        #[option(range = 0..=1)]
        pub rev_offset: usize,
        /// A layer norm before the mixer, in addition to model.norm. With dropout, this is what the published layer
        /// calls training_additions.
        #[config(default = false)]
        pub input_norm: bool,
        /// What every sine of the filters' networks multiplies its frequency by, fixed while the frequency learns; published
        /// as `hyena_w_mod`.
        #[config(default = 1.0)]
        #[option(given, range = range::POSITIVE)]
        pub sine_factor: f64,
    }
}

impl M2Config {
    /// Everything that keeps the layer from being built: a number out of its range, an even `emb_dim`, or an option of
    /// the filter that would have no effect.
    pub fn refusals(&self) -> Vec<Refusal> {
        self.refused_by(|| self.filter().contradictions())
    }

    /// How many numbers the layer learns, without building it. The config must pass [`check`](Self::check).
    pub fn n_parameters(&self) -> usize {
        let d_model = self.d_model;
        let (linear, short) = ((d_model + 1) * 4 * d_model, 3 * d_model * (self.short_filter + 1));
        let (filters, norms) = (if self.residual { 2 } else { 1 }, if self.input_norm { 2 } else { 0 });
        linear + short + filters * self.filter().n_parameters() + norms * d_model
    }

    /// Linear layers and filter networks start as PyTorch's do, the short convolution in `+-1/sqrt(short_filter)`, the
    /// filters' biases as N(0, 1).
    ///
    /// # Panics
    /// If [`check`](Self::check) fails.
    pub fn init(&self, device: &Device) -> M2 {
        self.check().unwrap_or_else(|e| panic!("M2Config: {e}"));
        let (d_model, width) = (self.d_model, 3 * self.d_model);
        let (short_weight, short_bias) = short_conv(width, self.short_filter, device);
        M2 {
            norm: self.input_norm.then(|| LayerNormConfig::new(d_model).init(device)),
            in_linear: LinearConfig::new(d_model, width).init(device),
            short_weight,
            short_bias,
            filter: self.filter().init(device),
            residual: self.residual.then(|| self.filter().init(device)),
            out_linear: LinearConfig::new(d_model, d_model).init(device),
            config: self.clone(),
            form: Form::for_device(device),
        }
    }

    pub(crate) fn filter(&self) -> ImplicitFilterConfig {
        self.causal_filter(self.d_model)
            .with_bidirectional(self.bidirectional)
            .with_rev_offset(self.rev_offset)
            .with_sine_factor(self.sine_factor)
    }
}

impl SequenceMixerConfig for M2Config {
    type Mixer = M2;

    fn fit(&mut self, context: &Context) -> Vec<Refusal> {
        (self.d_model, self.bidirectional) = (context.d_model, !context.causal);
        context.too_short(self.l_max).into_iter().collect()
    }

    fn kept(&self) -> f64 {
        let extras = [(self.residual, 1.5), (self.input_norm, 1.0), (self.dropout > 0.0, 4.0)];
        let extras: f64 = extras.iter().filter(|(there, _)| *there).map(|(_, floats)| floats).sum();
        11.0 + self.conv.kept() + extras
    }

    fn kernels(&self, seq_len: usize) -> f64 {
        let filters = if self.residual { 2.0 } else { 1.0 };
        filters * self.filter().floats(seq_len)
    }

    fn training_flops(&self, seq_len: usize) -> Option<Flops> {
        let d_model = self.d_model;
        let linear = Flops::linear(4 * d_model * d_model, seq_len);
        let short = Flops::short_conv(3 * d_model, self.short_filter, seq_len);
        let filters = self.filter().training_flops(seq_len).times(if self.residual { 2 } else { 1 });
        Some(linear + short + filters)
    }

    as_its_own_methods!();
}
