//! Config of Hyena.

use burn::nn::LinearConfig;
use burn::tensor::Device;
use subquad_backend::Form;
use subquad_mixer::{Context, Flops, Options, Refusal, SequenceMixerConfig};

use super::Hyena;
use crate::ImplicitFilterConfig;
use crate::init::{draw, short_conv};
use crate::options::{as_its_own_methods, gated_config};

gated_config! {
    /// Config of a [`Hyena`].
    pub struct HyenaConfig {
        /// Number of gates. There is a long filter between each two of them, so there is one filter fewer than gates.
        /// 2 as published.
        #[config(default = 2)]
        #[option(range = 2..=64)]
        pub order: usize,
    }
}

impl HyenaConfig {
    /// Everything that keeps the layer from being built: a number out of its range, an even `emb_dim`, or a `shift` without a
    /// decay.
    pub fn refusals(&self) -> Vec<Refusal> {
        self.refused_by(|| self.causal_filter(self.d_model).contradictions())
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
        let (short_weight, short_bias) = short_conv(width, self.short_filter, device);
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

    /// All long filters together, as one filter of `(order - 1) d_model` channels.
    pub(crate) fn filter(&self) -> ImplicitFilterConfig {
        self.causal_filter((self.order - 1) * self.d_model)
    }
}

impl SequenceMixerConfig for HyenaConfig {
    type Mixer = Hyena;

    fn fit(&mut self, context: &Context) -> Vec<Refusal> {
        self.d_model = context.d_model;
        [context.only_causal(), context.too_short(self.l_max)].into_iter().flatten().collect()
    }

    fn kept(&self) -> f64 {
        let (order, dropped) = (self.order as f64, if self.dropout > 0.0 { 4.0 } else { 0.0 });
        6.0 * order + (order - 1.0) * self.conv.kept() + dropped
    }

    fn kernels(&self, seq_len: usize) -> f64 {
        self.filter().floats(seq_len)
    }

    fn training_flops(&self, seq_len: usize) -> Option<Flops> {
        let (d_model, width) = (self.d_model, (self.order + 1) * self.d_model);
        let linear = Flops::linear((width + d_model) * d_model, seq_len);
        let short = Flops::short_conv(width, self.short_filter, seq_len);
        Some(linear + short + self.filter().training_flops(seq_len))
    }

    as_its_own_methods!();
}
