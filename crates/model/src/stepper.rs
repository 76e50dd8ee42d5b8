//! Decoding one sequence token by token: over plain slices where that is possible, or else over tensors.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use subquad_backend::{Form, read};
use subquad_mixer::{MixerError, MixerModule};

use crate::model::NAME;
use crate::slices::{OneToken, SliceModel};
use crate::{Input, MixerKind, ModelState, SequenceModel};

/// A model that continues from a state token by token: the same map as [`SequenceModel::step`] for a batch of one, without
/// gradients. A clone goes its own way, for example to branch from a prompt.
///
/// Made by [`SequenceModel::stepper`]. [`path`](Self::path) says how it decodes.
#[derive(Debug, Clone)]
pub struct ModelStepper<M: MixerModule = MixerKind> {
    model: SequenceModel<M>,
    decoding: Decoding<M::State>,
    seq: usize,
    /// The model can run on this many tokens: to ask a mixer may allocate.
    fits: usize,
}

#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "a stepper holds one")]
enum Decoding<S> {
    Slices(SliceModel),
    Tensors(ModelState<S>),
}

/// How a model decodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodingPath {
    /// The whole model over plain slices, with a copy of its weights: one thread, no burn tensors, no allocation.
    Slices,
    /// [`SequenceModel::step`], with burn tensors.
    Tensors,
}

impl DecodingPath {
    /// `"slices"` or `"tensors"`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Slices => "slices",
            Self::Tensors => "tensors",
        }
    }
}

impl<M: MixerModule> SequenceModel<M> {
    /// Continues from `state`, of one sequence, with room for `room` more tokens; further ones cost an allocation now and then.
    ///
    /// It decodes [over slices](DecodingPath::Slices) if the model is of f32 in its fused form, which runs on the `cpu` device, and
    /// its mixers have steppers over slices ([`slice_stepper`](subquad_mixer::SequenceMixer::slice_stepper)), as those of
    /// subquad do unless a kernel is cut off before the sequence ends; or else [over tensors](DecodingPath::Tensors).
    ///
    /// # Errors
    /// If the state is of several sequences, of a model with other blocks, or of weights on another device.
    pub fn stepper(&self, state: ModelState<M::State>, room: usize) -> Result<ModelStepper<M>, MixerError> {
        if state.batch != 1 {
            return Err(MixerError::Batch { mixer: NAME, state: state.batch, input: 1 });
        }
        self.check_blocks(&state)?;
        let (seq, room) = (state.seq, room.max(1));
        let end = seq.saturating_add(room);
        let fits = if self.check_length(end).is_ok() { end } else { seq };
        let slices = self.takes_slices().then(|| SliceModel::new(self, &state, room)).flatten();
        let decoding = slices.map_or_else(|| Decoding::Tensors(state), Decoding::Slices);
        Ok(ModelStepper { model: self.clone(), decoding, seq, fits })
    }

    fn takes_slices(&self) -> bool {
        let is_fused = self.form == Form::Fused && Form::for_device(&self.encoder.device()) == Form::Fused;
        is_fused && self.encoder.dtype() == DType::F32
    }
}

impl<M: MixerModule> ModelStepper<M> {
    /// One token.
    ///
    /// # Shapes
    /// - `outputs`: logits or reals, `[outputs]`
    ///
    /// # Errors
    /// If the model cannot run on one token more, or has no such token, type or number of features; the stepper is then unchanged.
    ///
    /// # Panics
    /// If the token is of the other kind than the encoder's, has a type although the model has none, or `outputs` has another length.
    pub fn step(&mut self, token: OneToken<'_>, outputs: &mut [f32]) -> Result<(), MixerError> {
        self.model.check_token(token)?;
        if self.seq == self.fits {
            self.model.check_length(self.seq + 1)?;
            self.fits += 1;
        }
        match &mut self.decoding {
            Decoding::Slices(slices) => slices.step(token, self.seq, outputs),
            Decoding::Tensors(state) => {
                let input = token.input(&self.model.encoder.device());
                let answer = read(self.model.step(input, state)?);
                let answer: Vec<f32> = answer.iter().collect();
                outputs.copy_from_slice(&answer);
            }
        }
        self.seq += 1;
        Ok(())
    }

    /// How it decodes.
    pub fn path(&self) -> DecodingPath {
        match self.decoding {
            Decoding::Slices(_) => DecodingPath::Slices,
            Decoding::Tensors(_) => DecodingPath::Tensors,
        }
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.model.answers.outputs()
    }

    /// Tokens seen so far.
    pub fn seq(&self) -> usize {
        self.seq
    }

    /// Floats held of the sequence, over all blocks.
    pub fn floats(&self) -> usize {
        match &self.decoding {
            Decoding::Slices(slices) => slices.floats(),
            Decoding::Tensors(state) => state.floats(),
        }
    }
}

impl OneToken<'_> {
    /// The same as tensors.
    fn input(self, device: &Device) -> Input {
        let int =
            |value: usize| Tensor::<2, Int>::from_data(TensorData::new(vec![value as i64], [1, 1]), device);
        match self {
            Self::Reals(x) => {
                Input::Reals(Tensor::from_data(TensorData::new(x.to_vec(), [1, 1, x.len()]), device))
            }
            Self::Token(token) => Input::Tokens(int(token)),
            Self::TypedToken(token, kind) => Input::TypedTokens(int(token), int(kind)),
        }
    }
}
