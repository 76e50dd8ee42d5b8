//! Evaluation on all test examples.

use burn::tensor::Device;
use subquad_data::{HeldOut, Tally, Task};
use subquad_mixer::MixerModule;
use subquad_model::{Dropout, SequenceModel};

use crate::loss::Loss;
use crate::tensors::split;

/// Runs `model`, without dropout, on all of these examples, as many at a time as fit into `tokens` tokens.
/// The model should be [`valid`](burn::module::Module::valid): on an autodiff device each forward pass would keep its graph.
///
/// # Panics
/// If the task has no such condition.
pub fn evaluate<M: MixerModule>(
    model: &SequenceModel<M>,
    task: &dyn Task,
    examples: HeldOut,
    tokens: usize,
    device: &Device,
) -> Tally {
    let (seq_len, count) = examples.size(task);
    let batch = (tokens / seq_len).max(1);
    let mut total = Tally::default();
    for start in (0..count).step_by(batch) {
        let range = start..(start + batch).min(count);
        let (input, answers) = split(examples.batch(task, range), device);
        // The mean over no labels is NaN, and would spoil the sum.
        if answers.len() == 0 {
            continue;
        }
        total += Loss::new(model, input, &answers, &Dropout::Off).tally(&answers);
    }
    total
}
