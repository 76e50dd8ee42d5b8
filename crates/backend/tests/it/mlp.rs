//! The MLP as one operation is the three operations that it consists of, bit for bit.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Tensor, TensorData};
use subquad_backend::Form;
use subquad_backend::linear::linear;
use subquad_backend::mlp::mlp;
use subquad_backend::pointwise::{Activation, activate};
use subquad_testkit::{assert_rel_close, cpu, seeded_tensor, to_f64};

use crate::{GRAD_TOL, VALUE_TOL};

/// Tokens, inputs (as many as outputs) and hidden numbers: too few tokens for one operation, just enough (no whole vectors, blocks or
/// parts), more than a block of tokens in each part, more hidden numbers than a block, and fewer than inputs.
const SIZES: [[usize; 3]; 7] =
    [[1, 3, 5], [14, 3, 5], [15, 3, 5], [501, 33, 70], [2100, 17, 65], [700, 40, 530], [333, 65, 7]];

struct Layers {
    expand: Linear,
    reduce: Linear,
}

impl Layers {
    fn new([d_input, d_hidden]: [usize; 2], has_bias: [bool; 2]) -> Self {
        let layer = |[input, output]: [usize; 2], bias: bool, seed| {
            let mut layer = LinearConfig::new(input, output).with_bias(bias).init(&cpu());
            layer.weight = Param::from_tensor(seeded_tensor::<2>([input, output], seed, &cpu()));
            layer.bias = bias.then(|| Param::from_tensor(seeded_tensor([output], seed + 1, &cpu())));
            layer.train()
        };
        Self {
            expand: layer([d_input, d_hidden], has_bias[0], 1),
            reduce: layer([d_hidden, d_input], has_bias[1], 3),
        }
    }

    /// Output and all gradients.
    fn run(&self, x: &Tensor<3>, f: impl Fn(&Self, Tensor<3>) -> Tensor<3>) -> Vec<TensorData> {
        let device = cpu().autodiff();
        let x = Tensor::<3>::from_data(x.to_data(), &device).require_grad();
        let y = f(self, x.clone());
        let grads = (y.clone() * seeded_tensor(y.dims(), 99, &device)).sum().backward();
        let mut found = vec![y.into_data(), x.grad(&grads).expect("tracked").into_data()];
        for Linear { weight, bias } in [&self.expand, &self.reduce] {
            found.push(weight.val().grad(&grads).expect("tracked").into_data());
            found.extend(bias.as_ref().map(|bias| bias.val().grad(&grads).expect("tracked").into_data()));
        }
        found
    }

    fn whole(&self, x: &Tensor<3>, activation: Activation, form: Form) -> Vec<TensorData> {
        self.run(x, |Self { expand, reduce }, x| mlp([expand, reduce], activation, x, form))
    }

    fn in_a_row(&self, x: &Tensor<3>, activation: Activation, form: Form) -> Vec<TensorData> {
        self.run(x, |Self { expand, reduce }, x| {
            linear(reduce, activate(linear(expand, x, form), activation, form), form)
        })
    }
}

fn input(tokens: usize, d_input: usize) -> Tensor<3> {
    // Some of them as rows of a batch.
    let batch = if tokens.is_multiple_of(3) { 3 } else { 1 };
    seeded_tensor([batch, tokens / batch, d_input], 7, &cpu())
}

#[test]
fn values_and_gradients_are_those_of_three_operations_bit_for_bit() {
    for [tokens, d_input, d_hidden] in SIZES {
        for has_bias in [[true, true], [false, true], [true, false], [false, false]] {
            let (layers, x) = (Layers::new([d_input, d_hidden], has_bias), input(tokens, d_input));
            let one = layers.whole(&x, Activation::Gelu, Form::Fused);
            let three = layers.in_a_row(&x, Activation::Gelu, Form::Fused);
            assert_eq!(one, three, "{tokens} tokens, {d_input} to {d_hidden}, biases: {has_bias:?}");
        }
    }
}

#[test]
fn every_activation_is_the_portable_form() {
    for activation in
        [Activation::Gelu, Activation::Silu, Activation::Tanh, Activation::Sigmoid, Activation::Identity]
    {
        let (layers, x) = (Layers::new([17, 65], [true, true]), input(2100, 17));
        let [fused, portable] = [Form::Fused, Form::Portable]
            .map(|form| layers.whole(&x, activation, form).into_iter().map(values));
        for (at, (fused, portable)) in fused.zip(portable).enumerate() {
            let tolerance = if at == 0 { VALUE_TOL } else { GRAD_TOL };
            assert_rel_close(fused, portable, tolerance, format!("{activation:?}, {at}"));
        }
    }
}

fn values(data: TensorData) -> Vec<f64> {
    data.iter::<f64>().collect()
}

#[test]
fn a_gradient_that_is_not_wanted_is_not_made() {
    let (layers, x) = (Layers::new([3, 5], [true, true]), input(15, 3));
    let frozen = Layers { expand: layers.expand.clone().no_grad(), reduce: layers.reduce.clone() };
    let y = mlp([&frozen.expand, &frozen.reduce], Activation::Gelu, x.autodiff(), Form::Fused);
    let grads = y.sum().backward();
    assert!(frozen.expand.weight.val().grad(&grads).is_none());
    assert!(to_f64(frozen.reduce.weight.val().grad(&grads).expect("tracked")).iter().any(|g| *g != 0.0));
}

#[test]
#[should_panic(expected = "the second layer of an MLP of 5 hidden numbers reads 7")]
fn layers_that_do_not_follow_each_other_are_refused() {
    let [a, b] = [Layers::new([3, 5], [true, true]), Layers::new([3, 7], [true, true])];
    mlp([&a.expand, &b.reduce], Activation::Gelu, input(1, 3), Form::Fused);
}
