//! Decoding with a copy of the mixers' weights: what the mixers can do over plain slices is done so.

use burn::tensor::{Tensor, TensorData};
use subquad_backend::{Form, read};
use subquad_mixer::{MixerError, MixerModule, MixerState, SliceStepper};

use crate::model::NAME;
use crate::state::check_one_token;
use crate::{Dropout, Input, MixerKind, ModelState, SequenceModel};

/// A model that continues from a state token by token: the same map as [`SequenceModel::step`], without gradients.
///
/// Made by [`SequenceModel::stepper`]. Mixers with a decoder over slices
/// ([`SequenceMixer::slice_stepper`](subquad_mixer::SequenceMixer::slice_stepper)) prepare it once here instead of working out
/// of their parameters at every token what no token changes; the others step as they are.
#[derive(Debug)]
pub struct ModelStepper<'a, M: MixerModule = MixerKind> {
    model: &'a SequenceModel<M>,
    /// One a block.
    mixers: Vec<Decoding<M::State>>,
    batch: usize,
    seq: usize,
}

/// How the mixer of a block decodes.
#[derive(Debug)]
enum Decoding<S> {
    Slices(Box<dyn SliceStepper>),
    Tensors(S),
}

impl<M: MixerModule> SequenceModel<M> {
    /// Continues from `state` with room for `room` more tokens; further ones cost an allocation now and then. Slices serve one
    /// sequence on the `cpu` device.
    ///
    /// # Errors
    /// If the state is of a model with other blocks, or of weights on another device.
    pub fn stepper(
        &self,
        state: ModelState<M::State>,
        room: usize,
    ) -> Result<ModelStepper<'_, M>, MixerError> {
        self.check_blocks(&state)?;
        let slices = state.batch == 1 && Form::for_device(&self.encoder.device()) == Form::Fused;
        let decoding = |(mixer, state): (&M, M::State)| {
            let stepper = if slices { mixer.slice_stepper(&state, room) } else { None };
            stepper.map_or(Decoding::Tensors(state), Decoding::Slices)
        };
        let mixers = self.blocks.iter().map(|block| block.mixer()).zip(state.blocks).map(decoding).collect();
        Ok(ModelStepper { model: self, mixers, batch: state.batch, seq: state.seq })
    }
}

impl<M: MixerModule> ModelStepper<'_, M> {
    /// One token.
    ///
    /// # Shapes
    /// - `input`: `[batch, 1, features]` reals or `[batch, 1]` tokens
    /// - output: logits or reals, `[batch, outputs]`
    ///
    /// # Errors
    /// As [`SequenceModel::step`]; the stepper is then unchanged.
    ///
    /// # Panics
    /// If the input is of the other kind than the encoder's.
    pub fn step(&mut self, input: Input) -> Result<Tensor<2>, MixerError> {
        self.check(&input)?;
        let mut h = self.model.encode(input, self.seq, &Dropout::Off);
        for (block, decoding) in self.model.blocks.iter().zip(&mut self.mixers) {
            h = block.step(h, |mixer, token| decoding.step(mixer, token))?;
        }
        self.seq += 1;
        Ok(self.model.outputs(h).squeeze_dim(1))
    }

    fn check(&self, input: &Input) -> Result<(), MixerError> {
        check_one_token(input)?;
        self.model.check_input(input)?;
        let [batch, _] = input.sizes();
        if batch != self.batch {
            return Err(MixerError::Batch { mixer: NAME, state: self.batch, input: batch });
        }
        self.model.check_length(self.seq + 1)
    }

    /// Tokens seen so far.
    pub fn seq(&self) -> usize {
        self.seq
    }

    /// Floats held for each sequence of the batch, over all blocks.
    pub fn floats(&self) -> usize {
        self.mixers.iter().map(Decoding::floats).sum()
    }
}

impl<S: MixerState> Decoding<S> {
    /// `[batch, d_model]` to the same.
    fn step<M: MixerModule<State = S>>(
        &mut self,
        mixer: &M,
        token: Tensor<2>,
    ) -> Result<Tensor<2>, MixerError> {
        match self {
            Self::Tensors(state) => mixer.step(token, state),
            Self::Slices(stepper) => Ok(step(&mut **stepper, token)),
        }
    }

    fn floats(&self) -> usize {
        match self {
            Self::Tensors(state) => state.floats(),
            Self::Slices(stepper) => stepper.state_bytes() / size_of::<f32>(),
        }
    }
}

/// `[1, d_model]` to the same.
fn step(stepper: &mut dyn SliceStepper, token: Tensor<2>) -> Tensor<2> {
    let (shape, device) = (token.dims(), token.device());
    let x: Vec<f32> = read(token).try_into_vec().expect("a model that has read its input is of f32");
    let mut y = vec![0.0; x.len()];
    stepper.step(&x, &mut y);
    Tensor::from_data(TensorData::new(y, shape), &device)
}
