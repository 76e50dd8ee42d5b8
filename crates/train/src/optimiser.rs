//! AdamW with PyTorch's settings and the model's parameter groups.

use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::module::ParamGroup;
use burn::optim::{
    AdamW, AdamWConfig, AdamWState, AdaptiveMomentumState, ModuleOptimizer, Optimizer, RecordState,
    StateSink, StateSource,
};
use burn::tensor::{Device, Tensor};
use subquad_backend::{Form, adamw::AdamWStep};
use subquad_mixer::ParameterGroup;

use crate::TrainConfig;

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

/// burn reads a record on its default device, which in a build with wgpu is a GPU that may not be there. The first step
/// moves each moment to its parameter's device anyway.
#[derive(Clone)]
struct ReadOnCpu {
    portable: AdamW,
    weight_decay: f32,
}

const BETAS: [f32; 2] = [0.9, 0.999];
const EPSILON: f32 = 1e-8;

impl ReadOnCpu {
    /// PyTorch's betas and epsilon. burn's own defaults differ: epsilon 1e-5, decay 1e-4.
    fn new(weight_decay: f64) -> Self {
        let weight_decay = weight_decay as f32;
        let config = AdamWConfig::new().with_beta_1(BETAS[0]).with_beta_2(BETAS[1]).with_epsilon(EPSILON);
        Self { portable: config.with_weight_decay(weight_decay).build(), weight_decay }
    }

    /// As burn's, in parallel passes.
    fn fused_step<const D: usize>(
        &self,
        rate: f64,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<AdamWState<D>>,
    ) -> (Tensor<D>, AdamWState<D>) {
        let (done, moments) = match state {
            Some(AdamWState { momentum }) => (momentum.time, Some([momentum.moment_1, momentum.moment_2])),
            None => (0, None),
        };
        let Self { weight_decay, .. } = *self;
        let step = AdamWStep { betas: BETAS, epsilon: EPSILON, weight_decay, rate, time: done + 1 };
        let [m, v] = step.moments(grad, moments);
        let tensor = step.weights(tensor, [m.clone(), v.clone()]);
        (tensor, AdamWState::new(AdaptiveMomentumState::new(step.time, m, v)))
    }
}

#[derive(Clone)]
struct Moments<const D: usize>(AdamWState<D>);

impl<const D: usize> RecordState for Moments<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        self.0.state_flatten(prefix, out);
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, _default: &Device) -> Option<Self> {
        AdamWState::state_unflatten(prefix, src, &Device::flex()).map(Self)
    }
}

impl Optimizer for ReadOnCpu {
    type State<const D: usize> = Moments<D>;

    fn step<const D: usize>(
        &self,
        rate: f64,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Moments<D>>,
    ) -> (Tensor<D>, Option<Moments<D>>) {
        let state = state.map(|moments| moments.0);
        let (tensor, state) = match Form::for_device(&tensor.device()) {
            Form::Portable => self.portable.step(rate, tensor, grad, state),
            Form::Fused => {
                let (tensor, state) = self.fused_step(rate, tensor, grad, state);
                (tensor, Some(state))
            }
        };
        (tensor, state.map(Moments))
    }

    fn to_device<const D: usize>(state: Moments<D>, device: &Device) -> Moments<D> {
        Moments(AdamW::to_device(state.0, device))
    }
}
