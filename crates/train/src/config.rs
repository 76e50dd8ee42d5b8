//! How to train.

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainConfig {
    /// Optimiser steps.
    pub steps: usize,
    /// Sequences a step.
    pub batch: usize,
    /// Peak learning rate.
    pub lr: f64,
    /// AdamW's decoupled weight decay.
    pub weight_decay: f64,
    /// Fraction of the steps that warm up, 0 to 1.
    pub warmup: f64,
    /// Largest norm of all gradients together; `None`: not clipped.
    pub clip: Option<f64>,
    /// Probability of dropping an activation. Mixers may drop something of their own.
    pub dropout: f64,
    /// Steps from one row of the training loss to the next.
    pub log_every: usize,
    /// Steps from one evaluation to the next; `None`: at the last step only.
    pub eval_every: Option<usize>,
    /// Steps from one checkpoint to the next; `None`: only where the sink asks to stop.
    pub checkpoint_every: Option<usize>,
    /// Seed of the dropout masks.
    pub seed: u64,
}

impl TrainConfig {
    /// Whether this can be run.
    ///
    /// # Errors
    /// If a number of steps or sequences is 0, or the dropout is no probability below 1.
    pub fn check(&self) -> Result<(), TrainConfigError> {
        for (what, value) in [("steps", self.steps), ("batch", self.batch), ("log_every", self.log_every)] {
            if value == 0 {
                return Err(TrainConfigError::Zero { what });
            }
        }
        match (0.0..1.0).contains(&self.dropout) {
            true => Ok(()),
            false => Err(TrainConfigError::Dropout { dropout: self.dropout }),
        }
    }
}

/// Why a [`TrainConfig`] cannot be run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TrainConfigError {
    /// A number is 0.
    #[error("{what} = 0, but training needs at least 1")]
    Zero {
        /// The number.
        what: &'static str,
    },
    /// Nothing would be kept, or the rate is no probability.
    #[error("dropout = {dropout:?}, but it must be at least 0 and below 1")]
    Dropout {
        /// The rate.
        dropout: f64,
    },
}
