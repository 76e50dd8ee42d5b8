//! The sequence mixers that a model can be built from. Adding one: a variant in each enum; the compiler lists the rest.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use subquad_attention::{Attention, AttentionConfig};
use subquad_backend::Form;
use subquad_mixer::{MixerError, ParameterGroup, SequenceMixer};
use subquad_monarch::{M2, M2Config};
use subquad_s4::{H3, H3Config, S4, S4Config, S4d, S4dConfig};

use crate::ModelError;

/// Which sequence mixer, and its sizes.
#[derive(Debug, Clone)]
pub enum MixerConfig {
    /// Softmax attention.
    Attention(AttentionConfig),
    /// Diagonal state space.
    S4d(S4dConfig),
    /// State space with a low-rank part.
    S4(S4Config),
    /// Two state spaces and two products.
    H3(H3Config),
    /// Gated implicit long convolution.
    M2(M2Config),
}

impl MixerConfig {
    /// Whether the mixer can be built.
    ///
    /// # Errors
    /// In the mixer's own words.
    pub fn check(&self) -> Result<(), ModelError> {
        let words = match self {
            Self::Attention(config) => config.check().map_err(|e| e.to_string()),
            Self::S4d(config) => config.check().map_err(|e| e.to_string()),
            Self::S4(config) => config.check().map_err(|e| e.to_string()),
            Self::H3(config) => config.check().map_err(|e| e.to_string()),
            Self::M2(config) => config.check().map_err(|e| e.to_string()),
        };
        words.map_err(ModelError::Mixer)
    }

    pub(crate) fn d_model(&self) -> usize {
        match self {
            Self::Attention(config) => config.d_model,
            Self::S4d(config) => config.d_model,
            Self::S4(config) => config.d_model,
            Self::H3(config) => config.d_model,
            Self::M2(config) => config.d_model,
        }
    }

    /// How many numbers the mixer learns, without building it.
    pub fn n_parameters(&self) -> usize {
        match self {
            Self::Attention(config) => config.n_parameters(),
            Self::S4d(config) => config.n_parameters(),
            Self::S4(config) => config.n_parameters(),
            Self::H3(config) => config.n_parameters(),
            Self::M2(config) => config.n_parameters(),
        }
    }

    pub(crate) fn init(&self, device: &Device) -> MixerKind {
        match self {
            Self::Attention(config) => MixerKind::Attention(config.init(device)),
            Self::S4d(config) => MixerKind::S4d(config.init(device)),
            Self::S4(config) => MixerKind::S4(config.init(device)),
            Self::H3(config) => MixerKind::H3(config.init(device)),
            Self::M2(config) => MixerKind::M2(config.init(device)),
        }
    }
}

/// A sequence mixer of any family.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant, reason = "a model holds one a block, and burn has no module in a box")]
pub enum MixerKind {
    /// Softmax attention.
    Attention(Attention),
    /// Diagonal state space.
    S4d(S4d),
    /// State space with a low-rank part.
    S4(S4),
    /// Two state spaces and two products.
    H3(H3),
    /// Gated implicit long convolution.
    M2(M2),
}

impl MixerKind {
    /// [`SequenceMixer::forward`].
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        match self {
            Self::Attention(mixer) => mixer.forward(x),
            Self::S4d(mixer) => mixer.forward(x),
            Self::S4(mixer) => mixer.forward(x),
            Self::H3(mixer) => mixer.forward(x),
            Self::M2(mixer) => mixer.forward(x),
        }
    }

    /// [`SequenceMixer::forward_train`].
    pub fn forward_train(&self, x: Tensor<3>, seed: u64) -> Tensor<3> {
        match self {
            Self::Attention(mixer) => mixer.forward_train(x, seed),
            Self::S4d(mixer) => mixer.forward_train(x, seed),
            Self::S4(mixer) => mixer.forward_train(x, seed),
            Self::H3(mixer) => mixer.forward_train(x, seed),
            Self::M2(mixer) => mixer.forward_train(x, seed),
        }
    }

    /// [`SequenceMixer::state_size`].
    pub fn state_size(&self, seq: usize) -> Option<usize> {
        match self {
            Self::Attention(mixer) => mixer.state_size(seq),
            Self::S4d(mixer) => mixer.state_size(seq),
            Self::S4(mixer) => mixer.state_size(seq),
            Self::H3(mixer) => mixer.state_size(seq),
            Self::M2(mixer) => mixer.state_size(seq),
        }
    }

    /// [`SequenceMixer::check_length`].
    ///
    /// # Errors
    /// As there.
    pub fn check_length(&self, seq: usize) -> Result<(), MixerError> {
        match self {
            Self::Attention(mixer) => mixer.check_length(seq),
            Self::S4d(mixer) => mixer.check_length(seq),
            Self::S4(mixer) => mixer.check_length(seq),
            Self::H3(mixer) => mixer.check_length(seq),
            Self::M2(mixer) => mixer.check_length(seq),
        }
    }

    /// [`SequenceMixer::parameter_groups`].
    pub fn parameter_groups(&self) -> Vec<ParameterGroup> {
        match self {
            Self::Attention(mixer) => mixer.parameter_groups(),
            Self::S4d(mixer) => mixer.parameter_groups(),
            Self::S4(mixer) => mixer.parameter_groups(),
            Self::H3(mixer) => mixer.parameter_groups(),
            Self::M2(mixer) => mixer.parameter_groups(),
        }
    }

    /// The same weights in another form.
    pub fn with_form(self, form: Form) -> Self {
        match self {
            Self::Attention(mixer) => Self::Attention(mixer.with_form(form)),
            Self::S4d(mixer) => Self::S4d(mixer.with_form(form)),
            Self::S4(mixer) => Self::S4(mixer.with_form(form)),
            Self::H3(mixer) => Self::H3(mixer.with_form(form)),
            Self::M2(mixer) => Self::M2(mixer.with_form(form)),
        }
    }
}
