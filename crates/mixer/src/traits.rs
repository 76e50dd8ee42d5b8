//! What a layer implements.

use burn::tensor::Tensor;
use subquad_backend::Form;

use crate::{Contract, MixerError, Origin, ParameterGroup, SliceStepper};

/// Maps a sequence to a sequence of the same shape, exchanging information between tokens.
///
/// All four ways of running a mixer are the same map: `forward` on a whole sequence, `forward_with_state` chunk by
/// chunk, and `step` token by token.
pub trait SequenceMixer {
    /// What a causal mixer must remember of the tokens it has seen.
    type State: MixerState;

    /// The whole sequence at once.
    ///
    /// # Shapes
    /// - `x`: `[batch, seq, d_model]`
    /// - output: `[batch, seq, d_model]`
    ///
    /// By default, for a causal mixer that has nothing faster, it is one chunk from the first state.
    ///
    /// # Panics
    /// As [`assert_reads`](Self::assert_reads).
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.assert_reads(&x);
        let state = self.init_state(x.dims()[0]);
        let (y, _) =
            state.and_then(|state| self.forward_with_state(x, state)).unwrap_or_else(|e| panic!("{e}"));
        y
    }

    /// [`forward`](Self::forward) in training: the same map, except for what the layer drops at random. The same seed
    /// drops the same numbers. A layer that drops nothing does not need the seed and keeps this default.
    ///
    /// # Shapes
    /// As for [`forward`](Self::forward).
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    fn forward_train(&self, x: Tensor<3>, seed: u64) -> Tensor<3> {
        let _ = seed;
        self.forward(x)
    }

    /// Runs a chunk of a sequence that continues from `state`. Gradients flow through both results.
    ///
    /// # Shapes
    /// As for [`forward`](Self::forward).
    ///
    /// # Errors
    /// If the mixer is bidirectional, if [`check_call`](Self::check_call) refuses the two, or if the sequence grows beyond what
    /// [`check_length`](Self::check_length) allows.
    fn forward_with_state(
        &self,
        x: Tensor<3>,
        state: Self::State,
    ) -> Result<(Tensor<3>, Self::State), MixerError>;

    /// One token.
    ///
    /// # Shapes
    /// - `x`: `[batch, d_model]`
    /// - output: `[batch, d_model]`
    ///
    /// # Errors
    /// As for [`forward_with_state`](Self::forward_with_state); `state` is then unchanged.
    fn step(&self, x: Tensor<2>, state: &mut Self::State) -> Result<Tensor<2>, MixerError> {
        let (y, next) = self.forward_with_state(x.unsqueeze_dim(1), state.clone())?;
        *state = next;
        Ok(y.squeeze_dim(1))
    }

    /// Decoding over plain slices on the processor, without gradients: a copy of the present weights that continues from
    /// `state`, of one sequence, and allocates nothing for the next `room` tokens. `None` for a layer that has no such
    /// decoder; [`step`](Self::step) is the same map.
    ///
    /// # Panics
    /// If the state is of several sequences or of another layer.
    fn slice_stepper(&self, state: &Self::State, room: usize) -> Option<Box<dyn SliceStepper>> {
        let _ = (state, room);
        None
    }

    /// The state before the first token, on the layer's own device.
    ///
    /// # Errors
    /// If the mixer is bidirectional: it cannot run token by token.
    fn init_state(&self, batch: usize) -> Result<Self::State, MixerError>;

    /// The same weights, run in another form. A layer of burn operations only has no other form, and keeps this default.
    #[must_use]
    fn with_form(self, form: Form) -> Self
    where
        Self: Sized,
    {
        let _ = form;
        self
    }

    /// What an input must fit.
    fn contract(&self) -> Contract;

    /// Whether this layer can continue from the state with `batch` sequences.
    ///
    /// # Errors
    /// If it is for another batch size, was made by another kind of mixer or with other settings, or is on another
    /// device. States made by other weights with the same settings cannot be recognised.
    fn check_state(&self, batch: usize, state: &Self::State) -> Result<(), MixerError> {
        self.init_state(1)?.check_like(&self.contract(), batch, state)
    }

    /// Whether the layer can read `x`, whatever its length: `[batch, seq, d_model]`, or `[batch, d_model]`.
    ///
    /// # Errors
    /// If it is of another width, empty, on another device, or not f32.
    fn check_input<const D: usize>(&self, x: &Tensor<D>) -> Result<(), MixerError> {
        self.contract().check_input(x)
    }

    /// Whether the layer can read `x` after `state`: every stateful call checks this first, so that a refused one
    /// changes nothing.
    ///
    /// # Errors
    /// As [`check_input`](Self::check_input) and [`check_state`](Self::check_state).
    fn check_call<const D: usize>(&self, x: &Tensor<D>, state: &Self::State) -> Result<(), MixerError> {
        self.check_input(x)?;
        self.check_state(x.dims()[0], state)
    }

    /// What every call without a state checks first.
    ///
    /// # Panics
    /// If [`check_input`](Self::check_input) refuses `x`, or [`check_length`](Self::check_length) its length, with
    /// their message.
    fn assert_reads(&self, x: &Tensor<3>) {
        self.check_input(x).and_then(|()| self.check_length(x.dims()[1])).unwrap_or_else(|e| panic!("{e}"));
    }

    /// Floats that one sequence must keep to decode token `seq + 1`; `None` for a bidirectional mixer.
    /// By default it is what the first state holds, for a state that does not grow.
    fn state_size(&self, seq: usize) -> Option<usize> {
        let _ = seq;
        self.init_state(1).ok().map(|state| state.floats())
    }

    /// Whether the layer can run on `seq` tokens.
    ///
    /// # Errors
    /// [`MixerError::TooLong`] beyond the support of a filter of fixed length.
    fn check_length(&self, seq: usize) -> Result<(), MixerError> {
        let _ = seq;
        Ok(())
    }

    /// Parameters that train with their own learning rate or weight decay; all others use the optimiser's.
    fn parameter_groups(&self) -> Vec<ParameterGroup> {
        vec![]
    }
}

/// Maps every token separately: `[batch, seq, d_model]` to the same shape.
pub trait ChannelMixer {
    /// # Shapes
    /// - `x`: `[batch, seq, d_model]`
    /// - output: `[batch, seq, d_model]`
    ///
    /// # Panics
    /// If the width is not the layer's.
    fn forward(&self, x: Tensor<3>) -> Tensor<3>;
}

/// The memory of a causal mixer between two calls.
pub trait MixerState: Clone + std::fmt::Debug {
    /// Floats held for each sequence of the batch.
    fn floats(&self) -> usize;

    /// The layer that made it; `None` for numbers from elsewhere, which can be checked only by their sizes.
    fn origin(&self) -> Option<&Origin>;

    /// Whether `state`, with `batch` sequences, can be continued if this is the layer's first state of one sequence.
    ///
    /// # Errors
    /// If not. States of several tensors leave this to [`SequenceMixer::check_state`].
    fn check_like(&self, contract: &Contract, batch: usize, state: &Self) -> Result<(), MixerError> {
        let _ = (contract, batch);
        self.origin().map_or(Ok(()), |origin| origin.check(state.origin()))
    }
}
