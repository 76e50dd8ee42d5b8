//! Two linear layers around an activation, as one operation that holds the hidden numbers of a few tokens at a time.
//!
//! ```text
//! a = x W1 + b1     h = f(a)     y = h W2 + b2
//!
//! dh = dy W2^T      da = dh f'(a)      dx = da W1^T
//! dW1 = x^T da      dW2 = h^T dy       db1, db2: sums of da, dy over tokens
//! ```
//! Only `a` is kept for the backward pass. Neither `h`, `dh` nor `da`, each `[tokens, d_hidden]`, is ever in memory as a
//! whole. All results have the bits of three operations in a row.

mod backward;
mod forward;

use burn::nn::Linear;
use burn::tensor::Tensor;

use self::backward::{Grads, Layers};
use self::forward::forward;
use crate::Form;
use crate::kernel::{Array, CpuKernel, Operand, Saved, View, apply};
use crate::linear::linear;
use crate::linear::sums::PARTS;
use crate::pointwise::{Activation, activate};

/// `reduce(activation(expand(x)))`.
///
/// # Shapes
/// - `x`: `[.., d_input]`
/// - output: `[.., d_output]`
///
/// # Panics
/// If the layers' widths do not follow each other.
pub fn mlp<const D: usize>(
    [expand, reduce]: [&Linear; 2],
    activation: Activation,
    x: Tensor<D>,
    form: Form,
) -> Tensor<D> {
    let sizes = Sizes::new(&x, expand, reduce);
    match form {
        Form::Fused if sizes.tokens_outweigh() => {
            let biases = [expand, reduce].map(|layer| layer.bias.as_ref().map(|bias| bias.val()));
            let kernel = Mlp { activation, has_bias: [biases[0].is_some(), biases[1].is_some()] };
            let operands: [Operand; 3] = [x.into(), expand.weight.val().into(), reduce.weight.val().into()];
            apply(kernel, operands.into_iter().chain(biases.into_iter().flatten().map(Operand::from)))
        }
        Form::Fused | Form::Portable => {
            linear(reduce, activate(linear(expand, x, form), activation, form), form)
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Sizes {
    tokens: usize,
    d_input: usize,
    d_hidden: usize,
    d_output: usize,
}

impl Sizes {
    fn new<const D: usize>(x: &Tensor<D>, expand: &Linear, reduce: &Linear) -> Self {
        let ([d_input, d_hidden], [d_inner, d_output]) = (expand.weight.dims(), reduce.weight.dims());
        let width = x.dims()[D - 1];
        assert_eq!(width, d_input, "an MLP of {d_input} inputs got {width}");
        assert_eq!(
            d_inner, d_hidden,
            "the second layer of an MLP of {d_hidden} hidden numbers reads {d_inner}"
        );
        Self { tokens: x.dims().iter().rev().skip(1).product(), d_input, d_hidden, d_output }
    }

    fn of(inputs: &[View<'_>]) -> Self {
        let ([d_input, d_hidden], [_, d_output]) = (inputs[1].dims(), inputs[2].dims());
        Self { tokens: inputs[0].data.len() / d_input, d_input, d_hidden, d_output }
    }

    /// Whether inputs and outputs of both layers have at least as many numbers as all parts of their weights' gradients. With
    /// fewer tokens the products of a linear layer go other ways, and there is less to save.
    fn tokens_outweigh(&self) -> bool {
        let outweigh = |[a, b]: [usize; 2]| self.tokens * (a + b) >= PARTS * a * b;
        self.tokens > 0 && outweigh([self.d_input, self.d_hidden]) && outweigh([self.d_hidden, self.d_output])
    }
}

/// Inputs: `x [.., d_input]`, `W1 [d_input, d_hidden]`, `W2 [d_hidden, d_output]`, and the biases that there are.
#[derive(Debug)]
struct Mlp {
    activation: Activation,
    has_bias: [bool; 2],
}

impl Mlp {
    /// Where a layer's bias is among the inputs.
    fn bias(&self, layer: usize) -> Option<usize> {
        self.has_bias[layer].then(|| 3 + self.has_bias[..layer].iter().filter(|before| **before).count())
    }
}

impl CpuKernel for Mlp {
    /// Notes `a`.
    fn forward_and_notes(&self, inputs: &[View<'_>]) -> (Array, Option<Array>) {
        let sizes = Sizes::of(inputs);
        let biases = [0, 1].map(|layer| self.bias(layer).map(|at| inputs[at].data));
        let [x, expand, reduce] = [0, 1, 2].map(|at| inputs[at].data);
        let (y, a) = forward(x, [expand, reduce], biases, self.activation, sizes);
        let mut shape = inputs[0].shape.to_vec();
        *shape.last_mut().expect("an MLP's input has axes") = sizes.d_output;
        (Array::new(y, shape), Some(Array::new(a, [sizes.tokens, sizes.d_hidden])))
    }

    /// All are made together; those that are not wanted are dropped.
    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let [x, expand, reduce] = [0, 1, 2].map(|at| saved.inputs[at].data);
        let a = saved.notes.expect("the forward pass notes it").data;
        let layers = Layers::new([expand, reduce], self.activation, Sizes::of(saved.inputs));
        let Grads { x, weights: [expand, reduce], biases } = layers.grads(x, a, saved.grad.data);
        let biases = biases.into_iter().zip(self.has_bias).filter_map(|(grad, there)| there.then_some(grad));
        let grads = [x, expand, reduce].into_iter().chain(biases).zip(saved.inputs).zip(saved.wanted);
        grads.map(|((grad, input), wanted)| wanted.then(|| Array::new(grad, input.shape))).collect()
    }
}
