//! Layer normalisation against its definition.

use subquad_backend::Form;
use subquad_backend::layer_norm::layer_norm;
use subquad_testkit::{assert_rel_close, cpu, finite_difference};

use crate::{GRAD_TOL, Leaf, VALUE_TOL, output_weights, run};

const EPS: f64 = 1e-5;
/// More tokens than one thread takes at a time, and a width that is no multiple of a vector.
const SHAPE: [usize; 3] = [5, 17, 19];

fn definition(x: &[f64], gamma: &[f64], beta: &[f64]) -> Vec<f64> {
    let width = gamma.len();
    let row = |x: &[f64]| {
        let mean = x.iter().sum::<f64>() / width as f64;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width as f64;
        let normal = x.iter().map(move |x| (x - mean) / (variance + EPS).sqrt());
        normal.zip(gamma).zip(beta).map(|((n, g), b)| n * g + b).collect::<Vec<_>>()
    };
    x.chunks(width).flat_map(row).collect()
}

#[test]
fn both_forms_are_the_definition_in_values_and_gradients() {
    let leaves = [Leaf::new(SHAPE, 1), Leaf::new([SHAPE[2]], 2), Leaf::new([SHAPE[2]], 3)];
    let [x, gamma, beta] = [leaves[0].values(), leaves[1].values(), leaves[2].values()];
    let weights = output_weights(SHAPE);
    let loss = |x: &[f64], gamma: &[f64], beta: &[f64]| -> f64 {
        definition(x, gamma, beta).iter().zip(&weights).map(|(y, w)| y * w).sum()
    };
    let expected = [
        finite_difference(|x| loss(x, &gamma, &beta), &x, 1e-5),
        finite_difference(|gamma| loss(&x, gamma, &beta), &gamma, 1e-5),
        finite_difference(|beta| loss(&x, &gamma, beta), &beta, 1e-5),
    ];
    for form in [Form::Portable, Form::Fused] {
        let norm = |x: &[Leaf]| layer_norm(x[0].three(), x[1].one(), x[2].one(), EPS, form);
        let (y, grads) = run(leaves.to_vec(), norm);
        assert_rel_close(y, definition(&x, &gamma, &beta), VALUE_TOL, format!("{form:?}"));
        for (i, (grad, expected)) in grads.iter().zip(&expected).enumerate() {
            assert_rel_close(&grad[..], &expected[..], GRAD_TOL, format!("input {i}, {form:?}"));
        }
    }
}

#[test]
fn a_constant_token_becomes_the_shift() {
    let device = cpu();
    let x = burn::tensor::Tensor::<3>::full([1, 2, 20], 7.0, &device);
    let one = |value: f32| burn::tensor::Tensor::<1>::full([20], value, &device);
    for form in [Form::Portable, Form::Fused] {
        let y = layer_norm(x.clone(), one(3.0), one(0.5), EPS, form);
        assert_rel_close(y, vec![0.5; 40], VALUE_TOL, format!("{form:?}"));
    }
}
