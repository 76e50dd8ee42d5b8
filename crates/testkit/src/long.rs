//! Layers against their f64 definitions at lengths at which gradients are too many to difference one by one.

use burn::module::Module;
use burn::tensor::Tensor;
use subquad_mixer::SequenceMixer;

use crate::{assert_rel_close, cpu, every_gradient, parameters, seeded, seeded_tensor, to_f64};

/// How far a direction is followed to either side: it would change the loss by a thousandth per tensor, far more than rounding in f64.
const STEP: f64 = 1e-3;

/// Directions that gradients are compared along. The first follows them; in the second each number has a random weight.
const DIRECTIONS: u64 = 2;

/// The input, and then every parameter tensor in field order.
type Tensors = Vec<Vec<f64>>;

/// Asserts that `layer` is its f64 `definition`, of parameters and input, on one random sequence `[seq, d_model]`: every output to
/// `tolerances[0]` of the largest, and slopes of `sum(output * weights)` to `tolerances[1]`. In a direction, the input and every
/// parameter tensor move so far that each by itself would change that sum by about 1, so that none hides behind another.
///
/// # Panics
/// If it is not, or a parameter has no gradient.
pub fn assert_long<M: SequenceMixer + Module>(
    layer: &M,
    definition: impl Fn(&[Vec<f64>], &[f64]) -> Vec<f64>,
    [seq, d_model]: [usize; 2],
    tolerances: [f64; 2],
) {
    let definition = |at: &Tensors| definition(&at[1..], &at[0]);
    let weights = seeded_tensor([1, seq, d_model], 9, &cpu().autodiff());
    let (at, output, gradients) = run(layer, weights.clone());
    assert_rel_close(output, definition(&at), tolerances[0], "outputs");
    let weights = to_f64(weights);
    for turn in 0..DIRECTIONS {
        let direction = direction(&gradients, turn);
        let loss = |by: f64| dot(&definition(&moved(&at, &direction, by)), &weights);
        let expected = (loss(STEP) - loss(-STEP)) / (2.0 * STEP);
        let actual: f64 = gradients.iter().zip(&direction).map(|(gradient, way)| dot(gradient, way)).sum();
        let what = format!("direction {turn}: the slope is {actual}, and {expected} by definition");
        assert!((actual - expected).abs() <= tolerances[1], "{what}");
    }
}

/// The layer on a random sequence: what goes in, its output, and the gradients of `sum(output * weights)`.
fn run<M: SequenceMixer + Module>(layer: &M, weights: Tensor<3>) -> (Tensors, Tensor<3>, Tensors) {
    let x = seeded_tensor(weights.dims(), 8, &weights.device()).require_grad();
    let own = parameters(layer).into_iter().map(|one| one.values);
    let at = [to_f64(x.clone())].into_iter().chain(own).collect();
    let layer = layer.clone().train();
    let output = layer.forward(x.clone());
    let grads = (output.clone() * weights).sum().backward();
    let of_input = to_f64(x.grad(&grads).expect("a gradient of the input"));
    let of_parameters = every_gradient(&layer, &grads).into_iter().map(|one| one.values);
    (at, output, [of_input].into_iter().chain(of_parameters).collect())
}

/// Each tensor's part changes the loss by 1 per unit, or by what its random weights add up to.
fn direction(gradients: &Tensors, turn: u64) -> Tensors {
    let part = |(gradient, seed): (&Vec<f64>, u64)| -> Vec<f64> {
        let square = dot(gradient, gradient);
        let weights = if turn > 0 { seeded(gradient.len(), seed) } else { vec![1.0; gradient.len()] };
        gradient.iter().zip(weights).map(|(g, w)| if square > 0.0 { w * g / square } else { 0.0 }).collect()
    };
    gradients.iter().zip(100 * turn..).map(part).collect()
}

fn moved(at: &Tensors, direction: &Tensors, by: f64) -> Tensors {
    let part =
        |(at, way): (&Vec<f64>, &Vec<f64>)| at.iter().zip(way).map(|(at, way)| at + by * way).collect();
    at.iter().zip(direction).map(part).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
