//! Random parameters of our own, drawn at once. Those of burn's `Linear` are drawn when they are first read, or by [`draw`].

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Distribution, Tensor};

/// Uniform in `+-1/sqrt(fan_in)`: PyTorch's default for linear layers and convolutions.
pub(crate) fn uniform<const D: usize>(shape: [usize; D], fan_in: usize, device: &Device) -> Param<Tensor<D>> {
    Param::from_tensor(uniform_within(shape, 1.0 / (fan_in as f64).sqrt(), device))
}

/// Of a short convolution, as PyTorch draws them: weight `[channels, width]`, of which the last tap is the present, and bias
/// `[channels]`.
pub(crate) fn short_conv(
    channels: usize,
    width: usize,
    device: &Device,
) -> (Param<Tensor<2>>, Param<Tensor<1>>) {
    (uniform([channels, width], width, device), uniform([channels], width, device))
}

/// Uniform in `+-bound`.
pub(crate) fn uniform_within<const D: usize>(shape: [usize; D], bound: f64, device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Uniform(-bound, bound), device)
}

/// The same module with all its parameters drawn: burn's `Linear` draws at first use, so that its values would depend on
/// what is used first.
pub(crate) fn draw<M: Module>(module: M) -> M {
    module.visit(&mut Draw);
    module
}

struct Draw;

impl ModuleVisitor for Draw {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        param.val();
    }
}
