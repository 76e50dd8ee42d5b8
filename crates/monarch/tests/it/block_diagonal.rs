//! Block-diagonal linear layers as matrices.

use burn::module::Module;
use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_monarch::{BlockDiagonalLinear, BlockDiagonalLinearConfig};
use subquad_testkit::{assert_rel_close, cpu, seeded_tensor, to_f64};

use crate::FORMS;
use crate::seeded_module;

/// The same f32 sums, perhaps in another order.
const SAME_SUM: f64 = 1e-6;

fn layer(d_input: usize, d_output: usize, n_blocks: usize) -> BlockDiagonalLinear {
    let config = BlockDiagonalLinearConfig::new(d_input, d_output, n_blocks);
    seeded_module(|device| config.init(device))
}

#[test]
fn the_layer_is_its_dense_matrix() {
    for (d_input, d_output, n_blocks) in
        [(16, 24, 4), (10, 14, 4), (9, 7, 2), (5, 6, 4), (6, 6, 6), (5, 8, 1)]
    {
        let layer = layer(d_input, d_output, n_blocks);
        let dense = layer.dense_weight();
        assert_eq!(dense.dims(), [d_output, d_input]);
        let x = seeded_tensor([5, d_input], 1, &cpu());
        let bias = layer.bias.as_ref().unwrap().val().unsqueeze::<2>();
        let expected = x.clone().matmul(dense.transpose()) + bias;
        for form in FORMS {
            let output = layer.clone().with_form(form).forward(x.clone());
            assert_rel_close(
                output,
                expected.clone(),
                SAME_SUM,
                format!("{d_input} to {d_output}, {form:?}"),
            );
        }
    }
}

#[test]
fn the_dense_matrix_is_the_blocks_on_its_diagonal_and_zero_elsewhere() {
    for (d_input, d_output, n_blocks) in [(16, 24, 4), (10, 14, 4)] {
        let layer = layer(d_input, d_output, n_blocks);
        let [_, rows, columns] = layer.weight.val().dims();
        let (weight, dense) = (to_f64(layer.weight.val()), to_f64(layer.dense_weight()));
        for (i, entry) in dense.into_iter().enumerate() {
            let (o, q) = (i / d_input, i % d_input);
            let expected = if o / rows == q / columns { weight[o * columns + q % columns] } else { 0.0 };
            assert_eq!(entry, expected, "entry ({o}, {q}) of {d_input} to {d_output}");
        }
    }
}

#[test]
fn leading_axes_are_kept() {
    let layer = layer(10, 14, 4);
    let x = seeded_tensor([2, 3, 4, 10], 1, &cpu());
    let flat: Tensor<2> = layer.clone().with_form(Form::Fused).forward(x.clone().reshape([24, 10]));
    assert_eq!(to_f64(layer.forward(x).reshape([24, 14])), to_f64(flat));
}

#[test]
fn parameters_fall_in_proportion_to_the_blocks() {
    assert_eq!(layer(16, 24, 4).num_params(), 16 * 24 / 4 + 24);
    // Padded: 4 blocks of 4 x 3.
    assert_eq!(layer(10, 14, 4).num_params(), 4 * 4 * 3 + 14);
    let config = BlockDiagonalLinearConfig::new(16, 24, 4).with_bias(false);
    assert_eq!(config.init(&cpu()).num_params(), 16 * 24 / 4);
}

#[test]
fn weights_start_within_the_bound_of_a_block_and_the_bias_within_that_of_the_layer() {
    let layer = layer(64, 100, 4);
    let largest = |values: Vec<f64>| values.into_iter().map(f64::abs).fold(0.0, f64::max);
    let (weight, bias) = (largest(to_f64(layer.weight.val())), largest(to_f64(layer.bias.unwrap().val())));
    assert!(weight <= 0.25 && weight > 0.24, "{weight}");
    assert!(bias <= 0.1 && bias > 0.09, "{bias}");
}

#[test]
#[should_panic(expected = "a block-diagonal layer of d_input = 10 got an input of width 14")]
fn an_input_of_another_width_is_refused() {
    layer(10, 14, 4).forward(seeded_tensor([2, 14], 1, &cpu()));
}
