//! The tail of a state-space layer against its definition.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_backend::pointwise::Activation;
use subquad_backend::tail::{Output, mix_channels};
use subquad_testkit::{assert_rel_close, cpu, finite_difference, seeded_tensor, to_f64};

use crate::pointwise::ACTIVATIONS;
use crate::tail_definition::Problem;
use crate::{GRAD_TOL, VALUE_TOL, output_weights};

/// Batch, channels, length and width: one of each; no whole vectors; rows shorter than a tile of tokens, as long as one, and
/// longer, so that tiles hold parts of several rows; more tiles than are summed together.
const SIZES: [[usize; 4]; 11] = [
    [1, 1, 1, 1],
    [2, 3, 5, 7],
    [3, 17, 65, 33],
    [130, 5, 1, 4],
    [7, 20, 37, 31],
    [2, 64, 128, 16],
    [1, 130, 257, 50],
    [40, 3, 3, 2],
    [1, 16, 1000, 8],
    [3, 5, 127, 63],
    [9, 2, 1030, 3],
];

struct Case {
    sizes: [usize; 4],
    output: Output,
    y: Tensor<3>,
    layer: Linear,
}

/// Values of `y` beyond 1, where activations bend.
const SPREAD: f64 = 3.0;

impl Case {
    fn new(sizes: [usize; 4], output: Output, bias: bool) -> Self {
        let ([batch, channels, seq, d_out], device) = (sizes, cpu());
        let width = output.parts() * d_out;
        let mut layer = LinearConfig::new(channels, width).with_bias(bias).init(&device);
        layer.weight = Param::from_tensor(seeded_tensor([channels, width], 1, &device));
        layer.bias = bias.then(|| Param::from_tensor(seeded_tensor([width], 2, &device)));
        let y = seeded_tensor([batch, channels, seq], 3, &device) * SPREAD;
        Self { sizes, output, y, layer: layer.train() }
    }

    /// Output and gradients of `y`, weight and, if there is one, bias.
    fn run(&self, activation: Activation, form: Form) -> (Vec<f64>, Vec<Vec<f64>>) {
        let device = cpu().autodiff();
        let y = Tensor::<3>::from_data(self.y.clone().into_data(), &device).require_grad();
        let out = mix_channels(y.clone(), activation, &self.layer, self.output, form);
        let [batch, _, seq, d_out] = self.sizes;
        assert_eq!(out.dims(), [batch, seq, d_out]);
        let grads = (out.clone() * seeded_tensor(out.dims(), 99, &device)).sum().backward();
        let weight = self.layer.weight.val().grad(&grads).unwrap();
        let mut found = vec![to_f64(y.grad(&grads).unwrap()), to_f64(weight)];
        found.extend(self.layer.bias.as_ref().map(|bias| to_f64(bias.val().grad(&grads).unwrap())));
        (to_f64(out), found)
    }

    /// The same by the definition, with a gradient of the bias in any case.
    fn expected(&self, activation: Activation) -> (Vec<f64>, [Vec<f64>; 3]) {
        let [batch, channels, seq, d_out] = self.sizes;
        let (y, weight) = (to_f64(self.y.clone()), to_f64(self.layer.weight.val()));
        let zeros = vec![0.0; self.output.parts() * d_out];
        let bias = self.layer.bias.as_ref().map_or(zeros, |bias| to_f64(bias.val()));
        let (sizes, output) = ([batch, channels, seq], self.output);
        let problem = Problem { sizes, activation, output, y: &y, weight: &weight, bias: &bias };
        (problem.mix_channels(), problem.gradients(&output_weights([batch, seq, d_out])))
    }

    fn check(&self, activation: Activation) {
        let (out, grads) = self.expected(activation);
        for form in [Form::Portable, Form::Fused] {
            let bias = self.layer.bias.is_some();
            let what = format!("{:?}, {activation:?}, {:?}, bias: {bias}, {form:?}", self.sizes, self.output);
            let (got, got_grads) = self.run(activation, form);
            assert_rel_close(got, &out[..], VALUE_TOL, &what);
            assert_eq!(got_grads.len(), 2 + usize::from(bias));
            for ((got, expected), of) in got_grads.into_iter().zip(&grads).zip(["y", "weight", "bias"]) {
                assert_rel_close(got, &expected[..], GRAD_TOL, format!("gradient of {of}, {what}"));
            }
        }
    }
}

#[test]
fn both_forms_are_the_definition_in_values_and_gradients_at_awkward_sizes() {
    for sizes in SIZES {
        for output in [Output::Glu, Output::Linear] {
            for bias in [true, false] {
                Case::new(sizes, output, bias).check(Activation::Gelu);
            }
        }
    }
}

#[test]
fn every_activation_stands_before_the_linear_layer() {
    for activation in ACTIVATIONS {
        Case::new([3, 9, 50, 5], Output::Glu, true).check(activation);
        Case::new([3, 9, 50, 5], Output::Linear, false).check(activation);
    }
}

