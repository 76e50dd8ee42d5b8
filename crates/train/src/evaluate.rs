//! Evaluation on all test examples.

use burn::tensor::Device;
use subquad_data::{Condition, Tally, Task};
use subquad_mixer::MixerModule;
use subquad_model::{Dropout, SequenceModel};

use crate::loss::Loss;
use crate::tensors::split;

/// Runs `model`, without dropout, on every test example of a condition, as many at a time as fit into `tokens` tokens.
/// The model should be [`valid`](burn::module::Module::valid): on an autodiff device each forward pass would keep its graph.
///
/// # Panics
/// If the task has no such condition.
pub fn evaluate<M: MixerModule>(
    model: &SequenceModel<M>,
    task: &dyn Task,
    condition: usize,
    tokens: usize,
    device: &Device,
) -> Tally {
    let Condition { seq_len, examples, .. } = task.conditions()[condition];
    let batch = (tokens / seq_len).max(1);
    let mut total = Tally::default();
    for start in (0..examples).step_by(batch) {
        let range = start..(start + batch).min(examples);
        let (input, answers) = split(task.test_batch(condition, range), device);
        // The mean over no labels is NaN, and would spoil the sum.
        if answers.len() == 0 {
            continue;
        }
        total += Loss::new(model, input, &answers, &Dropout::Off).tally(&answers);
    }
    total
}
