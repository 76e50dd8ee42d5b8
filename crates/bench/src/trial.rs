//! One layer at one size, ready to be timed.

use std::time::{Duration, Instant};

use burn::tensor::{Device, Distribution, Gradients, Tensor};
use subquad_backend::mean_square::mean_square;
use subquad_backend::{Form, with_seed};
use subquad_mixer::published::to_f64;

use crate::{Layer, Sizes, Subject};

/// Seed of weights and input: timings do not depend on it, the check's error does.
const SEED: u64 = 0;

/// Why there is no measurement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BenchError {
    /// The device failed; burn's words.
    #[error("the device failed: {0}")]
    Device(String),
    /// It was asked to stop.
    #[error("stopped")]
    Stopped,
}

/// Waits until the device is idle.
pub(super) fn sync(device: &Device) -> Result<(), BenchError> {
    device.sync().map_err(|error| BenchError::Device(error.to_string()))
}

/// A layer with and without autodiff, on the same weights, and its input.
#[derive(Debug)]
pub(super) struct Trial {
    pub(super) plain: Box<dyn Layer>,
    tracked: Box<dyn Layer>,
    pub(super) input: Tensor<3>,
    leaf: Tensor<3>,
    form: Form,
    device: Device,
}

impl Trial {
    pub(super) fn new(subject: &Subject, sizes: &Sizes, device: &Device) -> Self {
        let tracked_device = device.clone().autodiff();
        let (plain, leaf) = with_seed(device, SEED, || {
            let plain = (subject.build)(sizes, device);
            plain.draw();
            let normal = Distribution::Normal(0.0, 1.0);
            (plain, Tensor::random((subject.input)(sizes), normal, &tracked_device).require_grad())
        });
        Self {
            tracked: plain.tracked(),
            plain,
            input: leaf.clone().inner(),
            leaf,
            form: Form::for_device(device),
            device: device.clone(),
        }
    }

    /// Times one forward pass, without autodiff.
    pub(super) fn time_forward(&self) -> Result<Duration, BenchError> {
        self.time(|| drop(self.plain.forward(self.input.clone())))
    }

    /// Times one forward pass, mean of squares, and backward to every parameter and the input.
    pub(super) fn time_forward_backward(&self) -> Result<Duration, BenchError> {
        self.time(|| drop(self.backward()))
    }

    /// The time from an idle device to an idle device; what `work` frees is part of it.
    fn time(&self, work: impl FnOnce()) -> Result<Duration, BenchError> {
        sync(&self.device)?;
        let start = Instant::now();
        work();
        sync(&self.device)?;
        Ok(start.elapsed())
    }

    fn backward(&self) -> Gradients {
        mean_square(self.tracked.forward(self.leaf.clone()), self.form).backward()
    }

    /// The gradients of the loss that is timed: of every parameter tensor in field order, then of the input.
    pub(super) fn gradients(&self) -> Vec<Vec<f64>> {
        let gradients = self.backward();
        let mut tensors = self.tracked.gradients(&gradients);
        tensors.push(self.leaf.grad(&gradients).map(to_f64).unwrap_or_default());
        tensors
    }
}
