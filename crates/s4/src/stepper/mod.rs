//! Decoding over plain slices: one sequence, one thread, no allocation.
//!
//! It uses one thread, because handing work to a pool allocates, and because a token's work is mostly reading the
//! weights once. Several sequences take several steppers, one per thread: clones share the weights.

mod channels;
mod ema;
mod h3;
mod recurrence;

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use subquad_backend::floats;
use subquad_mixer::{MixerError, MixerState, Origin, SliceStepper};

pub(crate) use self::ema::EmaStepper;
pub(crate) use self::h3::H3Stepper;
use self::recurrence::Recurrence;
use crate::{S4State, SsmLayer, StateSpace};

/// One sequence through an [`S4d`](crate::S4d) or [`S4`](crate::S4) layer, token by token: the layer's weights, a state and
/// scratch space.
///
/// Made by [`SsmLayer::stepper`]. A clone shares the weights and continues independently from the tokens seen so far.
#[derive(Debug, Clone)]
pub struct S4Stepper {
    origin: Origin,
    recurrence: Arc<Recurrence>,
    /// `[d_model, pairs]`
    re: Vec<f32>,
    /// `[d_model, pairs]`
    im: Vec<f32>,
    scratch: Vec<f32>,
    seq: usize,
}

impl<S: StateSpace> SsmLayer<S> {
    /// A stepper with a copy of the layer's present weights, and a recurrence computed from them in f64.
    ///
    /// # Errors
    /// If the layer is bidirectional, or its kernels are [cut](Self::with_max_taps): a stepper can continue without
    /// end.
    ///
    /// # Panics
    /// If the weights are not f32.
    pub fn stepper(&self) -> Result<S4Stepper, MixerError> {
        self.check_causal()?;
        self.rules.max_taps.check_state(S::NAME, usize::MAX)?;
        let recurrence = Recurrence::new(self);
        let part = vec![0.0; recurrence.state_len()];
        Ok(S4Stepper {
            origin: self.origin(),
            re: part.clone(),
            im: part,
            scratch: vec![0.0; recurrence.scratch_len()],
            seq: 0,
            recurrence: Arc::new(recurrence),
        })
    }
}

impl S4Stepper {
    /// Continues from the tokens of `state` instead of its own, for example after a prompt that went through
    /// [`forward_with_state`](subquad_mixer::SequenceMixer::forward_with_state) at once.
    ///
    /// # Panics
    /// If `state` is not of one sequence and of a layer of the same kind and sizes.
    pub fn resume(&mut self, state: &S4State) {
        self.origin.check(state.origin()).unwrap_or_else(|e| panic!("{e}"));
        let wanted = self.state_shape();
        assert_eq!([state.re.dims(), state.im.dims()], [wanted; 2], "the state that a stepper resumes");
        self.re.copy_from_slice(&floats(state.re.clone()));
        self.im.copy_from_slice(&floats(state.im.clone()));
        self.seq = state.seq();
    }

    /// The state after the tokens seen so far, of one sequence on the `cpu` device.
    pub fn state(&self) -> S4State {
        let tensor = |part: &[f32]| {
            let data = TensorData::new(part.to_vec(), self.state_shape());
            Tensor::from_data(data, &Device::flex())
        };
        S4State {
            seq: self.seq,
            origin: Some(self.origin),
            ..S4State::new(tensor(&self.re), tensor(&self.im))
        }
    }

    fn state_shape(&self) -> [usize; 3] {
        let d_model = self.recurrence.d_model();
        [1, d_model, self.re.len() / d_model]
    }
}

impl SliceStepper for S4Stepper {
    fn step(&mut self, x: &[f32], y: &mut [f32]) {
        let d_model = self.recurrence.d_model();
        assert_eq!([x.len(), y.len()], [d_model; 2], "a stepper's tokens are as wide as its layer");
        self.recurrence.step(x, [&mut self.re, &mut self.im], &mut self.scratch, y);
        self.seq += 1;
    }

    fn seq(&self) -> usize {
        self.seq
    }

    fn state_bytes(&self) -> usize {
        size_of_val(&*self.re) + size_of_val(&*self.im)
    }

    fn reset(&mut self) {
        self.re.fill(0.0);
        self.im.fill(0.0);
        self.seq = 0;
    }

    fn boxed(&self) -> Box<dyn SliceStepper> {
        Box::new(self.clone())
    }
}
