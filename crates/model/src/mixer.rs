//! The sequence mixers that a model can be built from. Adding one: a variant in each enum; the compiler lists the rest.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use subquad_attention::{Attention, AttentionConfig};
use subquad_backend::Form;
use subquad_mixer::{MixerError, ParameterGroup, SequenceMixer};
use subquad_monarch::{
    CausalMonarch, CausalMonarchConfig, Hyena, HyenaConfig, LearnedMonarch, LearnedMonarchConfig, M2,
    M2Config,
};
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
    /// Gates and implicit long convolutions in turn.
    Hyena(HyenaConfig),
    /// Gated implicit long convolution.
    M2(M2Config),
    /// Learned Monarch matrices: bidirectional.
    Monarch(LearnedMonarchConfig),
    /// A learned Monarch matrix that does not look ahead.
    CausalMonarch(CausalMonarchConfig),
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
            Self::Hyena(config) => config.check().map_err(|e| e.to_string()),
            Self::M2(config) => config.check().map_err(|e| e.to_string()),
            Self::Monarch(config) => config.check().map_err(|e| e.to_string()),
            Self::CausalMonarch(config) => config.check().map_err(|e| e.to_string()),
        };
        words.map_err(ModelError::Mixer)
    }

    pub(crate) fn d_model(&self) -> usize {
        match self {
            Self::Attention(config) => config.d_model,
            Self::S4d(config) => config.d_model,
            Self::S4(config) => config.d_model,
            Self::H3(config) => config.d_model,
            Self::Hyena(config) => config.d_model,
            Self::M2(config) => config.d_model,
            Self::Monarch(config) => config.d_model,
            Self::CausalMonarch(config) => config.d_model,
        }
    }

    /// How many numbers the mixer learns, without building it.
    pub fn n_parameters(&self) -> usize {
        match self {
            Self::Attention(config) => config.n_parameters(),
            Self::S4d(config) => config.n_parameters(),
            Self::S4(config) => config.n_parameters(),
            Self::H3(config) => config.n_parameters(),
            Self::Hyena(config) => config.n_parameters(),
            Self::M2(config) => config.n_parameters(),
            Self::Monarch(config) => config.n_parameters(),
            Self::CausalMonarch(config) => config.n_parameters(),
        }
    }

    pub(crate) fn init(&self, device: &Device) -> MixerKind {
        match self {
            Self::Attention(config) => MixerKind::Attention(config.init(device)),
            Self::S4d(config) => MixerKind::S4d(config.init(device)),
            Self::S4(config) => MixerKind::S4(config.init(device)),
            Self::H3(config) => MixerKind::H3(config.init(device)),
            Self::Hyena(config) => MixerKind::Hyena(config.init(device)),
            Self::M2(config) => MixerKind::M2(config.init(device)),
            Self::Monarch(config) => MixerKind::Monarch(config.init(device)),
            Self::CausalMonarch(config) => MixerKind::CausalMonarch(config.init(device)),
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
    /// Gates and implicit long convolutions in turn.
    Hyena(Hyena),
    /// Gated implicit long convolution.
    M2(M2),
    /// Learned Monarch matrices: bidirectional.
    Monarch(LearnedMonarch),
    /// A learned Monarch matrix that does not look ahead.
    CausalMonarch(CausalMonarch),
}

impl MixerKind {
    /// [`SequenceMixer::forward`].
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        match self {
            Self::Attention(mixer) => mixer.forward(x),
            Self::S4d(mixer) => mixer.forward(x),
            Self::S4(mixer) => mixer.forward(x),
            Self::H3(mixer) => mixer.forward(x),
            Self::Hyena(mixer) => mixer.forward(x),
            Self::M2(mixer) => mixer.forward(x),
            Self::Monarch(mixer) => mixer.forward(x),
            Self::CausalMonarch(mixer) => mixer.forward(x),
        }
    }

    /// [`SequenceMixer::forward_train`].
    pub fn forward_train(&self, x: Tensor<3>, seed: u64) -> Tensor<3> {
        match self {
            Self::Attention(mixer) => mixer.forward_train(x, seed),
            Self::S4d(mixer) => mixer.forward_train(x, seed),
            Self::S4(mixer) => mixer.forward_train(x, seed),
            Self::H3(mixer) => mixer.forward_train(x, seed),
            Self::Hyena(mixer) => mixer.forward_train(x, seed),
            Self::M2(mixer) => mixer.forward_train(x, seed),
            Self::Monarch(mixer) => mixer.forward_train(x, seed),
            Self::CausalMonarch(mixer) => mixer.forward_train(x, seed),
        }
    }

    /// [`SequenceMixer::state_size`].
    pub fn state_size(&self, seq: usize) -> Option<usize> {
        match self {
            Self::Attention(mixer) => mixer.state_size(seq),
            Self::S4d(mixer) => mixer.state_size(seq),
            Self::S4(mixer) => mixer.state_size(seq),
            Self::H3(mixer) => mixer.state_size(seq),
            Self::Hyena(mixer) => mixer.state_size(seq),
            Self::M2(mixer) => mixer.state_size(seq),
            Self::Monarch(mixer) => mixer.state_size(seq),
            Self::CausalMonarch(mixer) => mixer.state_size(seq),
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
            Self::Hyena(mixer) => mixer.check_length(seq),
            Self::M2(mixer) => mixer.check_length(seq),
            Self::Monarch(mixer) => mixer.check_length(seq),
            Self::CausalMonarch(mixer) => mixer.check_length(seq),
        }
    }

    /// [`SequenceMixer::parameter_groups`].
    pub fn parameter_groups(&self) -> Vec<ParameterGroup> {
        match self {
            Self::Attention(mixer) => mixer.parameter_groups(),
            Self::S4d(mixer) => mixer.parameter_groups(),
            Self::S4(mixer) => mixer.parameter_groups(),
            Self::H3(mixer) => mixer.parameter_groups(),
            Self::Hyena(mixer) => mixer.parameter_groups(),
            Self::M2(mixer) => mixer.parameter_groups(),
            Self::Monarch(mixer) => mixer.parameter_groups(),
            Self::CausalMonarch(mixer) => mixer.parameter_groups(),
        }
    }

    /// The same weights in another form.
    pub fn with_form(self, form: Form) -> Self {
        match self {
            Self::Attention(mixer) => Self::Attention(mixer.with_form(form)),
            Self::S4d(mixer) => Self::S4d(mixer.with_form(form)),
            Self::S4(mixer) => Self::S4(mixer.with_form(form)),
            Self::H3(mixer) => Self::H3(mixer.with_form(form)),
            Self::Hyena(mixer) => Self::Hyena(mixer.with_form(form)),
            Self::M2(mixer) => Self::M2(mixer.with_form(form)),
            Self::Monarch(mixer) => Self::Monarch(mixer.with_form(form)),
            Self::CausalMonarch(mixer) => Self::CausalMonarch(mixer.with_form(form)),
        }
    }
}
