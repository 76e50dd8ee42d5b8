//! AdamW with PyTorch's settings, whose record is read back on the CPU.

use burn::optim::{AdamW, AdamWConfig, AdamWState, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

/// burn reads a record on its default device, which in a build with wgpu is a GPU that may not be there. The first step
/// moves each moment to its parameter's device anyway.
#[derive(Clone)]
pub(crate) struct ReadOnCpu(AdamW);

impl ReadOnCpu {
    /// PyTorch's betas and epsilon. burn's own defaults differ: epsilon 1e-5, decay 1e-4.
    pub(crate) fn new(weight_decay: f64) -> Self {
        let config = AdamWConfig::new().with_beta_1(0.9).with_beta_2(0.999).with_epsilon(1e-8);
        Self(config.with_weight_decay(weight_decay as f32).build())
    }
}

#[derive(Clone)]
pub(crate) struct Moments<const D: usize>(AdamWState<D>);

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
        let (tensor, state) = self.0.step(rate, tensor, grad, state.map(|moments| moments.0));
        (tensor, state.map(Moments))
    }

    fn to_device<const D: usize>(state: Moments<D>, device: &Device) -> Moments<D> {
        Moments(AdamW::to_device(state.0, device))
    }
}
