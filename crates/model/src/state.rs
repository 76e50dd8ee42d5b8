//! The whole model token by token and chunk by chunk: the same map as its `forward`.

use burn::tensor::Tensor;
use subquad_mixer::{MixerError, MixerModule, MixerState};

use crate::model::NAME;
use crate::norm::normed;
use crate::{Dropout, Head, Input, MixerKindState, SequenceModel};

/// What a causal model remembers of the tokens it has seen. A clone is independent, for example to branch from a prompt.
///
/// It belongs to the weights that made it.
#[derive(Debug, Clone)]
pub struct ModelState<S = MixerKindState> {
    /// One state per block.
    pub(crate) blocks: Vec<S>,
    pub(crate) batch: usize,
    pub(crate) seq: usize,
}

impl<S: MixerState> ModelState<S> {
    /// Tokens seen so far.
    pub fn seq(&self) -> usize {
        self.seq
    }

    /// Floats held for each sequence of the batch, over all blocks: [`SequenceModel::state_size`] of
    /// [`seq`](Self::seq).
    pub fn floats(&self) -> usize {
        self.blocks.iter().map(MixerState::floats).sum()
    }
}

/// Why a model cannot run from a state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The head takes the mean over the whole sequence.
    #[error(
        "a pooled head answers once per sequence, when its last token is known, so the model has no step; build it \
         with a head on every token, or on the last"
    )]
    PooledHead,
    /// The head reads the first token, which says nothing about later ones.
    #[error(
        "a head on the first token answers once per sequence, so the model has no step; build it with a head on every \
         token, or on the last"
    )]
    FirstHead,
    /// A mixer cannot.
    #[error(transparent)]
    Mixer(#[from] MixerError),
}

impl<M: MixerModule> SequenceModel<M> {
    /// The state before the first token, on the model's own device.
    ///
    /// # Errors
    /// If the head is pooled or reads only the first token, or if the mixers are bidirectional.
    pub fn init_state(&self, batch: usize) -> Result<ModelState<M::State>, StateError> {
        match self.answers {
            Head::Pool { .. } => return Err(StateError::PooledHead),
            Head::First { .. } => return Err(StateError::FirstHead),
            Head::Last { .. } | Head::Token { .. } => {}
        }
        let blocks = self.blocks.iter().map(|block| block.mixer().init_state(batch));
        Ok(ModelState { blocks: blocks.collect::<Result<_, _>>()?, batch, seq: 0 })
    }

    /// Runs a chunk of at least one token, such as a prompt, that continues from `state`, without dropout. Gradients
    /// flow through both results. A head on the last token gives an output at every token, as if that were the last.
    ///
    /// # Shapes
    /// - `input`: `[batch, seq, features]` reals or `[batch, seq]` tokens
    /// - output: logits or reals, `[batch, seq, outputs]`
    ///
    /// # Errors
    /// If [`check_input`](Self::check_input) refuses the input, if the state is of another batch size or of a model with other
    /// blocks, or if the sequence grows beyond what [`check_length`](Self::check_length) allows.
    ///
    /// # Panics
    /// If the input is of the other kind than the encoder's.
    pub fn forward_with_state(
        &self,
        input: Input,
        state: ModelState<M::State>,
    ) -> Result<(Tensor<3>, ModelState<M::State>), MixerError> {
        let (batch, seq) = (state.batch, self.check_state(&state, &input)?);
        let mut h = self.encode(input, state.seq, &Dropout::Off);
        let mut blocks = Vec::with_capacity(self.blocks.len());
        for (block, state) in self.blocks.iter().zip(state.blocks) {
            let (next, state) = block.forward_with_state(h, state)?;
            h = next;
            blocks.push(state);
        }
        Ok((self.outputs(h), ModelState { blocks, batch, seq }))
    }

    /// One token.
    ///
    /// # Shapes
    /// - `input`: `[batch, 1, features]` reals or `[batch, 1]` tokens
    /// - output: logits or reals, `[batch, outputs]`
    ///
    /// # Errors
    /// As for [`forward_with_state`](Self::forward_with_state), or if the input is not one token; `state` is then unchanged.
    ///
    /// # Panics
    /// As there.
    pub fn step(&self, input: Input, state: &mut ModelState<M::State>) -> Result<Tensor<2>, MixerError> {
        check_one_token(&input)?;
        let seq = self.check_state(state, &input)?;
        let mut h = self.encode(input, state.seq, &Dropout::Off);
        for (block, state) in self.blocks.iter().zip(&mut state.blocks) {
            h = block.step(h, |mixer, token| mixer.step(token, state))?;
        }
        state.seq = seq;
        Ok(self.outputs(h).squeeze_dim(1))
    }

    /// How many tokens there are, including those of `input`. It is checked before any block runs, so that an error
    /// leaves no block ahead of the others.
    fn check_state(&self, state: &ModelState<M::State>, input: &Input) -> Result<usize, MixerError> {
        let [batch, seq] = input.sizes();
        self.check_input(input)?;
        if batch != state.batch {
            return Err(MixerError::Batch { mixer: NAME, state: state.batch, input: batch });
        }
        self.check_blocks(state)?;
        let seq = state.seq + seq;
        self.check_length(seq)?;
        Ok(seq)
    }

    pub(crate) fn check_blocks(&self, state: &ModelState<M::State>) -> Result<(), MixerError> {
        let (own, other) = (self.blocks.len(), state.blocks.len());
        if own != other {
            return Err(MixerError::ForeignState {
                mixer: NAME,
                difference: format!("it was made with n_layers = {other}, the model has n_layers = {own}"),
            });
        }
        let mut blocks = self.blocks.iter().zip(&state.blocks);
        blocks.try_for_each(|(block, of_block)| block.mixer().check_state(state.batch, of_block))
    }

    /// The outputs of every token, from those of the last block.
    pub(crate) fn outputs(&self, h: Tensor<3>) -> Tensor<3> {
        self.decode(self.transformed(normed(&self.norm, h), &Dropout::Off))
    }
}

/// Whether a step can read `input`.
pub(crate) fn check_one_token(input: &Input) -> Result<(), MixerError> {
    match input.sizes() {
        [_, 1] => Ok(()),
        [_, seq] => Err(MixerError::NotOneToken { mixer: NAME, seq }),
    }
}
