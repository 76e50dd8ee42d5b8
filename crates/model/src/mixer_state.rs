//! Token by token and chunk by chunk, whatever the mixer.

use burn::tensor::Tensor;
use subquad_attention::AttentionState;
use subquad_mixer::{MixerError, MixerState, SequenceMixer};
use subquad_monarch::{CausalMonarchState, HyenaState, M2State, NoState};
use subquad_s4::{H3State, S4State};

use crate::MixerKind;

/// What the sequence mixer of one block remembers.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "a model's state holds one a block")]
pub enum MixerKindState {
    /// Keys and values of every token: grows with the sequence.
    Attention(AttentionState),
    /// Complex states of fixed size.
    S4d(S4State),
    /// Complex states of fixed size.
    S4(S4State),
    /// Last keys, and complex states of fixed size.
    H3(H3State),
    /// Gated inputs of every token and filter: grows with the sequence.
    Hyena(HyenaState),
    /// Gated inputs of every token: grows with the sequence.
    M2(M2State),
    /// Nothing, as this mixer has none.
    Monarch(NoState),
    /// A row a token: grows with the sequence.
    CausalMonarch(CausalMonarchState),
}

impl MixerKindState {
    /// [`MixerState::floats`].
    pub fn floats(&self) -> usize {
        match self {
            Self::Attention(state) => state.floats(),
            Self::S4d(state) => state.floats(),
            Self::S4(state) => state.floats(),
            Self::H3(state) => state.floats(),
            Self::Hyena(state) => state.floats(),
            Self::M2(state) => state.floats(),
            Self::Monarch(state) => state.floats(),
            Self::CausalMonarch(state) => state.floats(),
        }
    }
}

/// What a state of another mixer meets: there is no right answer.
const FOREIGN: &str = "the state belongs to another mixer; use the one that this mixer's init_state made";

impl MixerKind {
    /// [`SequenceMixer::init_state`].
    ///
    /// # Errors
    /// As there.
    pub fn init_state(&self, batch: usize) -> Result<MixerKindState, MixerError> {
        match self {
            Self::Attention(mixer) => mixer.init_state(batch).map(MixerKindState::Attention),
            Self::S4d(mixer) => mixer.init_state(batch).map(MixerKindState::S4d),
            Self::S4(mixer) => mixer.init_state(batch).map(MixerKindState::S4),
            Self::H3(mixer) => mixer.init_state(batch).map(MixerKindState::H3),
            Self::Hyena(mixer) => mixer.init_state(batch).map(MixerKindState::Hyena),
            Self::M2(mixer) => mixer.init_state(batch).map(MixerKindState::M2),
            Self::Monarch(mixer) => mixer.init_state(batch).map(MixerKindState::Monarch),
            Self::CausalMonarch(mixer) => mixer.init_state(batch).map(MixerKindState::CausalMonarch),
        }
    }

    /// [`SequenceMixer::forward_with_state`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// If `state` belongs to another kind of mixer.
    pub fn forward_with_state(
        &self,
        x: Tensor<3>,
        state: MixerKindState,
    ) -> Result<(Tensor<3>, MixerKindState), MixerError> {
        match (self, state) {
            (Self::Attention(mixer), MixerKindState::Attention(state)) => {
                let (y, state) = mixer.forward_with_state(x, state)?;
                Ok((y, MixerKindState::Attention(state)))
            }
            (Self::S4d(mixer), MixerKindState::S4d(state)) => {
                let (y, state) = mixer.forward_with_state(x, state)?;
                Ok((y, MixerKindState::S4d(state)))
            }
            (Self::S4(mixer), MixerKindState::S4(state)) => {
                let (y, state) = mixer.forward_with_state(x, state)?;
                Ok((y, MixerKindState::S4(state)))
            }
            (Self::H3(mixer), MixerKindState::H3(state)) => {
                let (y, state) = mixer.forward_with_state(x, state)?;
                Ok((y, MixerKindState::H3(state)))
            }
            (Self::Hyena(mixer), MixerKindState::Hyena(state)) => {
                let (y, state) = mixer.forward_with_state(x, state)?;
                Ok((y, MixerKindState::Hyena(state)))
            }
            (Self::M2(mixer), MixerKindState::M2(state)) => {
                let (y, state) = mixer.forward_with_state(x, state)?;
                Ok((y, MixerKindState::M2(state)))
            }
            (Self::Monarch(mixer), MixerKindState::Monarch(state)) => {
                let (y, state) = mixer.forward_with_state(x, state)?;
                Ok((y, MixerKindState::Monarch(state)))
            }
            (Self::CausalMonarch(mixer), MixerKindState::CausalMonarch(state)) => {
                let (y, state) = mixer.forward_with_state(x, state)?;
                Ok((y, MixerKindState::CausalMonarch(state)))
            }
            (
                Self::Attention(_)
                | Self::S4d(_)
                | Self::S4(_)
                | Self::H3(_)
                | Self::Hyena(_)
                | Self::M2(_)
                | Self::Monarch(_)
                | Self::CausalMonarch(_),
                _,
            ) => {
                panic!("{FOREIGN}")
            }
        }
    }

    /// [`SequenceMixer::step`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// If `state` belongs to another kind of mixer.
    pub fn step(&self, x: Tensor<2>, state: &mut MixerKindState) -> Result<Tensor<2>, MixerError> {
        match (self, state) {
            (Self::Attention(mixer), MixerKindState::Attention(state)) => mixer.step(x, state),
            (Self::S4d(mixer), MixerKindState::S4d(state)) => mixer.step(x, state),
            (Self::S4(mixer), MixerKindState::S4(state)) => mixer.step(x, state),
            (Self::H3(mixer), MixerKindState::H3(state)) => mixer.step(x, state),
            (Self::Hyena(mixer), MixerKindState::Hyena(state)) => mixer.step(x, state),
            (Self::M2(mixer), MixerKindState::M2(state)) => mixer.step(x, state),
            (Self::Monarch(mixer), MixerKindState::Monarch(state)) => mixer.step(x, state),
            (Self::CausalMonarch(mixer), MixerKindState::CausalMonarch(state)) => mixer.step(x, state),
            (
                Self::Attention(_)
                | Self::S4d(_)
                | Self::S4(_)
                | Self::H3(_)
                | Self::Hyena(_)
                | Self::M2(_)
                | Self::Monarch(_)
                | Self::CausalMonarch(_),
                _,
            ) => {
                panic!("{FOREIGN}")
            }
        }
    }
}
