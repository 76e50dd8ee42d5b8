//! AdamW with the model's parameter groups.

use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::module::ParamGroup;
use burn::optim::ModuleOptimizer;
use subquad_mixer::ParameterGroup;

use crate::TrainConfig;
use crate::adamw::ReadOnCpu;

/// Optimiser and learning rates, one pair per group, after `done` steps; the moments are those of the start. All groups
/// follow the same schedule, each to its own peak.
pub(crate) fn build(
    config: &TrainConfig,
    groups: &[ParameterGroup],
    done: usize,
) -> (ModuleOptimizer, ModuleLrScheduler) {
    let schedule = |peak| config.schedule(peak).after(done);
    let mut optimiser = ModuleOptimizer::from(ReadOnCpu::new(config.optim.weight_decay));
    let mut rates = ModuleLrScheduler::new(schedule(config.optim.lr));
    for group in groups {
        let ids = || ParamGroup::from_ids(group.parameters.clone());
        optimiser = optimiser.with_group(
            ids(),
            ReadOnCpu::new(group.weight_decay.resolve(config.optim.weight_decay)),
            None,
        );
        rates = rates.with_group(ids(), schedule(group.learning_rate.peak(config.optim.lr)));
    }
    (optimiser, rates)
}
