//! One residual block.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use subquad_backend::Form;
use subquad_mixer::MixerError;

use crate::{ChannelMixerKind, Dropout, MixerKind, MixerKindState, ModelConfig, Norm};

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
    /// `index` is the block's place in the model, which names its two dropout sites and its mixer's seed.
    pub(crate) fn forward(&self, h: Tensor<3>, dropout: &Dropout<'_>, index: usize) -> Tensor<3> {
        let mixed = dropout.mix(&self.mixer, self.mixer_norm.forward(h.clone()), index);
        let h = h + dropout.apply(mixed, 2 * index);
        let mixed = self.channel_mixer.forward(self.channel_norm.forward(h.clone()));
        h + dropout.apply(mixed, 2 * index + 1)
    }

    /// A chunk that carries on from `state`, without dropout. Shapes as for [`forward`](Self::forward).
    pub(crate) fn forward_with_state(
        &self,
        h: Tensor<3>,
        state: MixerKindState,
    ) -> Result<(Tensor<3>, MixerKindState), MixerError> {
        let (mixed, state) = self.mixer.forward_with_state(self.mixer_norm.forward(h.clone()), state)?;
        Ok((self.mix_channels(h + mixed), state))
    }

    /// One token, `[batch, 1, d_model]` to the same, without dropout.
    pub(crate) fn step(&self, h: Tensor<3>, state: &mut MixerKindState) -> Result<Tensor<3>, MixerError> {
        let token = self.mixer_norm.forward(h.clone()).squeeze_dim(1);
        let mixed = self.mixer.step(token, state)?.unsqueeze_dim(1);
        Ok(self.mix_channels(h + mixed))
    }

    fn mix_channels(&self, h: Tensor<3>) -> Tensor<3> {
        h.clone() + self.channel_mixer.forward(self.channel_norm.forward(h))
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
