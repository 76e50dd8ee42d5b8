//! Clipping by the norm of all gradients together, as PyTorch's `clip_grad_norm_`. burn clips each parameter separately.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use subquad_backend::norm::{scaled, sum_of_squares};

/// Scales all gradients by `limit / norm` where their joint norm is above `limit`. Returns the norm before.
pub(crate) fn clip_global_norm<M: Module>(model: &M, grads: &mut GradientsParams, limit: f64) -> f64 {
    let norm = global_norm(model, grads);
    if norm > limit {
        model.visit(&mut Scale { grads, factor: limit / norm });
    }
    norm
}

fn global_norm<M: Module>(model: &M, grads: &GradientsParams) -> f64 {
    let mut visitor = SumOfSquares { grads, sum: 0.0 };
    model.visit(&mut visitor);
    visitor.sum.sqrt()
}

struct SumOfSquares<'a> {
    grads: &'a GradientsParams,
    sum: f64,
}

impl ModuleVisitor for SumOfSquares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.sum += self.grads.get::<D>(param.id).map_or(0.0, sum_of_squares);
    }
}

struct Scale<'a> {
    grads: &'a mut GradientsParams,
    factor: f64,
}

impl ModuleVisitor for Scale<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(grad) = self.grads.remove::<D>(param.id) {
            self.grads.register(param.id, scaled(grad, self.factor));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::LinearConfig;
    use burn::tensor::{Device, TensorData};

    /// A linear layer whose gradients are 3 (weight) and 4 (bias): norm 5.
    fn clipped_to(limit: f64) -> (f64, f64, f64) {
        let layer = LinearConfig::new(1, 1).init(&Device::flex()).train();
        let x = Tensor::<2>::from_data(TensorData::from([[0.75]]), &Device::flex().autodiff());
        let loss = layer.forward(x).sum() * 4.0;
        let mut grads = GradientsParams::from_grads(loss.backward(), &layer);
        let norm = clip_global_norm(&layer, &mut grads, limit);
        let bias = layer.bias.as_ref().expect("a linear layer has a bias by default");
        let weight = grads.get::<2>(layer.weight.id).expect("tracked").into_scalar::<f32>();
        (norm, f64::from(weight), f64::from(grads.get::<1>(bias.id).expect("tracked").into_scalar::<f32>()))
    }

    #[test]
    fn the_norm_is_of_all_gradients_together() {
        assert_eq!(clipped_to(10.0), (5.0, 3.0, 4.0));
        let (norm, weight, bias) = clipped_to(1.0);
        assert!(norm == 5.0 && (weight - 0.6).abs() < 1e-6 && (bias - 0.8).abs() < 1e-6, "{weight} {bias}");
    }
}
