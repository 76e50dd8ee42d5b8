//! What is counted over labels, for a metric to be computed from.

/// Sums over labels, so that batches of any size add up to the whole. A label is a class, or one real number.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// Sum of the negative log-likelihoods in nats, or of the squared errors of real numbers.
    pub loss_sum: f64,
    /// Number of labels whose class had the largest logit.
    pub correct: usize,
    /// Number of labels.
    pub labels: usize,
    /// Sum of the labels that are real numbers.
    pub target_sum: f64,
    /// Sum of their squares.
    pub target_squares: f64,
}

impl Tally {
    /// Mean negative log-likelihood of a label in nats, or mean squared error.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.labels as f64
    }

    /// Variance of the labels about their mean, if they are real numbers.
    pub fn variance(&self) -> f64 {
        let mean = |sum: f64| sum / self.labels as f64;
        mean(self.target_squares) - mean(self.target_sum).powi(2)
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.loss_sum += other.loss_sum;
        self.correct += other.correct;
        self.labels += other.labels;
        self.target_sum += other.target_sum;
        self.target_squares += other.target_squares;
    }
}
