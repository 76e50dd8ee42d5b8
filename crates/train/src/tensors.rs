//! Batches of plain numbers as tensors.

use burn::tensor::{Device, Int, Tensor, TensorData};
use subquad_data::{Batch, Inputs, Targets};
use subquad_model::Input;

/// The model's input, consumed from the batch.
pub(crate) fn input(inputs: Inputs, batch: usize, seq_len: usize, device: &Device) -> Input {
    match inputs {
        Inputs::Reals { features, values } => {
            Input::Reals(Tensor::from_data(TensorData::new(values, [batch, seq_len, features]), device))
        }
        Inputs::Tokens(tokens) => {
            let tokens: Vec<i32> = tokens.into_iter().map(|token| token as i32).collect();
            Input::Tokens(Tensor::from_data(TensorData::new(tokens, [batch, seq_len]), device))
        }
    }
}

/// What the model should say, and where.
pub(crate) struct Labels {
    /// Rows of the flattened logits that have a label; `None` where all have one.
    pub(crate) rows: Option<Vec<i32>>,
    /// The class of each of those rows.
    pub(crate) classes: Vec<i32>,
}

impl Labels {
    pub(crate) fn new(targets: &Targets) -> Self {
        match targets {
            Targets::Sequence(classes) => {
                Self { rows: None, classes: classes.iter().map(|class| *class as i32).collect() }
            }
            Targets::Tokens(classes) => {
                let labelled = classes
                    .iter()
                    .enumerate()
                    .filter_map(|(row, class)| Some((row as i32, (*class)? as i32)));
                let (rows, classes) = labelled.unzip();
                Self { rows: Some(rows), classes }
            }
        }
    }

    /// The logits that have a label: `[batch, positions, classes]` to `[labels, classes]`.
    pub(crate) fn select(&self, logits: Tensor<3>) -> Tensor<2> {
        let flat: Tensor<2> = logits.flatten(0, 1);
        let Some(rows) = &self.rows else { return flat };
        let rows = Tensor::<1, Int>::from_data(rows.as_slice(), &flat.device());
        flat.select(0, rows)
    }
}

/// Input and labels of a batch.
pub(crate) fn split(batch: Batch, device: &Device) -> (Input, Labels) {
    let labels = Labels::new(&batch.targets);
    (input(batch.inputs, batch.batch, batch.seq_len, device), labels)
}
