//! The channel mixers that a model can be built from.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use subquad_backend::Form;
use subquad_mixer::ChannelMixer;
use subquad_monarch::{BlockDiagonalMlp, BlockDiagonalMlpConfig, DenseMlp, DenseMlpConfig};

use crate::ModelError;

/// Which channel mixer, and its sizes.
#[derive(Debug, Clone)]
pub enum ChannelMixerConfig {
    /// Linear, GELU, linear: cost grows with the square of the width.
    Dense(DenseMlpConfig),
    /// Block-diagonal layers with a GELU gate: sub-quadratic in the width.
    BlockDiagonal(BlockDiagonalMlpConfig),
    /// Nothing: a block is its sequence mixer alone.
    None,
}

impl ChannelMixerConfig {
    /// Whether the channel mixer can be built.
    ///
    /// # Errors
    /// In its own words.
    pub fn check(&self) -> Result<(), ModelError> {
        let words = match self {
            Self::Dense(config) => config.check().map_err(|e| e.to_string()),
            Self::BlockDiagonal(config) => config.check().map_err(|e| e.to_string()),
            Self::None => Ok(()),
        };
        words.map_err(ModelError::ChannelMixer)
    }

    pub(crate) fn d_model(&self) -> Option<usize> {
        match self {
            Self::Dense(config) => Some(config.d_model),
            Self::BlockDiagonal(config) => Some(config.d_model),
            Self::None => None,
        }
    }

    /// How many numbers the channel mixer learns, without building it.
    pub fn n_parameters(&self) -> usize {
        match self {
            Self::Dense(config) => config.n_parameters(),
            Self::BlockDiagonal(config) => config.n_parameters(),
            Self::None => 0,
        }
    }

    pub(crate) fn init(&self, device: &Device) -> Option<ChannelMixerKind> {
        match self {
            Self::Dense(config) => Some(ChannelMixerKind::Dense(config.init(device))),
            Self::BlockDiagonal(config) => Some(ChannelMixerKind::BlockDiagonal(config.init(device))),
            Self::None => None,
        }
    }
}

/// A channel mixer of any kind.
#[derive(Module, Debug)]
pub enum ChannelMixerKind {
    /// Linear, GELU, linear.
    Dense(DenseMlp),
    /// Block-diagonal layers with a GELU gate.
    BlockDiagonal(BlockDiagonalMlp),
}

impl ChannelMixerKind {
    /// [`ChannelMixer::forward`].
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        match self {
            Self::Dense(mixer) => mixer.forward(x),
            Self::BlockDiagonal(mixer) => mixer.forward(x),
        }
    }

    /// The same weights in another form.
    pub fn with_form(self, form: Form) -> Self {
        match self {
            Self::Dense(mixer) => Self::Dense(mixer.with_form(form)),
            Self::BlockDiagonal(mixer) => Self::BlockDiagonal(mixer.with_form(form)),
        }
    }
}
