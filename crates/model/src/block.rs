//! One residual block.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use subquad_backend::Form;
use subquad_mixer::MixerError;

use crate::norm::normed;
use crate::{ChannelMixerKind, Dropout, MixerKind, MixerKindState, ModelConfig, Norm};

/// A sequence mixer and a channel mixer, each behind a norm and beside a residual connection, as far as the model's config has
/// them.
#[derive(Module, Debug)]
pub struct Block {
    mixer_norm: Option<Norm>,
    mixer: MixerKind,
    /// None where there is no channel mixer.
    channel_norm: Option<Norm>,
    channel_mixer: Option<ChannelMixerKind>,
    #[module(skip)]
    residual: bool,
}

impl Block {
    pub(crate) fn new(config: &ModelConfig, device: &Device) -> Self {
        let norm = || config.norm.init(config.d_model, device);
        let (mixer, channel_mixer) = (config.mixer.init(device), config.channel_mixer.init(device));
        Self {
            mixer_norm: norm(),
            mixer,
            channel_norm: channel_mixer.is_some().then(norm).flatten(),
            channel_mixer,
            residual: config.residual,
        }
    }

    /// # Shapes
    /// - `h`: `[batch, seq, d_model]`
    /// - output: the same
    ///
    /// `index` is the block's place in the model, which names its two dropout sites and its mixer's seed.
    pub(crate) fn forward(&self, h: Tensor<3>, dropout: &Dropout<'_>, index: usize) -> Tensor<3> {
        let mixed = dropout.mix(&self.mixer, normed(&self.mixer_norm, h.clone()), index);
        let h = self.join(h, dropout.apply(mixed, 2 * index));
        self.mix_channels(h, |mixed| dropout.apply(mixed, 2 * index + 1))
    }

    /// A chunk that carries on from `state`, without dropout. Shapes as for [`forward`](Self::forward).
    pub(crate) fn forward_with_state(
        &self,
        h: Tensor<3>,
        state: MixerKindState,
    ) -> Result<(Tensor<3>, MixerKindState), MixerError> {
        let (mixed, state) = self.mixer.forward_with_state(normed(&self.mixer_norm, h.clone()), state)?;
        Ok((self.mix_channels(self.join(h, mixed), |mixed| mixed), state))
    }

    /// One token, `[batch, 1, d_model]` to the same, without dropout.
    pub(crate) fn step(&self, h: Tensor<3>, state: &mut MixerKindState) -> Result<Tensor<3>, MixerError> {
        let token = normed(&self.mixer_norm, h.clone()).squeeze_dim(1);
        let mixed = self.mixer.step(token, state)?.unsqueeze_dim(1);
        Ok(self.mix_channels(self.join(h, mixed), |mixed| mixed))
    }

    /// `dropped` is what is left of the channel mixer's output.
    fn mix_channels(&self, h: Tensor<3>, dropped: impl FnOnce(Tensor<3>) -> Tensor<3>) -> Tensor<3> {
        match &self.channel_mixer {
            Some(mixer) => {
                let mixed = mixer.forward(normed(&self.channel_norm, h.clone()));
                self.join(h, dropped(mixed))
            }
            None => h,
        }
    }

    fn join(&self, h: Tensor<3>, mixed: Tensor<3>) -> Tensor<3> {
        if self.residual { h + mixed } else { mixed }
    }

    /// The sequence mixer.
    pub fn mixer(&self) -> &MixerKind {
        &self.mixer
    }

    pub(crate) fn with_form(self, form: Form) -> Self {
        Self {
            mixer_norm: self.mixer_norm.map(|norm| norm.with_form(form)),
            mixer: self.mixer.with_form(form),
            channel_norm: self.channel_norm.map(|norm| norm.with_form(form)),
            channel_mixer: self.channel_mixer.map(|mixer| mixer.with_form(form)),
            residual: self.residual,
        }
    }
}
