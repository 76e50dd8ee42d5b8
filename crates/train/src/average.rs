//! The exponential moving average of a model's weights.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use subquad_mixer::MixerModule;
use subquad_model::SequenceModel;

/// An average over the steps of a training, of which the latest weigh most.
///
/// ```text
/// average_t = d_t average_{t-1} + (1 - d_t) weights_t,   d_t = min(decay, (1 + t) / (10 + t)),   t = 1, 2, ..
/// ```
/// Polyak and Juditsky 1992, "Acceleration of stochastic approximation by averaging". The smaller `d_t` at first keep the initial weights
/// from lasting; they are those of TensorFlow's `ExponentialMovingAverage` with `num_updates`.
pub(crate) struct Average<M> {
    /// Off autodiff.
    model: SequenceModel<M>,
    decay: f64,
    /// Steps that are in it.
    steps: usize,
}

impl<M: MixerModule> Average<M> {
    /// The average after so many steps; `model` is off autodiff.
    pub(crate) fn new(model: SequenceModel<M>, decay: f64, steps: usize) -> Self {
        Self { model, decay, steps }
    }

    pub(crate) fn model(&self) -> &SequenceModel<M> {
        &self.model
    }

    /// Takes in the weights after the next step; `model` is on autodiff.
    pub(crate) fn follow(&mut self, model: &SequenceModel<M>) {
        self.steps += 1;
        let mut weights = Weights(GradientsParams::new());
        model.valid().visit(&mut weights);
        let mut towards = Towards { weights: weights.0, decay: decay_at(self.decay, self.steps) };
        self.model = self.model.clone().map(&mut towards);
    }
}

/// The weights of a model by the identity of their parameter, in burn's container for tensors of any rank.
struct Weights(GradientsParams);

impl ModuleVisitor for Weights {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.register(param.id, param.val());
    }
}

/// Moves every parameter towards the weights of the same identity.
struct Towards {
    weights: GradientsParams,
    decay: f64,
}

impl ModuleMapper for Towards {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.weights.remove::<D>(param.id) {
            Some(weights) => param.map(|average| average * self.decay + weights * (1.0 - self.decay)),
            None => param,
        }
    }
}

/// `d_t`.
fn decay_at(decay: f64, step: usize) -> f64 {
    let step = step as f64;
    decay.min((1.0 + step) / (10.0 + step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_steps_weigh_less_so_that_the_start_does_not_last() {
        assert_eq!([1, 2, 10].map(|step| decay_at(0.999, step)), [2.0 / 11.0, 3.0 / 12.0, 11.0 / 20.0]);
        assert_eq!([1, 80, 90, 1000].map(|step| decay_at(0.9, step)), [2.0 / 11.0, 0.9, 0.9, 0.9]);
    }
}
