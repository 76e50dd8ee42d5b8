//! Dropout whose masks the caller draws, so that a run can be continued exactly.

use burn::tensor::{Tensor, TensorData};

use subquad_mixer::SequenceMixer;

/// Draws `count` numbers, uniform in [0, 1), for dropout site `site` of the model. The same site must get the same
/// numbers when a step is repeated.
pub type Uniform<'a> = dyn Fn(usize, usize) -> Vec<f32> + 'a;

/// The seed for what the sequence mixer of block `index` drops internally, such as attention weights. The same block must
/// get the same seed when a step is repeated.
pub type MixerSeed<'a> = dyn Fn(usize) -> u64 + 'a;

/// Whether and how activations are dropped, and whether mixers drop what their own configs say.
pub enum Dropout<'a> {
    /// Evaluation: nothing is dropped.
    Off,
    /// Training.
    On {
        /// Probability of dropping an activation, in [0, 1). Mixers have rates of their own.
        rate: f64,
        /// Where the masks come from.
        uniform: &'a Uniform<'a>,
        /// Where the mixers' seeds come from.
        mixer_seed: &'a MixerSeed<'a>,
    },
}

impl Dropout<'_> {
    /// `x` with activations set to zero with probability `rate` and the others scaled by `1 / (1 - rate)`.
    pub(crate) fn apply(&self, x: Tensor<3>, site: usize) -> Tensor<3> {
        match self {
            Self::Off => x,
            Self::On { rate: 0.0, .. } => x,
            Self::On { rate, uniform, .. } => {
                x.clone() * mask(&x, *rate, uniform(site, x.shape().num_elements()))
            }
        }
    }

    /// The output of block `index`'s mixer for `x`, with its own dropout.
    pub(crate) fn mix(&self, mixer: &impl SequenceMixer, x: Tensor<3>, index: usize) -> Tensor<3> {
        match self {
            Self::Off => mixer.forward(x),
            Self::On { mixer_seed, .. } => mixer.forward_train(x, mixer_seed(index)),
        }
    }
}

fn mask(x: &Tensor<3>, rate: f64, uniform: Vec<f32>) -> Tensor<3> {
    let scale = (1.0 / (1.0 - rate)) as f32;
    let values: Vec<f32> =
        uniform.into_iter().map(|u| if f64::from(u) < rate { 0.0 } else { scale }).collect();
    Tensor::from_data(TensorData::new(values, x.dims()), &x.device())
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    /// What ones become when the draws are 0, 0.25, 0.5, 0.75.
    fn kept(rate: f64) -> Vec<f32> {
        let uniform = |_: usize, count: usize| (0..count).map(|i| i as f32 / count as f32).collect();
        let ones = Tensor::ones([1, 2, 2], &Device::flex());
        Dropout::On { rate, uniform: &uniform, mixer_seed: &|_| 0 }
            .apply(ones, 0)
            .into_data()
            .iter::<f32>()
            .collect()
    }

    #[test]
    fn draws_below_the_rate_drop_and_the_rest_is_scaled_up() {
        assert_eq!(kept(0.5), [0.0, 0.0, 2.0, 2.0]);
        assert_eq!(kept(0.2), [0.0, 1.25, 1.25, 1.25]);
    }

    #[test]
    fn rate_zero_and_off_leave_everything_and_draw_nothing() {
        let never = |_: usize, _: usize| -> Vec<f32> { unreachable!("nothing is drawn") };
        let x = Tensor::<3>::ones([1, 2, 2], &Device::flex());
        for dropout in [Dropout::Off, Dropout::On { rate: 0.0, uniform: &never, mixer_seed: &|_| 0 }] {
            dropout.apply(x.clone(), 0).into_data().assert_eq(&x.clone().into_data(), true);
        }
    }
}
