//! Evaluation on the whole test split.

use burn::tensor::Device;
use subquad_data::Task;
use subquad_model::{Dropout, SequenceModel};

use crate::Score;
use crate::score::{cross_entropy, score};
use crate::tensors::split;

/// Scores `model`, without dropout, on every test example, `batch` at a time. The model should be
/// [`valid`](burn::module::Module::valid): on an autodiff device each forward pass would keep its graph.
///
/// # Panics
/// If `batch` is 0.
pub fn evaluate(model: &SequenceModel, task: &dyn Task, batch: usize, device: &Device) -> Score {
    let mut total = Score::default();
    for start in (0..task.test_len()).step_by(batch) {
        let range = start..(start + batch).min(task.test_len());
        let (input, labels) = split(task.test_batch(range), device);
        // The mean over no labels is not a number, and would spoil the sum.
        if labels.classes.is_empty() {
            continue;
        }
        let logits = labels.select(model.forward(input, &Dropout::Off));
        let loss = f64::from(cross_entropy(logits.clone(), &labels).into_scalar::<f32>());
        total.add(score(logits, &labels, loss));
    }
    total
}
