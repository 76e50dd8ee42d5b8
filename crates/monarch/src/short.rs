//! The short convolution before the gates, chunk by chunk.

use burn::module::Param;
use burn::tensor::{Device, Tensor};
use subquad_backend::Form;
use subquad_backend::short_conv::short_conv;

use crate::history::copied;
use crate::init::uniform;

/// Weight `[channels, width]`, the last tap is the present, and bias `[channels]`, as PyTorch draws them.
pub(crate) fn init(channels: usize, width: usize, device: &Device) -> (Param<Tensor<2>>, Param<Tensor<1>>) {
    (uniform([channels, width], width, device), uniform([channels], width, device))
}

/// What a short convolution remembers before the first token: zeros, `[batch, width - 1, channels]`.
pub(crate) fn no_past(batch: usize, weight: &Param<Tensor<2>>) -> Tensor<3> {
    let weight = weight.val();
    let [channels, width] = weight.dims();
    Tensor::zeros([batch, width - 1, channels], &weight.device())
}

/// The short convolution of a chunk that follows `past`; `past` is advanced.
pub(crate) fn short_conv_after(
    past: &mut Tensor<3>,
    x: Tensor<3>,
    weight: Tensor<2>,
    bias: Tensor<1>,
    form: Form,
) -> Tensor<3> {
    let ([_, rows, _], [_, seq, _]) = (past.dims(), x.dims());
    if rows == 0 {
        return short_conv(x, weight, bias, form);
    }
    let all = Tensor::cat(vec![past.clone(), x], 1);
    *past = copied(&all, seq..seq + rows);
    short_conv(all, weight, bias, form).narrow(1, rows, seq)
}
