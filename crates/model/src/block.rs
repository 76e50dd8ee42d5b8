//! One residual block.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use subquad_backend::Form;

use crate::{ChannelMixerKind, Dropout, MixerKind, ModelConfig, Norm};

/// A sequence mixer and a channel mixer, each behind a norm and beside a residual connection.
#[derive(Module, Debug)]
pub struct Block {
    mixer_norm: Norm,
    mixer: MixerKind,
    channel_norm: Norm,
    channel_mixer: ChannelMixerKind,
}

impl Block {
    pub(crate) fn new(config: &ModelConfig, device: &Device) -> Self {
        Self {
            mixer_norm: Norm::new(config.d_model, device),
            mixer: config.mixer.init(device),
            channel_norm: Norm::new(config.d_model, device),
            channel_mixer: config.channel_mixer.init(device),
        }
    }

    /// # Shapes
    /// - `h`: `[batch, seq, d_model]`
    /// - output: the same
    ///
    /// `index` is the block's place in the model, which names its two dropout sites.
    pub(crate) fn forward(&self, h: Tensor<3>, dropout: &Dropout<'_>, index: usize) -> Tensor<3> {
        let mixed = self.mixer.forward(self.mixer_norm.forward(h.clone()));
        let h = h + dropout.apply(mixed, 2 * index);
        let mixed = self.channel_mixer.forward(self.channel_norm.forward(h.clone()));
        h + dropout.apply(mixed, 2 * index + 1)
    }

    /// The sequence mixer.
    pub fn mixer(&self) -> &MixerKind {
        &self.mixer
    }

    pub(crate) fn with_form(self, form: Form) -> Self {
        Self {
            mixer_norm: self.mixer_norm.with_form(form),
            mixer: self.mixer.with_form(form),
            channel_norm: self.channel_norm.with_form(form),
            channel_mixer: self.channel_mixer.with_form(form),
        }
    }
}
