//! Monarch linear layers as matrices.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_monarch::{MonarchInit, MonarchLinear, MonarchLinearConfig};
use subquad_testkit::{assert_rel_close, cpu, seeded_tensor, to_f64, values};

use crate::FORMS;
use crate::seeded_module;

/// The same f32 sums, perhaps in another order.
const SAME_SUM: f64 = 1e-6;

fn layer(config: &MonarchLinearConfig) -> MonarchLinear {
    seeded_module(|device| config.init(device))
}

fn shaped(input: &[usize], output: &[usize]) -> MonarchLinearConfig {
    let (d_input, d_output) = (input.iter().product(), output.iter().product());
    MonarchLinearConfig::new(d_input, d_output)
        .with_order(input.len())
        .with_input_shape(Some(input.to_vec()))
        .with_output_shape(Some(output.to_vec()))
}

fn configs() -> Vec<MonarchLinearConfig> {
    let plain = MonarchLinearConfig::new;
    vec![
        plain(16, 24),
        plain(10, 14).with_n_blocks(Some(3)).with_rank(2),
        plain(13, 7).with_pre_permute(true),
        shaped(&[3, 4], &[6, 5]).with_rank(3),
        shaped(&[3, 4], &[6, 5]).with_rank(2).with_pre_permute(true),
        plain(30, 20).with_order(3),
        shaped(&[2, 3, 4], &[3, 2, 5]).with_rank(2),
        shaped(&[2, 3, 4], &[3, 2, 5]).with_pre_permute(true),
        shaped(&[2, 2, 3, 2], &[2, 3, 1, 2]).with_rank(3),
    ]
}

#[test]
fn the_layer_is_its_dense_matrix() {
    for config in configs() {
        let layer = layer(&config);
        let dense = layer.dense_weight();
        assert_eq!(dense.dims(), [config.d_output, config.d_input]);
        let x = seeded_tensor([5, config.d_input], 1, &cpu());
        let expected =
            x.clone().matmul(dense.transpose()) + layer.bias.as_ref().unwrap().val().unsqueeze::<2>();
        for form in FORMS {
            let output = layer.clone().with_form(form).forward(x.clone());
            assert_rel_close(output, expected.clone(), SAME_SUM, format!("{form:?}, {config}"));
        }
    }
}

#[test]
fn the_entries_by_their_formula_are_the_image_of_the_identity() {
    for config in configs() {
        let mut layer = layer(&config);
        layer.bias = None;
        let image = layer.forward(Tensor::<2>::eye(config.d_input, &cpu())).transpose();
        assert_rel_close(layer.dense_weight(), image, SAME_SUM, &config);
    }
}

#[test]
fn the_block_index_is_the_fast_one_of_the_output() {
    // One row t of one block l of the last factor writes output t c + l.
    let (c, s) = (3, 4);
    let (t, l) = (2, 1);
    let device = cpu();
    let first = Tensor::ones([2, c, 5], &device);
    let last = Tensor::zeros([c, s, 2], &device)
        .slice_assign([l..l + 1, t..t + 1, 0..2], Tensor::ones([1, 1, 2], &device));
    let y = to_f64(
        MonarchLinear::from_factors([first, last], None, 10, c * s)
            .forward(Tensor::<2>::ones([1, 10], &device)),
    );
    let written: Vec<usize> = (0..y.len()).filter(|o| y[*o] != 0.0).collect();
    assert_eq!(written, [t * c + l]);
}

#[test]
fn a_middle_that_is_no_whole_rank_is_a_matrix_all_the_same() {
    let device = cpu();
    let factors = [seeded_tensor([4, 3, 3], 1, &device), seeded_tensor([4, 3, 3], 2, &device)];
    let layer = MonarchLinear::from_factors(factors, None, 12, 11);
    let (dense, x) = (layer.dense_weight(), seeded_tensor([5, 12], 3, &device));
    assert_rel_close(layer.forward(x.clone()), x.matmul(dense.transpose()), SAME_SUM, "4 blocks of 3 x 3");
}

#[test]
fn leading_axes_are_kept() {
    let layer = layer(&MonarchLinearConfig::new(10, 14));
    let x = seeded_tensor([2, 3, 4, 10], 1, &cpu());
    let flat: Tensor<2> = layer.clone().with_form(Form::Fused).forward(x.clone().reshape([24, 10]));
    assert_eq!(to_f64(layer.forward(x).reshape([24, 14])), to_f64(flat));
}

