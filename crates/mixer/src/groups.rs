//! Parameters that need their own learning rate or weight decay. The rule travels with the layer.

use burn::module::ParamId;

/// A set of parameters of one layer and how they are trained.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterGroup {
    /// The group's name in logs, such as `ssm` or `filter`.
    pub name: &'static str,
    /// The parameters.
    pub parameters: Vec<ParamId>,
    /// Their learning rate, relative to the optimiser's.
    pub learning_rate: LearningRate,
    /// Their weight decay, relative to the optimiser's.
    pub weight_decay: WeightDecay,
}

/// Peak learning rate of a group. All groups follow the same schedule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LearningRate {
    /// The optimiser's.
    Base,
    /// The optimiser's, but never more than this.
    AtMost(f64),
    /// This, whatever the optimiser's.
    Fixed(f64),
}

impl LearningRate {
    /// The group's peak learning rate when the optimiser's is `base`.
    pub fn peak(self, base: f64) -> f64 {
        match self {
            Self::Base => base,
            Self::AtMost(limit) => base.min(limit),
            Self::Fixed(rate) => rate,
        }
    }
}

/// Weight decay of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum WeightDecay {
    /// The optimiser's.
    Base,
    /// This, whatever the optimiser's.
    Fixed(f64),
}

impl WeightDecay {
    /// The group's decay when the optimiser's is `base`.
    pub fn resolve(self, base: f64) -> f64 {
        match self {
            Self::Base => base,
            Self::Fixed(decay) => decay,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_most_lowers_a_high_rate_and_leaves_a_low_one() {
        assert_eq!(LearningRate::AtMost(1e-3).peak(4e-3), 1e-3);
        assert_eq!(LearningRate::AtMost(1e-3).peak(5e-4), 5e-4);
        assert_eq!(LearningRate::Fixed(1e-5).peak(4e-3), 1e-5);
        assert_eq!(LearningRate::Base.peak(4e-3), 4e-3);
    }
}
