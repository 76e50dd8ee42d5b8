//! Random parameters of our own, drawn at once. Those of burn's `Linear` are drawn when they are first read.

use burn::module::Param;
use burn::tensor::{Device, Distribution, Tensor};

/// Uniform in `+-1/sqrt(fan_in)`: PyTorch's default for linear layers and convolutions.
pub(crate) fn uniform<const D: usize>(shape: [usize; D], fan_in: usize, device: &Device) -> Param<Tensor<D>> {
    Param::from_tensor(uniform_within(shape, 1.0 / (fan_in as f64).sqrt(), device))
}

/// Uniform in `+-bound`.
pub(crate) fn uniform_within<const D: usize>(shape: [usize; D], bound: f64, device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Uniform(-bound, bound), device)
}

/// Standard normal.
pub(crate) fn normal<const D: usize>(shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    Param::from_tensor(Tensor::random(shape, Distribution::Normal(0.0, 1.0), device))
}
