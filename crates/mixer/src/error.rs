//! What layers refuse.

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
    /// There is no such token, or no such type.
    #[error("the {mixer} has {count} {what}s, counted from 0, got {got}")]
    Unknown {
        /// The name of what was asked.
        mixer: &'static str,
        /// `"token"` or `"token type"`.
        what: &'static str,
        /// The one that was given.
        got: usize,
        /// How many there are.
        count: usize,
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
