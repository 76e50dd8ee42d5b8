//! Token by token and chunk by chunk, whatever the mixer.

use burn::tensor::Tensor;
use subquad_attention::AttentionState;
use subquad_mixer::{Contract, MixerError, MixerState, Origin, SequenceMixer};
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

    /// [`MixerState::origin`].
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            Self::Attention(state) => state.origin(),
            Self::S4d(state) => state.origin(),
            Self::S4(state) => state.origin(),
            Self::H3(state) => state.origin(),
            Self::Hyena(state) => state.origin(),
            Self::M2(state) => state.origin(),
            Self::Monarch(state) => state.origin(),
            Self::CausalMonarch(state) => state.origin(),
        }
    }
}

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

    /// [`SequenceMixer::contract`].
    pub fn contract(&self) -> Contract {
        match self {
            Self::Attention(mixer) => mixer.contract(),
            Self::S4d(mixer) => mixer.contract(),
            Self::S4(mixer) => mixer.contract(),
            Self::H3(mixer) => mixer.contract(),
            Self::Hyena(mixer) => mixer.contract(),
            Self::M2(mixer) => mixer.contract(),
            Self::Monarch(mixer) => mixer.contract(),
            Self::CausalMonarch(mixer) => mixer.contract(),
        }
    }

    /// [`SequenceMixer::check_state`].
    ///
    /// # Errors
    /// As there.
    pub fn check_state(&self, batch: usize, state: &MixerKindState) -> Result<(), MixerError> {
        match (self, state) {
            (Self::Attention(mixer), MixerKindState::Attention(state)) => mixer.check_state(batch, state),
            (Self::S4d(mixer), MixerKindState::S4d(state)) => mixer.check_state(batch, state),
            (Self::S4(mixer), MixerKindState::S4(state)) => mixer.check_state(batch, state),
            (Self::H3(mixer), MixerKindState::H3(state)) => mixer.check_state(batch, state),
            (Self::Hyena(mixer), MixerKindState::Hyena(state)) => mixer.check_state(batch, state),
            (Self::M2(mixer), MixerKindState::M2(state)) => mixer.check_state(batch, state),
            (Self::Monarch(mixer), MixerKindState::Monarch(state)) => mixer.check_state(batch, state),
            (Self::CausalMonarch(mixer), MixerKindState::CausalMonarch(state)) => {
                mixer.check_state(batch, state)
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
                state,
            ) => Err(self.foreign(state)),
        }
    }

    /// What the state of another kind of mixer meets.
    fn foreign(&self, state: &MixerKindState) -> MixerError {
        let maker = state.origin().map_or("another kind of mixer", Origin::mixer);
        MixerError::ForeignState {
            mixer: self.contract().mixer(),
            difference: format!("it was made by {maker}"),
        }
    }

    /// [`SequenceMixer::forward_with_state`].
    ///
    /// # Errors
    /// As there.
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
                state,
            ) => Err(self.foreign(&state)),
        }
    }

    /// [`SequenceMixer::step`].
    ///
    /// # Errors
    /// As there.
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
                state,
            ) => Err(self.foreign(state)),
        }
    }
}
