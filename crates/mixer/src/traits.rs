//! The two traits and the error they share.

use burn::tensor::Tensor;
use subquad_backend::Form;

use crate::{Contract, Origin, ParameterGroup, SliceStepper};

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
        self.origin().map_or(Ok(()), |origin| origin.check(state))
    }
}

/// Why a mixer cannot do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MixerError {
    /// A bidirectional mixer was asked to run from a state.
    #[error(
        "a bidirectional {mixer} sees the future, so it has no state and no step; build it with causal = true, \
         or use a mixer that can be causal"
    )]
    Bidirectional {
        /// Name of the mixer, as in configs.
        mixer: &'static str,
    },
    /// The sequence is longer than the filter, or the matrix, of the layer.
    #[error("{mixer} takes at most l_max = {l_max} tokens, got {seq}; build it with a larger l_max")]
    TooLong {
        /// Name of the mixer, as in configs.
        mixer: &'static str,
        /// Number of tokens that it covers.
        l_max: usize,
        /// Tokens asked for.
        seq: usize,
    },
    /// A layer with truncated kernels was asked to continue from a state beyond them.
    #[error(
        "the kernels of this {mixer} are cut off after {taps} taps, but a state remembers all tokens, so it can continue for at \
         most {taps}; run the whole sequence at once, or remove the cut (`with_max_taps(None)`)"
    )]
    CutKernel {
        /// Name of the mixer, as in configs.
        mixer: &'static str,
        /// Taps of its kernels.
        taps: usize,
    },
    /// The sequence is longer than the model's table of positions.
    #[error(
        "the model has learned positions for at most {rows} tokens, got {seq}; build it with more positions"
    )]
    Positions {
        /// Positions in the table.
        rows: usize,
        /// Tokens asked for.
        seq: usize,
    },
    /// A training sequence is longer than the layer can learn from.
    #[error(
        "{mixer} learns its output weights at l_max = {l_max} tokens, so it cannot train on {seq}; build it with a larger \
         l_max (evaluation, without autodiff, may use longer sequences)"
    )]
    TooLongToTrain {
        /// Name of the mixer, as in configs.
        mixer: &'static str,
        /// Number of tokens that the weights belong to.
        l_max: usize,
        /// Tokens asked for.
        seq: usize,
    },
    /// The input's width is not the layer's.
    #[error("{mixer} has {name} = {wanted}, got an input of width {got}")]
    Width {
        /// Name of the mixer, as in configs.
        mixer: &'static str,
        /// The name of its width.
        name: &'static str,
        /// Its width.
        wanted: usize,
        /// The input's last axis.
        got: usize,
    },
    /// The input has no tokens.
    #[error("{mixer} needs at least 1 token, got an empty sequence")]
    EmptySequence {
        /// Name of the mixer, as in configs.
        mixer: &'static str,
    },
    /// The input of a step has more than one token, or none.
    #[error("a step of a {mixer} takes 1 token, got {seq}; forward_with_state takes several")]
    NotOneToken {
        /// The name of what was asked to step.
        mixer: &'static str,
        /// Tokens of the input.
        seq: usize,
    },
    /// The layer, its input or its state is not f32.
    #[error("{mixer} computes in f32, got {what} of {got}; cast to f32 first, as in x.cast(FloatDType::F32)")]
    Dtype {
        /// Name of the mixer, as in configs.
        mixer: &'static str,
        /// Which of them.
        what: &'static str,
        /// Its element type.
        got: &'static str,
    },
    /// The input or the state is not on the layer's device.
    #[error(
        "{mixer} is on {layer}, got {what} on {got}; move both to one device, as in x.to_device(&device)"
    )]
    Device {
        /// Name of the mixer, as in configs.
        mixer: &'static str,
        /// Which of them.
        what: &'static str,
        /// The layer's device.
        layer: String,
        /// The device of the input or state.
        got: String,
    },
    /// The state is for another batch size than the input.
    #[error(
        "{mixer} got a state of {state} sequences and an input of {input}; use a state from \
         init_state({input}), or the input that continues this state"
    )]
    Batch {
        /// Name of the mixer, as in configs.
        mixer: &'static str,
        /// Sequences of the state.
        state: usize,
        /// Sequences of the input.
        input: usize,
    },
    /// The state belongs to another layer.
    #[error("the state does not belong to this {mixer}: {difference}; use one from this layer's init_state")]
    ForeignState {
        /// Name of the mixer, as in configs.
        mixer: &'static str,
        /// How the state differs, in words.
        difference: String,
    },
}

impl MixerError {
    /// Whether a filter, or a matrix, of `l_max` tokens covers `seq`.
    ///
    /// # Errors
    /// [`TooLong`](Self::TooLong) if not.
    pub fn check_length(mixer: &'static str, l_max: usize, seq: usize) -> Result<(), Self> {
        match seq <= l_max {
            true => Ok(()),
            false => Err(Self::TooLong { mixer, l_max, seq }),
        }
    }
}
