//! The loss to differentiate, and what is counted of a model's answers.

use burn::tensor::{Int, Tensor};
use subquad_backend::cross_entropy::Classified;
use subquad_data::Tally;
use subquad_mixer::MixerModule;
use subquad_model::{Dropout, Input, SequenceModel};

use crate::tensors::{Answers, device_of};

/// How well a model answers a batch.
pub(crate) struct Loss {
    /// To differentiate: the mean cross-entropy, or the mean squared error of reals.
    pub(crate) mean: Tensor<1>,
    /// Classes whose logit is the largest.
    correct: usize,
}

impl Loss {
    pub(crate) fn new<M: MixerModule>(
        model: &SequenceModel<M>,
        input: Input,
        answers: &Answers,
        dropout: &Dropout<'_>,
    ) -> Self {
        match answers {
            Answers::Classes { rows, classes } => {
                let device = device_of(&input);
                let rows = rows.as_ref().map(|rows| Tensor::<1, Int>::from_data(rows.as_slice(), &device));
                let Classified { loss, correct } = model.classify(input, rows, classes, dropout);
                Self { mean: loss, correct }
            }
            Answers::Reals { values } => {
                let outputs = model.forward(input, dropout).flatten(0, 1);
                Self { mean: squared_error(outputs, values), correct: 0 }
            }
        }
    }

    /// What is counted.
    pub(crate) fn tally(&self, answers: &Answers) -> Tally {
        let (labels, mean) = (answers.len(), f64::from(self.mean.clone().into_scalar::<f32>()));
        let tally =
            Tally { loss_sum: mean * labels as f64, labels, correct: self.correct, ..Tally::default() };
        match answers {
            Answers::Classes { .. } => tally,
            Answers::Reals { values } => {
                let values = || values.iter().map(|value| f64::from(*value));
                Tally { target_sum: values().sum(), target_squares: values().map(|v| v * v).sum(), ..tally }
            }
        }
    }
}

/// Of outputs, `[answers, outputs]`.
fn squared_error(outputs: Tensor<2>, values: &[f32]) -> Tensor<1> {
    let targets = Tensor::<1>::from_data(values, &outputs.device());
    mean_in_order((outputs.flatten(0, 1) - targets).square())
}

/// The mean, added up in a fixed order. burn's own mean adds 4 million numbers or more in parallel, in an arbitrary order.
fn mean_in_order(x: Tensor<1>) -> Tensor<1> {
    x.mean_dim(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    /// More than burn adds up in a fixed order by itself.
    const MANY: usize = (4 << 20) + 5;

    /// f32 loses 4e-6 of this mean (measured): every one of its partial sums adds 65 thousand numbers of one sign. Five times
    /// that.
    const MEAN: f64 = 2e-5;

    #[test]
    fn the_mean_of_many_numbers_has_the_same_bits_each_time() {
        let values: Vec<f32> = (0..MANY).map(|i| 1.0 / (1 + i % 1009) as f32).collect();
        let exact = values.iter().map(|v| f64::from(*v)).sum::<f64>() / MANY as f64;
        let x = Tensor::<1>::from_data(TensorData::new(values, [MANY]), &Device::flex());
        let means: Vec<f32> = (0..8).map(|_| mean_in_order(x.clone()).into_scalar()).collect();
        assert!(means.iter().all(|mean| mean.to_bits() == means[0].to_bits()), "{means:?}");
        assert!((f64::from(means[0]) / exact - 1.0).abs() < MEAN, "{} {exact}", means[0]);
    }

    #[test]
    fn the_mean_of_few_numbers_is_burns() {
        for count in [1, 2, 63, 1000] {
            let values: Vec<f32> = (0..count).map(|i| (i as f32).sin()).collect();
            let x = Tensor::<1>::from_data(values.as_slice(), &Device::flex());
            let ours: f32 = mean_in_order(x.clone()).into_scalar();
            assert_eq!(ours, x.mean().into_scalar::<f32>(), "{count}");
        }
    }
}
