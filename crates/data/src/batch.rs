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
