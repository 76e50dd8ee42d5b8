//! Pointwise tails against their definitions.

use burn::tensor::Tensor;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use subquad_backend::Form;
use subquad_backend::pointwise::{
    Activation, activate, activate_row, geglu, gelu, glu, glu_row, reference, swiglu,
};
use subquad_testkit::{assert_rel_close, cpu, seeded_tensor};

use crate::{GRAD_TOL, Leaf, VALUE_TOL, output_weights, run};

/// An odd number of rows and a width that is no multiple of a vector.
const SHAPE: [usize; 3] = [3, 7, 26];

/// All there are.
pub(crate) const ACTIVATIONS: [Activation; 6] = [
    Activation::Gelu,
    Activation::Silu,
    Activation::Relu,
    Activation::Tanh,
    Activation::Sigmoid,
    Activation::Identity,
];

#[test]
fn gelu_is_exact_in_values_and_gradients() {
    let x = Leaf::new(SHAPE, 1).values();
    let expected: Vec<f64> = x.iter().map(|x| reference::gelu(3.0 * x)).collect();
    let g = output_weights(SHAPE);
    let slopes: Vec<f64> = x.iter().zip(&g).map(|(x, g)| 3.0 * g * reference::gelu_slope(3.0 * x)).collect();
    for form in [Form::Portable, Form::Fused] {
        let (y, grads) = run(vec![Leaf::new(SHAPE, 1)], |x| gelu(x[0].three() * 3.0, form));
        assert_rel_close(y, &expected[..], VALUE_TOL, format!("{form:?}"));
        assert_rel_close(&grads[0][..], &slopes[..], GRAD_TOL, format!("gradient, {form:?}"));
    }
}

#[test]
fn activations_are_their_definitions_in_values_and_gradients() {
    let x = Leaf::new(SHAPE, 1).values();
    let g = output_weights(SHAPE);
    for activation in ACTIVATIONS {
        let expected: Vec<f64> = x.iter().map(|x| reference::activate(3.0 * x, activation)).collect();
        let slope = |x: &f64| 3.0 * reference::activate_slope(3.0 * x, activation);
        let slopes: Vec<f64> = x.iter().zip(&g).map(|(x, g)| g * slope(x)).collect();
        for form in [Form::Portable, Form::Fused] {
            let what = format!("{activation:?}, {form:?}");
            let (y, grads) =
                run(vec![Leaf::new(SHAPE, 1)], |x| activate(x[0].three() * 3.0, activation, form));
            assert_rel_close(y, &expected[..], VALUE_TOL, &what);
            assert_rel_close(&grads[0][..], &slopes[..], GRAD_TOL, format!("gradient, {what}"));
        }
    }
}

#[test]
fn slopes_are_differences_of_the_definitions() {
    /// A central difference of this width is off by its square.
    const WIDTH: f64 = 1e-4;
    for activation in ACTIVATIONS {
        for x in [-5.0, -1.3, -0.2, 0.1, 0.9, 4.0] {
            let at = |x| reference::activate(x, activation);
            let slope = (at(x + WIDTH) - at(x - WIDTH)) / (2.0 * WIDTH);
            let error = (reference::activate_slope(x, activation) - slope).abs();
            assert!(error < 1e-7, "{activation:?} at {x}: {error:e}");
        }
    }
}

#[test]
fn activations_are_named_in_snake_case() {
    let names = ["gelu", "silu", "relu", "tanh", "sigmoid", "identity"];
    let read = |name: &str| -> Result<Activation, serde::de::value::Error> {
        Activation::deserialize(name.into_deserializer())
    };
    assert_eq!(names.map(|name| read(name).unwrap()), ACTIVATIONS);
}

type Op = fn(Tensor<3>, Form) -> Tensor<3>;
type Definition = fn(f64, f64) -> f64;

