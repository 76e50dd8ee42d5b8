//! [`Ema`](crate::Ema) token by token.

use std::sync::Arc;
use subquad_backend::simd::Lockstep;

use burn::tensor::activation;
use subquad_backend::floats;
use subquad_mixer::{SliceStepper, TensorState};

use crate::Ema;

/// One sequence: the shares that are kept and taken, and the averages.
#[derive(Debug, Clone)]
pub(crate) struct EmaStepper {
    /// `[d_model]` each: of the average, and of a new input.
    shares: Arc<[Vec<f32>; 2]>,
    /// `[d_model]`
    averages: Vec<f32>,
    seq: usize,
}

impl EmaStepper {
    /// Continues from a state of one sequence.
    pub(crate) fn new(layer: &Ema, state: &TensorState<2>) -> Self {
        let logit = layer.logit.val();
        let shares = [logit.clone(), logit.neg()].map(|logit| floats(activation::sigmoid(logit)));
        Self { shares: Arc::new(shares), averages: floats(state.tensor.clone()), seq: state.seq }
    }
}

impl SliceStepper for EmaStepper {
    fn step(&mut self, x: &[f32], y: &mut [f32]) {
        let d_model = self.averages.len();
        assert_eq!([x.len(), y.len()], [d_model; 2], "a stepper's tokens are as wide as its layer");
        let [kept, taken] = &*self.shares;
        for (((average, kept), taken), x) in
            self.averages.iter_mut().lockstep(kept).lockstep(taken).lockstep(x)
        {
            *average = kept * *average + taken * x;
        }
        y.copy_from_slice(&self.averages);
        self.seq += 1;
    }

    fn seq(&self) -> usize {
        self.seq
    }

    fn state_bytes(&self) -> usize {
        size_of_val(&*self.averages)
    }

    fn reset(&mut self) {
        self.averages.fill(0.0);
        self.seq = 0;
    }

    fn boxed(&self) -> Box<dyn SliceStepper> {
        Box::new(self.clone())
    }
}
