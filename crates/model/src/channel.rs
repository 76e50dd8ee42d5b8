//! The channel mixers that a model can be built from.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use subquad_backend::Form;
use subquad_mixer::{ChannelMixer, Refusal};
use subquad_monarch::{
    BlockDiagonalMlp, BlockDiagonalMlpConfig, DenseMlp, DenseMlpConfig, MonarchMlp, MonarchMlpConfig, RowMlp,
    SwigluConfig,
};

/// Which channel mixer, and its sizes.
#[derive(Debug, Clone)]
pub enum ChannelMixerConfig {
    /// Dense layers: cost grows with the square of the width.
    Dense(DenseMlpConfig),
    /// Dense layers around a SiLU gate, without biases, as in LLaMA.
    Swiglu(SwigluConfig),
    /// Block-diagonal layers: that cost divided by the number of blocks.
    BlockDiagonal(BlockDiagonalMlpConfig),
    /// Layers with Monarch matrices: cost grows with width^1.5 if they are cut near the root of the width.
    Monarch(MonarchMlpConfig),
    /// Nothing: a block is only its sequence mixer.
    None,
}

impl ChannelMixerConfig {
    /// Everything that keeps the channel mixer from being built.
    pub fn refusals(&self) -> Vec<Refusal> {
        match self {
            Self::Dense(config) => config.refusals(),
            Self::Swiglu(config) => config.refusals(),
            Self::BlockDiagonal(config) => config.refusals(),
            Self::Monarch(config) => config.refusals(),
            Self::None => vec![],
        }
    }

    pub(crate) fn d_model(&self) -> Option<usize> {
        match self {
            Self::Dense(config) => Some(config.d_model),
            Self::Swiglu(config) => Some(config.d_model),
            Self::BlockDiagonal(config) => Some(config.d_model),
            Self::Monarch(config) => Some(config.d_model),
            Self::None => None,
        }
    }

    /// How many numbers the channel mixer learns, without building it.
    pub fn n_parameters(&self) -> usize {
        match self {
            Self::Dense(config) => config.n_parameters(),
            Self::Swiglu(config) => config.n_parameters(),
            Self::BlockDiagonal(config) => config.n_parameters(),
            Self::Monarch(config) => config.n_parameters(),
            Self::None => 0,
        }
    }

    /// Floating-point operations of the forward pass for one token: two for each weight.
    pub fn flops(&self) -> usize {
        match self {
            Self::Dense(config) => config.flops(),
            Self::Swiglu(config) => config.flops(),
            Self::BlockDiagonal(config) => config.flops(),
            Self::Monarch(config) => config.flops(),
            Self::None => 0,
        }
    }

    pub(crate) fn init(&self, device: &Device) -> Option<ChannelMixerKind> {
        match self {
            Self::Dense(config) => Some(ChannelMixerKind::Dense(config.init(device))),
            Self::Swiglu(config) => Some(ChannelMixerKind::Swiglu(config.init(device))),
            Self::BlockDiagonal(config) => Some(ChannelMixerKind::BlockDiagonal(config.init(device))),
            Self::Monarch(config) => Some(ChannelMixerKind::Monarch(config.init(device))),
            Self::None => None,
        }
    }
}

/// A channel mixer of any kind.
#[derive(Module, Debug)]
pub enum ChannelMixerKind {
    /// Dense layers.
    Dense(DenseMlp),
    /// Dense layers around a SiLU gate, without biases.
    Swiglu(DenseMlp),
    /// Block-diagonal layers.
    BlockDiagonal(BlockDiagonalMlp),
    /// Layers with Monarch matrices.
    Monarch(MonarchMlp),
}

impl ChannelMixerKind {
    /// [`ChannelMixer::forward`].
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        match self {
            Self::Dense(mixer) => mixer.forward(x),
            Self::Swiglu(mixer) => mixer.forward(x),
            Self::BlockDiagonal(mixer) => mixer.forward(x),
            Self::Monarch(mixer) => mixer.forward(x),
        }
    }

    /// [`forward`](Self::forward) with `dropped` applied to the hidden numbers before the second layer.
    pub(crate) fn forward_with(
        &self,
        x: Tensor<3>,
        dropped: impl FnOnce(Tensor<3>) -> Tensor<3>,
    ) -> Tensor<3> {
        match self {
            Self::Dense(mixer) => mixer.forward_with(x, dropped),
            Self::Swiglu(mixer) => mixer.forward_with(x, dropped),
            Self::BlockDiagonal(mixer) => mixer.forward_with(x, dropped),
            Self::Monarch(mixer) => mixer.forward_with(x, dropped),
        }
    }

    /// A copy of the present weights that maps one token at a time, over plain slices.
    ///
    /// # Panics
    /// If they are not f32.
    pub fn rows(&self) -> RowMlp {
        match self {
            Self::Dense(mixer) => mixer.rows(),
            Self::Swiglu(mixer) => mixer.rows(),
            Self::BlockDiagonal(mixer) => mixer.rows(),
            Self::Monarch(mixer) => mixer.rows(),
        }
    }

    /// The same weights in another form.
    pub fn with_form(self, form: Form) -> Self {
        match self {
            Self::Dense(mixer) => Self::Dense(mixer.with_form(form)),
            Self::Swiglu(mixer) => Self::Swiglu(mixer.with_form(form)),
            Self::BlockDiagonal(mixer) => Self::BlockDiagonal(mixer.with_form(form)),
            Self::Monarch(mixer) => Self::Monarch(mixer.with_form(form)),
        }
    }
}