#[test]
fn parameters_and_operations_are_counted_without_a_layer() {
    for config in configs() {
        assert_eq!(config.n_parameters(), layer(&config).num_params(), "{config}");
        assert_eq!(config.flops(), 2 * (config.n_parameters() - config.d_output), "{config}");
    }
    let square = MonarchLinearConfig::new(1024, 1024).with_bias(false);
    assert_eq!((square.n_parameters(), square.flops()), (65_536, 131_072));
    assert_eq!(square.with_order(3).n_parameters(), 1024 * (8 + 8 + 16));
    let huge = MonarchLinearConfig::new(1 << 20, 1 << 20).with_bias(false);
    assert_eq!(huge.n_parameters(), 2 << 30);
}

/// Variance of the output for inputs of variance 1, over many rows.
fn output_variance(config: &MonarchLinearConfig) -> f64 {
    let layer = layer(&config.clone().with_bias(false));
    let weights = to_f64(layer.dense_weight());
    weights.iter().map(|w| w * w).sum::<f64>() / config.d_output as f64
}

#[test]
fn an_output_starts_with_the_variance_of_a_dense_layers_or_the_published_one() {
    /// The variance is estimated from a few thousand random numbers.
    const SPREAD: f64 = 0.1;
    let close = |config: MonarchLinearConfig, expected: f64| {
        let variance = output_variance(&config);
        assert!((variance / expected - 1.0).abs() < SPREAD, "{config}: {variance}, not {expected}");
    };
    for config in [
        MonarchLinearConfig::new(256, 256),
        MonarchLinearConfig::new(200, 512).with_n_blocks(Some(16)).with_rank(3),
        shaped(&[40, 40], &[32, 32]).with_pre_permute(true),
        MonarchLinearConfig { d_input: 900, ..shaped(&[40, 40], &[32, 32]) },
        MonarchLinearConfig::new(512, 1000).with_order(3),
    ] {
        close(config, 1.0 / 3.0);
    }
    let published = MonarchLinearConfig::new(256, 256).with_init(MonarchInit::PerFactor);
    close(published.clone(), 1.0 / 9.0);
    let largest =
        values(&layer(&published.with_bias(false))).into_iter().fold(0.0, |m: f64, w| m.max(w.abs()));
    assert!(largest <= 0.25 && largest > 0.24, "{largest}");
}

#[test]
fn the_identity_starts_as_the_identity_and_every_rank_can_learn() {
    let identity = |config: MonarchLinearConfig| config.with_init(MonarchInit::Identity);
    for config in [
        identity(MonarchLinearConfig::new(12, 12)),
        identity(MonarchLinearConfig::new(11, 12)),
        identity(shaped(&[3, 4], &[3, 4])).with_rank(3),
        identity(shaped(&[4, 2], &[4, 2])).with_rank(2),
        identity(shaped(&[2, 3, 4], &[2, 3, 4])).with_rank(2),
    ] {
        let layer = layer(&config);
        let expected = Tensor::<2>::eye(config.d_output, &cpu()).narrow(1, 0, config.d_input);
        assert_eq!(to_f64(layer.dense_weight()), to_f64(expected), "{config}");
        // Weights that read padding have no gradient.
        let padded = config.d_input < config.d_output;
        assert!(padded || every_last_weight_has_a_gradient(layer), "{config}");
    }
}

fn every_last_weight_has_a_gradient(layer: MonarchLinear) -> bool {
    let layer = layer.train();
    let last: Param<Tensor<3>> = layer.factors.last().unwrap().clone();
    let device = last.val().device();
    let grads =
        (layer.dense_weight() * seeded_tensor(layer.dense_weight().dims(), 5, &device)).sum().backward();
    to_f64(last.val().grad(&grads).unwrap()).into_iter().all(|grad| grad != 0.0)
}

#[test]
#[should_panic(expected = "a Monarch layer of d_input = 10 got an input of width 14")]
fn an_input_of_another_width_is_refused() {
    layer(&MonarchLinearConfig::new(10, 14)).forward(seeded_tensor([2, 14], 1, &cpu()));
}
