//! The short convolution against its definition.

use subquad_backend::Form;
use subquad_backend::short_conv::short_conv;
use subquad_testkit::{assert_rel_close, finite_difference};

use crate::{GRAD_TOL, Leaf, VALUE_TOL, output_weights, run};

const BATCH: usize = 2;
const CHANNELS: usize = 5;
const WIDTH: usize = 3;

/// `y_t = bias + sum over j of w_j x_{t - (width - 1) + j}`
fn definition(x: &[f64], weight: &[f64], bias: &[f64], seq: usize) -> Vec<f64> {
    let at = |b: usize, t: usize, c: usize| x[(b * seq + t) * CHANNELS + c];
    let one = |b: usize, t: usize, c: usize| -> f64 {
        let taps = (0..WIDTH).filter(|j| t + j + 1 >= WIDTH);
        bias[c] + taps.map(|j| weight[c * WIDTH + j] * at(b, t + j + 1 - WIDTH, c)).sum::<f64>()
    };
    let places = (0..BATCH).flat_map(|b| (0..seq).flat_map(move |t| (0..CHANNELS).map(move |c| (b, t, c))));
    places.map(|(b, t, c)| one(b, t, c)).collect()
}

#[test]
fn both_forms_are_the_definition_in_values_and_gradients() {
    for seq in [1, 2, 3, 64, 65] {
        let shapes =
            [Leaf::new([BATCH, seq, CHANNELS], 1), Leaf::new([CHANNELS, WIDTH], 2), Leaf::new([CHANNELS], 3)];
        let [x, w, b] = [shapes[0].values(), shapes[1].values(), shapes[2].values()];
        let g = output_weights([BATCH, seq, CHANNELS]);
        let loss = |x: &[f64], w: &[f64], b: &[f64]| -> f64 {
            definition(x, w, b, seq).iter().zip(&g).map(|(y, g)| y * g).sum()
        };
        let expected = [
            finite_difference(|x| loss(x, &w, &b), &x, 1e-3),
            finite_difference(|w| loss(&x, w, &b), &w, 1e-3),
            finite_difference(|b| loss(&x, &w, b), &b, 1e-3),
        ];
        for form in [Form::Portable, Form::Fused] {
            let conv = |x: &[Leaf]| short_conv(x[0].three(), x[1].two(), x[2].one(), form);
            let (y, grads) = run(shapes.to_vec(), conv);
            assert_rel_close(y, definition(&x, &w, &b, seq), VALUE_TOL, format!("{form:?}, seq = {seq}"));
            for (i, (grad, expected)) in grads.iter().zip(&expected).enumerate() {
                assert_rel_close(
                    &grad[..],
                    &expected[..],
                    GRAD_TOL,
                    format!("input {i}, {form:?}, seq = {seq}"),
                );
            }
        }
    }
}
