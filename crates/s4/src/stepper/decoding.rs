//! A layer's step on tensors, by the same code as a stepper's: the state changes in place, and only the output is new.

use std::any::Any;
use std::sync::Arc;

use burn::nn::Linear;
use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_backend::kernel::{Floats, is_plain};
use subquad_backend::parameter::{are_plain, is_same};

use super::recurrence::Recurrence;
use crate::complex::Pair;
use crate::{S4State, SsmLayer, StateSpace};

/// What a state keeps of a layer to go on token by token.
#[derive(Debug, Clone)]
pub(crate) struct Decoding {
    /// The `SsmLayer` it was worked out from. Holding it keeps its parameters from being changed in place, see [`is_same`].
    of: Arc<dyn Any + Send + Sync>,
    recurrence: Arc<Recurrence>,
    /// `[batch, scratch]`
    scratch: Vec<f32>,
    /// What stands in a state's place while its numbers are out. Tensors of nothing, made once: to make one allocates.
    empty: Option<Pair<3>>,
}

impl<S: StateSpace> SsmLayer<S> {
    /// Whether the step of `x` from `state` can run over slices: in the fused form, and where no gradient is wanted. It then
    /// has what that needs.
    pub(crate) fn prepare(&self, x: &Tensor<2>, state: &mut S4State) -> bool {
        if self.form != Form::Fused || !(is_plain(x) && is_plain(&state.re) && is_plain(&state.im)) {
            return false;
        }
        if state.decoding.as_ref().is_some_and(|decoding| decoding.is_of(self)) {
            return true;
        }
        let plain = are_plain(self);
        state.decoding = plain.then(|| Decoding::new(self, state));
        plain
    }

    /// Whether both are the very same parameters under the same rules, and so the same map in evaluation.
    fn is_same(&self, other: &Self) -> bool {
        let output = match (&self.output, &other.output) {
            (Some(own), Some(other)) => is_same(&own.weight, &other.weight) && same_bias(own, other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        output
            && self.rules.activation == other.rules.activation
            && self.rules.output == other.rules.output
            && is_same(&self.d, &other.d)
            && self.ssm.is_same(&other.ssm)
    }
}

fn same_bias(own: &Linear, other: &Linear) -> bool {
    match (&own.bias, &other.bias) {
        (Some(own), Some(other)) => is_same(own, other),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

impl Decoding {
    fn new<S: StateSpace>(layer: &SsmLayer<S>, state: &mut S4State) -> Self {
        let nothing = Tensor::zeros([0, 0, 0], &state.re.device());
        Self {
            recurrence: Arc::new(Recurrence::new(layer, &mut state.recovered)),
            of: Arc::new(layer.clone()),
            scratch: vec![],
            empty: Some(Pair { re: nothing.clone(), im: nothing }),
        }
    }

    fn is_of<S: StateSpace>(&self, layer: &SsmLayer<S>) -> bool {
        self.of.downcast_ref::<SsmLayer<S>>().is_some_and(|of| of.is_same(layer))
    }

    /// One token of every sequence, `[batch, d_model]`, on as many threads as there are sequences.
    pub(crate) fn step(x: Tensor<2>, state: &mut S4State) -> Tensor<2> {
        let S4State { re, im, seq, decoding, .. } = state;
        let Self { recurrence, scratch, empty, .. } = decoding.as_mut().expect("`prepare` has put it there");
        let [batch, d_model] = x.dims();
        scratch.resize(batch * recurrence.scratch_len(), 0.0);
        let Pair { re: no_re, im: no_im } = empty.take().expect("every step puts it back");
        let mut new_re = Floats::of(std::mem::replace(re, no_re));
        let mut new_im = Floats::of(std::mem::replace(im, no_im));
        let mut y = vec![0.0; batch * d_model];
        recurrence.steps(Floats::of(x).values(), [new_re.values_mut(), new_im.values_mut()], scratch, &mut y);
        let no_re = std::mem::replace(re, new_re.into_tensor());
        let no_im = std::mem::replace(im, new_im.into_tensor());
        *empty = Some(Pair { re: no_re, im: no_im });
        *seq += 1;
        Floats::new(y, [batch, d_model]).into_tensor()
    }
}