#[test]
fn the_gradients_of_the_definition_are_its_differences() {
    let (sizes, g) = ([2, 3, 4], output_weights([2, 4, 2]));
    let values = |count: usize, seed: u64| to_f64(seeded_tensor([count], seed, &cpu()));
    for output in [Output::Glu, Output::Linear] {
        let width = 2 * output.parts();
        let inputs = [values(24, 1), values(3 * width, 2), values(width, 3)];
        let problem = |inputs: &[Vec<f64>; 3], f: &dyn Fn(Problem<'_>) -> [Vec<f64>; 3]| {
            let [y, weight, bias] = inputs;
            f(Problem { sizes, activation: Activation::Tanh, output, y, weight, bias })
        };
        let grads = problem(&inputs, &|problem| problem.gradients(&g));
        for (of, grad) in grads.into_iter().enumerate() {
            let loss = |values: &[f64]| -> f64 {
                let mut inputs = inputs.clone();
                inputs[of] = values.to_vec();
                let [out, ..] = problem(&inputs, &|problem| [problem.mix_channels(), vec![], vec![]]);
                out.iter().zip(&g).map(|(out, g)| out * g).sum()
            };
            let expected = finite_difference(loss, &inputs[of], 1e-4);
            assert_rel_close(grad, expected, 1e-7, format!("{output:?}, input {of}"));
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    for sizes in [[3, 20, 1000, 13], [1, 3, 20_000, 2]] {
        let case = Case::new(sizes, Output::Glu, true);
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| case.run(Activation::Gelu, Form::Fused))
        };
        let alone = on(1);
        assert!([2, 3, 8].into_iter().all(|threads| on(threads) == alone), "{sizes:?}");
    }
}

#[test]
fn a_token_is_the_same_bits_alone_and_in_company() {
    let [_, channels, seq, d_out] = [3, 33, 150, 21];
    let case = Case::new([3, channels, seq, d_out], Output::Glu, true);
    let all = mix_channels(case.y.clone(), Activation::Gelu, &case.layer, Output::Glu, Form::Fused);
    for (row, token) in [(0, 0), (0, 149), (1, 70), (2, 149)] {
        let y = case.y.clone().narrow(0, row, 1).narrow(2, token, 1);
        let alone = mix_channels(y, Activation::Gelu, &case.layer, Output::Glu, Form::Fused);
        let expected = all.clone().narrow(0, row, 1).narrow(1, token, 1);
        assert_eq!(to_f64(alone), to_f64(expected), "token {token} of row {row}");
    }
}

#[test]
fn gates_may_be_shut_or_wide_open() {
    let with_bias = |b: f32| {
        let mut case = Case::new([1, 2, 40, 3], Output::Glu, true);
        let bias = Tensor::from_floats([0.5, 0.5, 0.5, b, b, b], &cpu());
        case.layer.bias = Some(Param::from_tensor(bias));
        case.layer = case.layer.train();
        case
    };
    with_bias(200.0).check(Activation::Gelu);
    let (out, grads) = with_bias(-200.0).run(Activation::Gelu, Form::Fused);
    assert!(out.into_iter().chain(grads.concat()).all(|value| value == 0.0));
}

#[test]
fn gradients_that_nobody_wants_are_left_out() {
    let case = Case::new([2, 5, 150, 4], Output::Glu, true);
    let (_, grads) = case.run(Activation::Gelu, Form::Fused);
    let device = cpu().autodiff();
    let tracked = Tensor::<3>::from_data(case.y.clone().into_data(), &device).require_grad();
    let constant = Tensor::<3>::from_data(case.y.clone().into_data(), &device);
    let frozen = case.layer.clone().no_grad();
    let weights = seeded_tensor([2, 150, 4], 99, &device);
    let loss = |y: Tensor<3>, layer: &Linear| {
        let out = mix_channels(y, Activation::Gelu, layer, Output::Glu, Form::Fused);
        (out * weights.clone()).sum().backward()
    };
    let dy = tracked.grad(&loss(tracked.clone(), &frozen)).unwrap();
    assert_eq!(to_f64(dy), grads[0]);
    let dw = case.layer.weight.val().grad(&loss(constant, &case.layer)).unwrap();
    assert_eq!(to_f64(dw), grads[1]);
}

#[test]
#[should_panic(expected = "a linear layer of 5 inputs got 4 channels")]
fn another_number_of_channels_is_refused_in_words() {
    let case = Case::new([1, 5, 2, 3], Output::Glu, true);
    let y = Tensor::zeros([1, 4, 2], &cpu());
    mix_channels(y, Activation::Gelu, &case.layer, Output::Glu, Form::Fused);
}

#[test]
#[should_panic(expected = "a gate needs two halves, got 3 outputs")]
fn an_odd_number_of_outputs_is_refused_for_a_gate() {
    let case = Case::new([1, 2, 2, 3], Output::Linear, true);
    mix_channels(case.y.clone(), Activation::Gelu, &case.layer, Output::Glu, Form::Fused);
}
