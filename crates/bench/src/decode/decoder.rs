//! Layers that continue token by token.

use std::fmt::Debug;

use burn::tensor::Tensor;
use subquad_mixer::published::to_f64;
use subquad_mixer::{MeasuredMixer, MixerState, SequenceMixer, SliceStepper};

/// This many steps are timed before a decoder goes back to its context, so that the context stays about as long as it says.
pub const STEPS: usize = 16;
/// This many tokens of the context are read at once, because the scores of a portable form must fit into memory.
pub(super) const CHUNK: usize = 1024;

/// A layer after a context, in one of its ways of decoding. It repeats one token.
pub trait Decoder: Debug {
    /// What carries tokens and state: `"tensors"` or `"slices"`.
    fn path(&self) -> &'static str;

    /// Returns to the end of the context. The first step after that may copy the state.
    fn rewind(&mut self);

    /// Decodes one token.
    fn step(&mut self);

    /// The newest output, `[d_model]`.
    fn output(&self) -> Vec<f64>;

    /// Bytes of the state.
    fn state_bytes(&self) -> usize;

    /// Number of threads that it uses.
    fn threads(&self) -> usize;
}

/// All ways of decoding after `context`, `[1, seq, d_model]`, each repeating `token`, `[1, d_model]`: by
/// [`SequenceMixer::step`], and by the layer's stepper over slices if it has one. There are none for a layer without steps.
pub(crate) fn decoders<C: MeasuredMixer>(
    layer: &C::Mixer,
    context: Tensor<3>,
    token: Tensor<2>,
) -> Vec<Box<dyn Decoder>> {
    let Some(start) = read_context(layer, context) else { return vec![] };
    let slices = layer.slice_stepper(&start, STEPS + 1).map(|stepper| slices(stepper, token.clone()));
    let (layer, now, output) = (layer.clone(), start.clone(), token.clone());
    let tensors: Box<dyn Decoder> = Box::new(Tensors { layer, now, start, output, token });
    std::iter::once(tensors).chain(slices).collect()
}

/// A stepper over slices that has read its context.
fn slices(stepper: Box<dyn SliceStepper>, token: Tensor<2>) -> Box<dyn Decoder> {
    let token: Vec<f32> = to_f64(token).iter().map(|x| *x as f32).collect();
    Box::new(Slices { now: stepper.boxed(), start: stepper, output: token.clone(), token })
}

/// The state after a context; `None` for a layer without steps.
fn read_context<M: SequenceMixer>(layer: &M, context: Tensor<3>) -> Option<M::State> {
    let (seq, mut state) = (context.dims()[1], layer.init_state(1).ok()?);
    for first in (0..seq).step_by(CHUNK) {
        let chunk = context.clone().narrow(1, first, CHUNK.min(seq - first));
        (_, state) = layer.forward_with_state(chunk, state).ok()?;
    }
    Some(state)
}

#[derive(Debug)]
struct Tensors<M: SequenceMixer> {
    layer: M,
    start: M::State,
    now: M::State,
    token: Tensor<2>,
    output: Tensor<2>,
}

impl<M: SequenceMixer + Debug> Decoder for Tensors<M> {
    fn path(&self) -> &'static str {
        "tensors"
    }

    fn rewind(&mut self) {
        self.now = self.start.clone();
    }

    fn step(&mut self) {
        self.output =
            self.layer.step(self.token.clone(), &mut self.now).expect("it has stepped over the context");
    }

    fn output(&self) -> Vec<f64> {
        to_f64(self.output.clone())
    }

    fn state_bytes(&self) -> usize {
        self.now.floats() * size_of::<f32>()
    }

    fn threads(&self) -> usize {
        rayon::current_num_threads()
    }
}

#[derive(Debug)]
struct Slices {
    start: Box<dyn SliceStepper>,
    now: Box<dyn SliceStepper>,
    token: Vec<f32>,
    output: Vec<f32>,
}

impl Decoder for Slices {
    fn path(&self) -> &'static str {
        "slices"
    }

    fn rewind(&mut self) {
        self.now = self.start.boxed();
    }

    fn step(&mut self) {
        self.now.step(&self.token, &mut self.output);
    }

    fn output(&self) -> Vec<f64> {
        self.output.iter().map(|y| f64::from(*y)).collect()
    }

    fn state_bytes(&self) -> usize {
        self.now.state_bytes()
    }

    fn threads(&self) -> usize {
        1
    }
}
