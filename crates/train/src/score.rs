//! Loss and accuracy.

use burn::tensor::{Int, Tensor, activation::log_softmax};

use crate::tensors::Labels;

/// Sums over labels, so that batches of any size add up to the whole.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Score {
    /// Sum of the negative log-likelihoods, in nats.
    pub loss_sum: f64,
    /// Labels whose class had the largest logit.
    pub correct: usize,
    /// Labels.
    pub labels: usize,
}

impl Score {
    /// Mean negative log-likelihood a label, in nats.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.labels as f64
    }

    /// [`loss`](Self::loss) in bits: bits per byte, where a label is a byte.
    pub fn bits(&self) -> f64 {
        self.loss() / std::f64::consts::LN_2
    }

    /// Share of labels whose class had the largest logit, 0 to 1.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.labels as f64
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.loss_sum += other.loss_sum;
        self.correct += other.correct;
        self.labels += other.labels;
    }
}

/// Mean cross-entropy of `[labels, classes]` logits, as a tensor to differentiate.
pub(crate) fn cross_entropy(logits: Tensor<2>, labels: &Labels) -> Tensor<1> {
    let classes = Tensor::<1, Int>::from_data(labels.classes.as_slice(), &logits.device());
    let picked = log_softmax(logits, 1).gather(1, classes.unsqueeze_dim(1));
    picked.mean().neg()
}

/// The score of `[labels, classes]` logits and their mean loss.
pub(crate) fn score(logits: Tensor<2>, labels: &Labels, mean_loss: f64) -> Score {
    let best = logits.argmax(1).into_data();
    let correct = best.iter::<i32>().zip(&labels.classes).filter(|(best, class)| best == *class).count();
    let count = labels.classes.len();
    Score { loss_sum: mean_loss * count as f64, correct, labels: count }
}