fn gates() -> [(&'static str, Op, Definition); 3] {
    [("glu", glu, reference::glu), ("geglu", geglu, reference::geglu), ("swiglu", swiglu, reference::swiglu)]
}

#[test]
fn gates_are_their_definitions_and_both_forms_have_the_same_gradients() {
    let (x, half) = (Leaf::new(SHAPE, 1).values(), SHAPE[2] / 2);
    for (name, op, definition) in gates() {
        let row = |row: &[f64]| (0..half).map(|i| definition(row[i], row[half + i])).collect::<Vec<_>>();
        let expected: Vec<f64> = x.chunks(SHAPE[2]).flat_map(row).collect();
        let [portable, fused] = [Form::Portable, Form::Fused].map(|form| {
            let (y, grads) = run(vec![Leaf::new(SHAPE, 1)], |x| op(x[0].three(), form));
            assert_rel_close(y, &expected[..], VALUE_TOL, format!("{name}, {form:?}"));
            grads
        });
        assert_rel_close(&fused[0][..], &portable[0][..], GRAD_TOL, format!("gradient of {name}"));
    }
}

/// One number, less than a vector, several vectors and a rest, several chunks of a thread; inputs up to 1, 40 and 1,000.
#[test]
fn swiglu_is_its_definition_in_values_and_gradients_at_any_width_and_size() {
    for shape in [[1, 1, 2], [2, 1, 14], SHAPE, [1, 5, 2 * 65], [1, 9, 2 * 1001]] {
        for scale in [1.0, 40.0, 1000.0] {
            let x: Vec<f64> = Leaf::new(shape, 1).values().iter().map(|x| scale * x).collect();
            let (expected, slopes) = swiglu_by_definition(&x, shape, scale);
            for form in [Form::Portable, Form::Fused] {
                let what = format!("{form:?}, {shape:?}, times {scale}");
                let (y, grads) = run(vec![Leaf::new(shape, 1)], |x| swiglu(x[0].three() * scale, form));
                assert_rel_close(y, &expected[..], VALUE_TOL, &what);
                assert_rel_close(&grads[0][..], &slopes[..], GRAD_TOL, format!("gradient, {what}"));
            }
        }
    }
}

/// Values, and gradients for the weights of [`run`], of an input that is multiplied by `scale` to be `x`.
fn swiglu_by_definition(x: &[f64], shape: [usize; 3], scale: f64) -> (Vec<f64>, Vec<f64>) {
    let half = shape[2] / 2;
    let weights = output_weights([shape[0], shape[1], half]);
    let (mut values, mut slopes) = (vec![], vec![]);
    for (x, g) in x.chunks(2 * half).zip(weights.chunks(half)) {
        let (a, b) = x.split_at(half);
        values.extend(a.iter().zip(b).map(|(a, b)| reference::swiglu(*a, *b)));
        let by_a = |i: usize| reference::activate_slope(a[i], Activation::Silu) * b[i];
        let by_b = |i: usize| reference::activate(a[i], Activation::Silu);
        slopes.extend((0..half).map(|i| scale * g[i] * by_a(i)));
        slopes.extend((0..half).map(|i| scale * g[i] * by_b(i)));
    }
    (values, slopes)
}

#[test]
fn the_silu_gate_stays_finite_at_the_ends_of_f32_and_no_number_stays_none() {
    let at = |a: f32, b: f32| {
        let x = Tensor::<1>::from_data([a, b], &cpu().autodiff()).require_grad();
        let y = swiglu(x.clone(), Form::Fused);
        let grads = y.clone().sum().backward();
        (numbers(y.inner())[0], numbers(x.grad(&grads).unwrap()))
    };
    assert_eq!(at(1e38, 2.0), (2e38, vec![2.0, 1e38]));
    assert_eq!(at(-1e38, 2.0), (0.0, vec![0.0, 0.0]));
    assert_eq!(at(f32::INFINITY, 2.0).0, f32::INFINITY);
    for (a, b) in [(f32::NAN, 2.0), (2.0, f32::NAN)] {
        assert!(at(a, b).0.is_nan());
    }
}

#[test]
#[should_panic(expected = "two halves")]
fn an_odd_last_axis_is_refused() {
    glu(seeded_tensor([2, 3], 1, &cpu()), Form::Fused);
}

#[test]
#[should_panic(expected = "two halves")]
fn the_portable_form_refuses_it_too() {
    swiglu(seeded_tensor([2, 3], 1, &cpu()), Form::Portable);
}

fn numbers(tensor: Tensor<1>) -> Vec<f32> {
    tensor.into_data().try_into_vec().expect("f32")
}

#[test]
fn a_row_is_what_the_operations_on_tensors_make_of_it() {
    for width in [1, 7, 16, 33] {
        let x: Vec<f32> = (0..2 * width).map(|i| (i as f32).sin() * 3.0).collect();
        let tensor = Tensor::<1>::from_data(x.as_slice(), &cpu());
        let mut y = vec![f32::NAN; width];
        glu_row(&x, &mut y);
        assert_eq!(y, numbers(glu(tensor.clone(), Form::Fused)));
        for activation in [Activation::Gelu, Activation::Tanh, Activation::Identity] {
            let mut y = x.clone();
            activate_row(&mut y, activation);
            assert_eq!(y, numbers(activate(tensor.clone(), activation, Form::Fused)), "{activation:?}");
        }
    }
}

#[test]
#[should_panic(expected = "a gate makes one number of two")]
fn a_gate_without_two_halves_is_refused() {
    glu_row(&[0.0; 3], &mut [0.0; 2]);
}
