//! A linear layer on every token: `y = x W + b`.
//!
//! The fused form makes its products with the micro-kernel: operands are read in place wherever that is fastest, and
//! the bias is added as a sum leaves its register.

mod channels;
pub mod multiply;
pub(crate) mod products;
pub mod sums;
pub mod transpose;

use burn::nn::Linear;
use burn::tensor::Tensor;

pub use self::channels::linear_of_channels;
use self::products::{Sizes, input_grad, output, weight_grad};
use self::sums::sum_of_rows;
use crate::Form;
use crate::kernel::{Array, CpuKernel, Operand, Saved, View, apply};

/// # Shapes
/// - `x`: `[.., d_input]`
/// - output: `[.., d_output]`
///
/// # Panics
/// If the last axis of `x` is not the layer's.
pub fn linear<const D: usize>(layer: &Linear, x: Tensor<D>, form: Form) -> Tensor<D> {
    let (width, [d_input, _]) = (x.dims()[D - 1], layer.weight.dims());
    assert_eq!(width, d_input, "a linear layer of {d_input} inputs got {width}");
    match form {
        Form::Portable => layer.forward(x),
        Form::Fused => apply(Product, operands(x, layer)),
    }
}

/// An input of a linear layer, its weight and, if there is one, its bias.
pub(crate) fn operands<const D: usize>(x: Tensor<D>, layer: &Linear) -> impl Iterator<Item = Operand> {
    let bias = layer.bias.as_ref().map(|bias| bias.val().into());
    [x.into(), layer.weight.val().into()].into_iter().chain(bias)
}

/// Inputs: `x [.., d_input]`, `weight [d_input, d_output]` and, if there is one, `bias [d_output]`.
#[derive(Debug)]
struct Product;

impl CpuKernel for Product {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let sizes = sizes(inputs);
        let mut shape = inputs[0].shape.to_vec();
        *shape.last_mut().expect("a linear layer's input has axes") = sizes.d_output;
        let bias = inputs.get(2).map(|bias| bias.data);
        Array::new(output(inputs[0].data, inputs[1].data, bias, sizes), shape)
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let (x, weight, dy) = (&saved.inputs[0], &saved.inputs[1], saved.grad.data);
        let sizes = sizes(saved.inputs);
        let mut grads = vec![
            saved.wanted[0].then(|| Array::new(input_grad(dy, weight.data, sizes), x.shape)),
            saved.wanted[1].then(|| Array::new(weight_grad(x.data, dy, sizes), weight.shape)),
        ];
        let bias =
            |wanted: &bool| wanted.then(|| Array::new(sum_of_rows(dy, sizes.d_output), [sizes.d_output]));
        grads.extend(saved.wanted.get(2).map(bias));
        grads
    }
}

fn sizes(inputs: &[View<'_>]) -> Sizes {
    let [d_input, d_output] = inputs[1].dims();
    Sizes { tokens: inputs[0].data.len() / d_input, d_input, d_output }
}
