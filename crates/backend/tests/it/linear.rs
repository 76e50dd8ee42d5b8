//! The linear layer against its definition.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::Tensor;
use subquad_backend::linear::{linear, linear_of_channels};
use subquad_backend::{Form, swap_axes};
use subquad_testkit::{assert_rel_close, cpu, finite_difference, seeded_tensor, to_f64};

use crate::{GRAD_TOL, VALUE_TOL, output_weights};

const D_INPUT: usize = 5;
const D_OUTPUT: usize = 7;

fn layer(bias: bool) -> Linear {
    let device = cpu();
    let mut layer = LinearConfig::new(D_INPUT, D_OUTPUT).with_bias(bias).init(&device);
    layer.weight = Param::from_tensor(seeded_tensor::<2>([D_INPUT, D_OUTPUT], 1, &device));
    layer.bias = bias.then(|| Param::from_tensor(seeded_tensor([D_OUTPUT], 2, &device)));
    layer.train()
}

fn definition(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let row = |x: &[f64]| -> Vec<f64> {
        (0..D_OUTPUT)
            .map(|j| bias[j] + x.iter().enumerate().map(|(i, x)| x * weight[i * D_OUTPUT + j]).sum::<f64>())
            .collect()
    };
    x.chunks(D_INPUT).flat_map(row).collect()
}

#[test]
fn both_forms_are_the_definition_in_values_and_gradients() {
    // One token; so few that threads share the products; so many that each thread takes some.
    for (batch, seq) in [(1, 1), (1, 3), (3, 101)] {
        for has_bias in [false, true] {
            let layer = layer(has_bias);
            let x = seeded_tensor([batch, seq, D_INPUT], 3, &cpu());
            let (x64, weight) = (to_f64(x.clone()), to_f64(layer.weight.val()));
            let bias = layer.bias.as_ref().map_or(vec![0.0; D_OUTPUT], |bias| to_f64(bias.val()));
            let g = output_weights([batch, seq, D_OUTPUT]);
            let loss = |x: &[f64], w: &[f64], b: &[f64]| -> f64 {
                definition(x, w, b).iter().zip(&g).map(|(y, g)| y * g).sum()
            };
            let expected = [
                finite_difference(|x| loss(x, &weight, &bias), &x64, 1e-3),
                finite_difference(|w| loss(&x64, w, &bias), &weight, 1e-3),
                finite_difference(|b| loss(&x64, &weight, b), &bias, 1e-3),
            ];
            for form in [Form::Portable, Form::Fused] {
                let what = format!("{form:?}, {batch} x {seq}, bias: {has_bias}");
                let (y, grads) = run(&layer, x.clone(), form);
                assert_rel_close(y, definition(&x64, &weight, &bias), VALUE_TOL, &what);
                assert_eq!(grads.len(), if has_bias { 3 } else { 2 });
                for (grad, expected) in grads.into_iter().zip(&expected) {
                    assert_rel_close(grad, &expected[..], GRAD_TOL, &what);
                }
            }
        }
    }
}

fn run(layer: &Linear, x: Tensor<3>, form: Form) -> (Vec<f64>, Vec<Vec<f64>>) {
    run_with(layer, x, |x| linear(layer, x, form))
}

/// Output, and the gradients of input, weight and bias.
fn run_with(layer: &Linear, x: Tensor<3>, f: impl Fn(Tensor<3>) -> Tensor<3>) -> (Vec<f64>, Vec<Vec<f64>>) {
    let device = cpu().autodiff();
    let x = Tensor::<3>::from_data(x.into_data(), &device).require_grad();
    let y = f(x.clone());
    let weights = seeded_tensor(y.dims(), 99, &device);
    let grads = (y.clone() * weights).sum().backward();
    let mut found = vec![to_f64(x.grad(&grads).unwrap()), to_f64(layer.weight.val().grad(&grads).unwrap())];
    found.extend(layer.bias.as_ref().map(|bias| to_f64(bias.val().grad(&grads).unwrap())));
    (to_f64(y), found)
}

#[test]
#[should_panic(expected = "a linear layer of 5 inputs got 4")]
fn another_width_is_refused_in_words() {
    linear(&layer(true), Tensor::<3>::zeros([1, 1, 4], &cpu()), Form::Fused);
}

#[test]
fn channel_by_channel_is_the_same_layer_in_both_forms() {
    // One token; sequences of no whole vectors; more sequences than parts of a sum; more outputs than inputs and fewer.
    for [batch, seq, d_input, d_output] in
        [[1, 1, 3, 5], [2, 3, 5, 7], [3, 65, 7, 5], [9, 17, 4, 12], [2, 300, 33, 20], [1, 1000, 20, 70]]
    {
        for has_bias in [false, true] {
            let mut layer = LinearConfig::new(d_input, d_output).with_bias(has_bias).init(&cpu());
            layer.weight = Param::from_tensor(seeded_tensor::<2>([d_input, d_output], 1, &cpu()));
            let layer = layer.train();
            let x = seeded_tensor([batch, seq, d_input], 3, &cpu());
            let (y, grads) = run(&layer, x.clone(), Form::Portable);
            for form in [Form::Portable, Form::Fused] {
                let what = format!("{form:?}, {batch} x {seq}, {d_input} to {d_output}, bias: {has_bias}");
                let (channels, channel_grads) = run_of_channels(&layer, x.clone(), form);
                assert_rel_close(channels, y.clone(), VALUE_TOL, &what);
                assert_eq!(channel_grads.len(), grads.len());
                for (grad, expected) in channel_grads.into_iter().zip(&grads) {
                    assert_rel_close(grad, expected.clone(), GRAD_TOL, &what);
                }
            }
        }
    }
}

/// [`run`] with the same numbers laid out channel by channel.
fn run_of_channels(layer: &Linear, x: Tensor<3>, form: Form) -> (Vec<f64>, Vec<Vec<f64>>) {
    let turn = |x| swap_axes(x, Form::Portable);
    run_with(layer, x, |x| turn(linear_of_channels(layer, turn(x), form)))
}

#[test]
#[should_panic(expected = "a linear layer of 5 inputs got 4")]
fn another_number_of_channels_is_refused_in_words() {
    linear_of_channels(&layer(true), Tensor::<3>::zeros([1, 4, 1], &cpu()), Form::Fused);
}
