//! One residual block.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use subquad_backend::{Form, add::add};
use subquad_mixer::{MixerError, MixerModule, SequenceMixerConfig};

use crate::norm::normed;
use crate::{BlockOrder, ChannelMixerKind, Dropout, DropoutSites, MixerKind, ModelConfig, Norm};

/// A sequence mixer and a channel mixer, each with a norm and a residual connection, if the model's config has them.
#[derive(Module, Debug)]
pub struct Block<M = MixerKind> {
    pub(crate) mixer_norm: Option<Norm>,
    pub(crate) mixer: M,
    /// `None` without a channel mixer.
    pub(crate) channel_norm: Option<Norm>,
    pub(crate) channel_mixer: Option<ChannelMixerKind>,
    #[module(skip)]
    pub(crate) residual: bool,
    #[module(skip)]
    pub(crate) order: BlockOrder,
    #[module(skip)]
    sites: DropoutSites,
    #[module(skip)]
    form: Form,
}

impl<M: MixerModule> Block<M> {
    /// The block at a place of the model.
    pub(crate) fn new<C: SequenceMixerConfig<Mixer = M>>(
        config: &ModelConfig<C>,
        index: usize,
        device: &Device,
    ) -> Self {
        let order = config.structure.order;
        let norm = || config.norm.init(config.d_model, config.structure.norm_eps, device);
        let mixer = config.mixer.at(index).init(device);
        let channel_mixer = config.channel_mixer.at(index).init(device);
        Self {
            mixer_norm: order.norms_mixer().then(norm).flatten(),
            mixer,
            channel_norm: channel_mixer.is_some().then(norm).flatten(),
            channel_mixer,
            residual: config.residual,
            order,
            sites: config.structure.dropout,
            form: Form::for_device(device),
        }
    }

    /// # Shapes
    /// - `h`: `[batch, seq, d_model]`
    /// - output: the same
    ///
    /// `index` is the block's place in the model, which names its two dropout sites and its mixer's seed.
    pub(crate) fn forward(&self, h: Tensor<3>, dropout: &Dropout<'_>, index: usize) -> Tensor<3> {
        let mixed = dropout.mix(&self.mixer, self.input(&self.mixer_norm, &h), index);
        let channels = |x| dropout.apply(x, 2 * index + 1);
        match self.sites {
            DropoutSites::Branches => {
                let h = self.join_mixed(h, dropout.apply(mixed, 2 * index));
                self.mix_channels(h, |mixer, x| channels(mixer.forward(x)))
            }
            DropoutSites::M2Bert => {
                self.mix_channels(self.join_mixed(h, mixed), |mixer, x| mixer.forward_with(x, channels))
            }
        }
    }

    /// The part before the channel mixer, without dropout. Shapes as for [`forward`](Self::forward).
    pub(crate) fn mix_tokens(&self, h: Tensor<3>) -> Tensor<3> {
        let mixed = self.mixer.forward(self.input(&self.mixer_norm, &h));
        self.join_mixed(h, mixed)
    }

    /// Runs a chunk that continues from `state`, without dropout. Shapes as for [`forward`](Self::forward).
    pub(crate) fn forward_with_state(
        &self,
        h: Tensor<3>,
        state: M::State,
    ) -> Result<(Tensor<3>, M::State), MixerError> {
        let (mixed, state) = self.mixer.forward_with_state(self.input(&self.mixer_norm, &h), state)?;
        Ok((self.mix_channels(self.join_mixed(h, mixed), ChannelMixerKind::forward), state))
    }

    /// One token, `[batch, 1, d_model]` to the same, without dropout. `mix` is a step of the sequence mixer.
    pub(crate) fn step(
        &self,
        h: Tensor<3>,
        mix: impl FnOnce(&M, Tensor<2>) -> Result<Tensor<2>, MixerError>,
    ) -> Result<Tensor<3>, MixerError> {
        let token = self.input(&self.mixer_norm, &h).squeeze_dim(1);
        let mixed = mix(&self.mixer, token)?.unsqueeze_dim(1);
        Ok(self.mix_channels(self.join_mixed(h, mixed), ChannelMixerKind::forward))
    }

    /// `mix` applies the channel mixer to its input.
    fn mix_channels(
        &self,
        h: Tensor<3>,
        mix: impl FnOnce(&ChannelMixerKind, Tensor<3>) -> Tensor<3>,
    ) -> Tensor<3> {
        match &self.channel_mixer {
            Some(mixer) => {
                let mixed = mix(mixer, self.input(&self.channel_norm, &h));
                self.join(&self.channel_norm, h, mixed, self.residual)
            }
            None => h,
        }
    }

    /// What a mixer with this norm reads.
    fn input(&self, norm: &Option<Norm>, h: &Tensor<3>) -> Tensor<3> {
        if self.order.norms_inputs() { normed(norm, h.clone()) } else { h.clone() }
    }

    /// What follows a mixer with this norm.
    fn join(&self, norm: &Option<Norm>, h: Tensor<3>, mixed: Tensor<3>, skip: bool) -> Tensor<3> {
        let joined = if skip { add(h, mixed, self.form) } else { mixed };
        if self.order.norms_inputs() { joined } else { normed(norm, joined) }
    }

    fn join_mixed(&self, h: Tensor<3>, mixed: Tensor<3>) -> Tensor<3> {
        self.join(&self.mixer_norm, h, mixed, self.residual && self.order != BlockOrder::M2Bert)
    }

    /// The sequence mixer.
    pub fn mixer(&self) -> &M {
        &self.mixer
    }

    pub(crate) fn with_form(self, form: Form) -> Self {
        Self {
            mixer_norm: self.mixer_norm.map(|norm| norm.with_form(form)),
            mixer: self.mixer.with_form(form),
            channel_norm: self.channel_norm.map(|norm| norm.with_form(form)),
            channel_mixer: self.channel_mixer.map(|mixer| mixer.with_form(form)),
            residual: self.residual,
            order: self.order,
            sites: self.sites,
            form,
        }
    }
}
