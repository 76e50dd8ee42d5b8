//! Dropout whose masks the caller draws, so that a run can be continued exactly.

use burn::tensor::{Tensor, TensorData};

/// Draws `count` numbers, uniform in [0, 1), for dropout site `site` of the model. The same site must get the same
/// numbers when a step is repeated.
pub type Uniform<'a> = dyn Fn(usize, usize) -> Vec<f32> + 'a;

/// Whether and how activations are dropped.
pub enum Dropout<'a> {
    /// Evaluation: nothing is dropped.
    Off,
    /// Training.
    On {
        /// Probability of dropping an activation, in [0, 1).
        rate: f64,
        /// Where the masks come from.
        uniform: &'a Uniform<'a>,
    },
}

impl Dropout<'_> {
    /// `x` with activations set to zero with probability `rate` and the others scaled by `1 / (1 - rate)`.
    pub(crate) fn apply(&self, x: Tensor<3>, site: usize) -> Tensor<3> {
        match self {
            Self::Off => x,
            Self::On { rate: 0.0, .. } => x,
            Self::On { rate, uniform } => x.clone() * mask(&x, *rate, uniform(site, x.shape().num_elements())),
        }
    }
}

fn mask(x: &Tensor<3>, rate: f64, uniform: Vec<f32>) -> Tensor<3> {
    let scale = (1.0 / (1.0 - rate)) as f32;
    let values: Vec<f32> = uniform.into_iter().map(|u| if f64::from(u) < rate { 0.0 } else { scale }).collect();
    Tensor::from_data(TensorData::new(values, x.dims()), &x.device())
}
