//! What a task gives to training: examples of one length, as flat row-major numbers.

/// A number of examples of one length.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Number of examples.
    pub batch: usize,
    /// Tokens in each example.
    pub seq_len: usize,
    /// What the model reads.
    pub inputs: Inputs,
    /// What it should output.
    pub targets: Targets,
}

impl Batch {
    /// The examples in `count` equal parts, in their order.
    ///
    /// # Panics
    /// If `count` does not divide their number.
    pub fn parts(&self, count: usize) -> impl Iterator<Item = Self> {
        assert!(count > 0 && self.batch.is_multiple_of(count), "{count} parts of {} examples", self.batch);
        (0..count).map(move |part| Self {
            batch: self.batch / count,
            seq_len: self.seq_len,
            inputs: self.inputs.part(part, count),
            targets: self.targets.part(part, count),
        })
    }

    /// Examples of tokens, each with a class or none for every token.
    pub(crate) fn of_tokens(
        seq_len: usize,
        examples: impl ExactSizeIterator<Item = (Vec<u32>, Vec<Option<u32>>)>,
    ) -> Self {
        let (batch, mut tokens, mut labels) = (examples.len(), Vec::new(), Vec::new());
        for (input, target) in examples {
            tokens.extend(input);
            labels.extend(target);
        }
        Self { batch, seq_len, inputs: Inputs::Tokens(tokens), targets: Targets::Tokens(labels) }
    }
}

/// What the model reads.
#[derive(Clone, Debug, PartialEq)]
pub enum Inputs {
    /// Real numbers.
    Reals {
        /// Numbers per token.
        features: usize,
        /// `[batch, seq, features]`, row-major.
        values: Vec<f32>,
    },
    /// `[batch, seq]`, row-major: token numbers below the vocabulary's size.
    Tokens(Vec<u32>),
}

impl Inputs {
    fn part(&self, part: usize, count: usize) -> Self {
        match self {
            Self::Reals { features, values } => {
                Self::Reals { features: *features, values: part_of(values, part, count) }
            }
            Self::Tokens(tokens) => Self::Tokens(part_of(tokens, part, count)),
        }
    }
}

/// What the model should output.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// `[batch]`: one class per sequence.
    Sequence(Vec<u32>),
    /// `[batch, seq]`, row-major: a class at some positions; `None` is ignored by loss and accuracy.
    Tokens(Vec<Option<u32>>),
    /// Real numbers, once per sequence.
    SequenceReals {
        /// Numbers per sequence.
        outputs: usize,
        /// `[batch, outputs]`, row-major.
        values: Vec<f32>,
    },
    /// Real numbers at every position.
    TokenReals {
        /// Numbers per token.
        outputs: usize,
        /// `[batch, seq, outputs]`, row-major.
        values: Vec<f32>,
    },
}

impl Targets {
    fn part(&self, part: usize, count: usize) -> Self {
        match self {
            Self::Sequence(classes) => Self::Sequence(part_of(classes, part, count)),
            Self::Tokens(classes) => Self::Tokens(part_of(classes, part, count)),
            Self::SequenceReals { outputs, values } => {
                Self::SequenceReals { outputs: *outputs, values: part_of(values, part, count) }
            }
            Self::TokenReals { outputs, values } => {
                Self::TokenReals { outputs: *outputs, values: part_of(values, part, count) }
            }
        }
    }
}

/// One of `count` equal parts.
fn part_of<T: Clone>(values: &[T], part: usize, count: usize) -> Vec<T> {
    let len = values.len() / count;
    values[part * len..][..len].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_the_examples_in_their_order() {
        let reals = Inputs::Reals { features: 2, values: (0..24).map(|i| i as f32).collect() };
        let labels: Vec<Option<u32>> = (0..12).map(|i| (i % 5 != 0).then_some(i)).collect();
        let targets = [
            Targets::Sequence(vec![7, 8, 9, 10]),
            Targets::Tokens(labels.clone()),
            Targets::SequenceReals { outputs: 2, values: (0..8).map(|i| i as f32).collect() },
            Targets::TokenReals { outputs: 1, values: (0..12).map(|i| i as f32).collect() },
        ];
        for targets in targets {
            let batch = Batch { batch: 4, seq_len: 3, inputs: reals.clone(), targets };
            assert!(batch.parts(1).eq([batch.clone()]));
            let halves: Vec<Batch> = batch.parts(2).collect();
            let quarters: Vec<Batch> = batch.parts(4).collect();
            assert_eq!(halves.iter().flat_map(|half| half.parts(2)).collect::<Vec<_>>(), quarters);
            assert_eq!(
                quarters[3].inputs,
                Inputs::Reals { features: 2, values: (18..24).map(|i| i as f32).collect() }
            );
        }
        let tokens = Batch {
            batch: 4,
            seq_len: 3,
            inputs: Inputs::Tokens((0..12).collect()),
            targets: Targets::Tokens(labels),
        };
        let third = tokens.parts(4).nth(2).expect("four parts");
        assert_eq!((third.inputs, third.batch), (Inputs::Tokens(vec![6, 7, 8]), 1));
        assert_eq!(third.targets, Targets::Tokens(vec![Some(6), Some(7), Some(8)]));
    }

    #[test]
    #[should_panic(expected = "3 parts of 4 examples")]
    fn parts_are_equal() {
        let batch = Batch {
            batch: 4,
            seq_len: 1,
            inputs: Inputs::Tokens(vec![0; 4]),
            targets: Targets::Sequence(vec![0; 4]),
        };
        let _ = batch.parts(3).count();
    }
}
