//! Batches of plain numbers as tensors.

use burn::tensor::{Device, Tensor, TensorData};
use subquad_data::{Batch, Inputs, Targets};
use subquad_model::Input;

/// What the model should output, and where.
pub(crate) enum Answers {
    Classes {
        /// Which of the flattened tokens have a label; `None` if all have one, or the label is the sequence's.
        rows: Option<Vec<i32>>,
        /// The class of each of those rows.
        classes: Vec<i32>,
    },
    /// Real numbers for every token or every sequence.
    Reals { values: Vec<f32> },
}

impl Answers {
    pub(crate) fn new(targets: Targets) -> Self {
        match targets {
            Targets::Sequence(classes) => {
                Self::Classes { rows: None, classes: classes.into_iter().map(|class| class as i32).collect() }
            }
            Targets::Tokens(classes) => {
                let all = classes.len();
                let labelled = classes
                    .into_iter()
                    .enumerate()
                    .filter_map(|(row, class)| Some((row as i32, class? as i32)));
                let (rows, classes): (Vec<i32>, Vec<i32>) = labelled.unzip();
                Self::Classes { rows: (rows.len() < all).then_some(rows), classes }
            }
            Targets::SequenceReals { values, .. } | Targets::TokenReals { values, .. } => {
                Self::Reals { values }
            }
        }
    }

    /// Number of labels: classes, or single reals.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Classes { classes, .. } => classes.len(),
            Self::Reals { values } => values.len(),
        }
    }
}

pub(crate) fn device_of(input: &Input) -> Device {
    match input {
        Input::Reals(x) => x.device(),
        Input::Tokens(x) | Input::TypedTokens(x, _) => x.device(),
    }
}

/// Input and answers of a batch.
pub(crate) fn split(Batch { batch, seq_len, inputs, targets }: Batch, device: &Device) -> (Input, Answers) {
    let input = match inputs {
        Inputs::Reals { features, values } => {
            Input::Reals(Tensor::from_data(TensorData::new(values, [batch, seq_len, features]), device))
        }
        Inputs::Tokens(tokens) => {
            let tokens: Vec<i32> = tokens.into_iter().map(|token| token as i32).collect();
            Input::Tokens(Tensor::from_data(TensorData::new(tokens, [batch, seq_len]), device))
        }
    };
    (input, Answers::new(targets))
}
