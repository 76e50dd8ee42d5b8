//! AdamW with the model's parameter groups.

use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::module::ParamGroup;
use burn::optim::{AdamW, AdamWConfig, ModuleOptimizer};
use subquad_mixer::ParameterGroup;

use crate::{TrainConfig, WarmupCosine};

/// Optimiser and learning rates, one pair a group, after `done` steps; the moments are those of the start. All groups
/// follow the same schedule, each to its own peak.
pub(crate) fn build(
    config: &TrainConfig,
    groups: &[ParameterGroup],
    done: usize,
) -> (ModuleOptimizer, ModuleLrScheduler) {
    let schedule = |peak| WarmupCosine::new(peak, config.warmup, config.steps).after(done);
    let mut optimiser = ModuleOptimizer::from(adamw(config.weight_decay));
    let mut rates = ModuleLrScheduler::new(schedule(config.lr));
    for group in groups {
        let ids = || ParamGroup::from_ids(group.parameters.clone());
        optimiser = optimiser.with_group(ids(), adamw(group.weight_decay.resolve(config.weight_decay)), None);
        rates = rates.with_group(ids(), schedule(group.learning_rate.peak(config.lr)));
    }
    (optimiser, rates)
}

/// PyTorch's betas and epsilon. burn's own defaults differ: epsilon 1e-5, decay 1e-4.
fn adamw(weight_decay: f64) -> AdamW {
    AdamWConfig::new()
        .with_beta_1(0.9)
        .with_beta_2(0.999)
        .with_epsilon(1e-8)
        .with_weight_decay(weight_decay as f32)
        .build()
}
