//! Where f32 is not enough: parameters in f64 on the host, and the way back.

use burn::module::Param;
use burn::tensor::{Device, FloatDType, Tensor};

/// The precision in which a system is computed. Gradients flow back to its parameters from both.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Precision {
    /// As the parameters are stored: f32 on the layer's device.
    Layer,
    /// f64 on the host, where f32 is not enough.
    Host,
}

impl Precision {
    pub(crate) fn value<const D: usize>(self, param: &Param<Tensor<D>>) -> Tensor<D> {
        match self {
            Self::Layer => param.val(),
            Self::Host => param.val().to_device(&Device::flex()).cast(FloatDType::F64),
        }
    }
}

/// f32 again, on `device`.
pub(crate) fn rounded<const D: usize>(tensor: Tensor<D>, device: &Device) -> Tensor<D> {
    tensor.cast(FloatDType::F32).to_device(device)
}

/// An f64 as two f32, `[2, ..]`, the second being what the first [loses](lost).
pub(crate) fn in_two(value: Tensor<2>) -> Tensor<3> {
    Tensor::stack(vec![value.clone(), lost(value)], 0).cast(FloatDType::F32)
}

/// What rounding an f64 to f32 loses, as an f64. It has no gradient.
pub(crate) fn lost<const D: usize>(value: Tensor<D>) -> Tensor<D> {
    let value = value.detach();
    value.clone() - value.cast(FloatDType::F32).cast(FloatDType::F64)
}
