//! Every layer against its f64 definition: values, and gradients by finite differences of that definition.

use burn::module::Module;
use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_mixer::{ChannelMixer, MeasuredMixer, SequenceMixer, Sizes};
use subquad_monarch::{
    BlockDiagonalLinearConfig, BlockDiagonalMlpConfig, CausalMonarchConfig, DenseMlpConfig, HyenaConfig,
    LearnedMonarchConfig, M2Config, MonarchLinearConfig, MonarchMlpConfig, SwigluConfig, reference,
};
use subquad_testkit::{
    AWKWARD_LENGTHS, assert_rel_close, cpu, every_gradient, finite_difference, seeded, seeded_tensor, to_f64,
    values,
};

use crate::FORMS;
use crate::seeded_module;

/// f32 against f64. Three sine layers of frequency 10 turn rounding errors of 6e-8 into about 1e-5 of a filter.
pub(crate) const VALUE: f64 = 1e-4;
/// Gradients go through the same layers again and are summed over the sequence.
pub(crate) const GRADIENT: f64 = 1e-3;
/// For f64 functions of size one: truncation and rounding both stay below 1e-8.
const STEP: f64 = 1e-6;

/// Both directions with and without the residual filter, then each option of filter and layer, then all at once.
fn m2s() -> Vec<M2Config> {
    let config = |bidirectional, residual| {
        M2Config::new(2, 1000).with_filter_order(4).with_bidirectional(bidirectional).with_residual(residual)
    };
    let (plain, both) = (config(false, false), config(true, true));
    vec![
        plain.clone(),
        config(false, true),
        config(true, false),
        both.clone(),
        plain.clone().with_num_inner(0),
        both.clone().with_num_inner(3),
        both.clone().with_share_sine(false),
        plain.clone().with_modulate(false),
        both.clone().with_shift(0.3),
        both.clone().with_normalized(true),
        both.clone().with_rev_offset(0),
        plain.clone().with_short_filter(1),
        both.clone().with_short_filter(4),
        plain.with_input_norm(true),
        both.with_num_inner(1)
            .with_share_sine(false)
            .with_shift(-0.1)
            .with_normalized(true)
            .with_rev_offset(0)
            .with_short_filter(2)
            .with_input_norm(true),
    ]
}

/// Three orders, and every option of the filter at once.
fn hyenas() -> Vec<HyenaConfig> {
    let config = |order| HyenaConfig::new(2, 1000).with_filter_order(4).with_order(order);
    let options = config(3).with_num_inner(1).with_share_sine(false).with_shift(0.2);
    vec![config(2), config(3), config(4), options.with_normalized(true).with_short_filter(4)]
}

#[test]
fn m2_is_its_definition_at_awkward_lengths_in_both_forms() {
    for config in m2s() {
        let layer = seeded_module(|device| config.init(device));
        let definition = |p: &[f64], x: &[f64]| reference::m2(&config, p, x);
        assert_lengths(|form| layer.clone().with_form(form), definition, &config.to_string());
    }
}

#[test]
fn hyena_is_its_definition_at_awkward_lengths_in_both_forms() {
    for config in hyenas() {
        let layer = seeded_module(|device| config.init(device));
        let definition = |p: &[f64], x: &[f64]| reference::hyena(&config, p, x);
        assert_lengths(|form| layer.clone().with_form(form), definition, &config.to_string());
    }
}

#[test]
fn m2_has_the_gradients_of_its_definition_in_both_forms() {
    for config in m2s() {
        let config = M2Config { l_max: 6, ..config };
        let layer = seeded_module(|device| config.init(device));
        let definition = |p: &[f64], x: &[f64]| reference::m2(&config, p, x);
        for form in FORMS {
            let (layer, what) = (layer.clone().with_form(form), format!("{form:?}, {config}"));
            assert_gradients(&layer, |m, x| m.forward(x), definition, [1, 5, 2], &what);
        }
    }
}

#[test]
fn hyena_has_the_gradients_of_its_definition_in_both_forms() {
    for config in hyenas() {
        let config = HyenaConfig { l_max: 6, ..config };
        let layer = seeded_module(|device| config.init(device));
        let definition = |p: &[f64], x: &[f64]| reference::hyena(&config, p, x);
        for form in FORMS {
            let (layer, what) = (layer.clone().with_form(form), format!("{form:?}, {config}"));
            assert_gradients(&layer, |m, x| m.forward(x), definition, [1, 5, 2], &what);
        }
    }
}

/// One sequence of each length, two channels.
fn assert_lengths<M: SequenceMixer + Module>(
    layer: impl Fn(Form) -> M,
    definition: impl Fn(&[f64], &[f64]) -> Vec<f64>,
    what: &str,
) {
    let parameters = values(&layer(Form::Portable));
    for seq in AWKWARD_LENGTHS {
        let expected = definition(&parameters, &seeded(2 * seq, 4));
        for form in FORMS {
            let output = layer(form).forward(seeded_tensor([1, seq, 2], 4, &cpu()));
            assert_rel_close(output, expected.as_slice(), VALUE, format!("{form:?}, seq = {seq}, {what}"));
        }
    }
}

#[test]
fn block_diagonal_linear_is_its_definition_in_both_forms() {
    for (d_input, d_output, n_blocks) in [(8, 12, 4), (10, 14, 4), (7, 3, 3), (5, 6, 4), (5, 5, 1)] {
        for bias in [true, false] {
            let config = BlockDiagonalLinearConfig::new(d_input, d_output, n_blocks).with_bias(bias);
            let layer = seeded_module(|device| config.init(device));
            let definition = |p: &[f64], x: &[f64]| reference::block_diagonal_linear(&config, p, x);
            for form in FORMS {
                let (layer, what) = (layer.clone().with_form(form), format!("{form:?}, {config}"));
                assert_values(&layer, |m, x| m.forward(x), definition, [2, 3, d_input], &what);
                assert_gradients(&layer, |m, x| m.forward(x), definition, [2, 3, d_input], &what);
            }
        }
    }
}

#[test]
fn monarch_linear_is_its_definition_in_both_forms() {
    let shapes = |config: MonarchLinearConfig, input: &[usize], output: &[usize]| {
        config.with_input_shape(Some(input.to_vec())).with_output_shape(Some(output.to_vec()))
    };
    let configs = [
        MonarchLinearConfig::new(8, 12),
        MonarchLinearConfig::new(10, 7).with_rank(2).with_n_blocks(Some(3)),
        MonarchLinearConfig::new(10, 14).with_bias(false).with_pre_permute(true).with_rank(2),
        shapes(MonarchLinearConfig::new(12, 20), &[3, 4], &[4, 5]).with_rank(3),
        MonarchLinearConfig::new(1, 5),
        MonarchLinearConfig::new(7, 9).with_order(3),
        shapes(MonarchLinearConfig::new(10, 11).with_order(3), &[2, 3, 2], &[3, 2, 2]).with_rank(2),
        shapes(MonarchLinearConfig::new(12, 8).with_order(3).with_pre_permute(true), &[2, 2, 3], &[2, 4, 1]),
        MonarchLinearConfig::new(16, 16).with_order(4).with_rank(2),
    ];
    for config in configs {
        let layer = seeded_module(|device| config.init(device));
        let definition = |p: &[f64], x: &[f64]| reference::monarch_linear(&config, p, x);
        for form in FORMS {
            let (layer, what) = (layer.clone().with_form(form), format!("{form:?}, {config}"));
            let shape = [2, 3, config.d_input];
            assert_values(&layer, |m, x| m.forward(x), definition, shape, &what);
            assert_gradients(&layer, |m, x| m.forward(x), definition, shape, &what);
        }
    }
}

#[test]
fn channel_mixers_are_their_definitions_in_both_forms() {
    for (d_model, d_hidden) in [(6, 9), (7, 13), (16, 12)] {
        let config = SwigluConfig::new(d_model, d_hidden);
        let layer = seeded_module(|device| config.init(device));
        let definition = |p: &[f64], x: &[f64]| reference::swiglu(&config, p, x);
        assert_mixer(|form| layer.clone().with_form(form), definition, d_model, &config.to_string());
        for gated in [false, true] {
            let config = DenseMlpConfig::new(d_model, d_hidden).with_gated(gated);
            let layer = seeded_module(|device| config.init(device));
            let definition = |p: &[f64], x: &[f64]| reference::dense_mlp(&config, p, x);
            assert_mixer(|form| layer.clone().with_form(form), definition, d_model, &config.to_string());

            let config = BlockDiagonalMlpConfig::new(d_model, d_hidden).with_gated(gated);
            let layer = seeded_module(|device| config.init(device));
            let definition = |p: &[f64], x: &[f64]| reference::block_diagonal_mlp(&config, p, x);
            assert_mixer(|form| layer.clone().with_form(form), definition, d_model, &config.to_string());

            for n_blocks in [None, Some(1), Some(4)] {
                let config =
                    MonarchMlpConfig::new(d_model, d_hidden).with_n_blocks(n_blocks).with_gated(gated);
                let layer = seeded_module(|device| config.init(device));
                let definition = |p: &[f64], x: &[f64]| reference::monarch_mlp(&config, p, x);
                assert_mixer(|form| layer.clone().with_form(form), definition, d_model, &config.to_string());
            }
        }
    }
}

fn assert_mixer<M: ChannelMixer + Module>(
    layer: impl Fn(Form) -> M,
    definition: impl Fn(&[f64], &[f64]) -> Vec<f64>,
    d_model: usize,
    what: &str,
) {
    for form in FORMS {
        let (layer, shape, what) = (layer(form), [2, 3, d_model], format!("{form:?}, {what}"));
        assert_values(&layer, |m, x| m.forward(x), &definition, shape, &what);
        assert_gradients(&layer, |m, x| m.forward(x), &definition, shape, &what);
    }
}

fn assert_values<M: Module>(
    layer: &M,
    forward: impl Fn(&M, Tensor<3>) -> Tensor<3>,
    definition: impl Fn(&[f64], &[f64]) -> Vec<f64>,
    shape: [usize; 3],
    what: &str,
) {
    let x = seeded_tensor(shape, 8, &cpu());
    let expected = definition(&values(layer), &to_f64(x.clone()));
    assert_rel_close(forward(layer, x), expected, VALUE, what);
}

#[test]
fn what_is_measured_is_its_definition() {
    fn is_its_definition<C: MeasuredMixer>() {
        let sizes = Sizes {
            batch: 1,
            seq_len: 9,
            d_model: 4,
            hidden_factor: 2,
            n_blocks: 2,
            d_state: 4,
            more_tokens: 3,
        };
        let config = C::measured(&sizes);
        let layer = seeded_module(|device| config.init(device));
        assert_eq!(layer.num_params(), config.n_parameters(), "{}", C::NAME);
        let (shape, p) = ([1, sizes.seq_len, sizes.d_model], values(&layer));
        let expected = C::definition(&sizes, &[p], &seeded(sizes.elements(), 4));
        let output = layer.forward(seeded_tensor(shape, 4, &cpu()));
        assert_rel_close(output, expected.as_slice(), VALUE, C::NAME);
    }
    is_its_definition::<HyenaConfig>();
    is_its_definition::<M2Config>();
    is_its_definition::<LearnedMonarchConfig>();
    is_its_definition::<CausalMonarchConfig>();
}

/// Gradients of `sum(output * g)` for a random `g`, with respect to the input and each parameter tensor.
pub(crate) fn assert_gradients<M: Module>(
    layer: &M,
    forward: impl Fn(&M, Tensor<3>) -> Tensor<3>,
    definition: impl Fn(&[f64], &[f64]) -> Vec<f64>,
    shape: [usize; 3],
    what: &str,
) {
    let device = cpu().autodiff();
    let (p, x) = (values(layer), seeded_tensor(shape, 8, &device).require_grad());
    let layer = layer.clone().train();
    let output = forward(&layer, x.clone());
    let weights = seeded_tensor(output.dims(), 9, &device);
    let grads = (output * weights.clone()).sum().backward();

    let (at, weights) = (to_f64(x.clone()), to_f64(weights));
    let loss = |p: &[f64], x: &[f64]| definition(p, x).iter().zip(&weights).map(|(y, w)| y * w).sum::<f64>();
    let by_input = finite_difference(|x| loss(&p, x), &at, STEP);
    assert_rel_close(x.grad(&grads).unwrap(), by_input, GRADIENT, format!("{what}: input"));
    let by_parameters = finite_difference(|p| loss(p, &at), &p, STEP);
    let mut rest = by_parameters.as_slice();
    for found in every_gradient(&layer, &grads) {
        let (expected, after) = rest.split_at(found.values.len());
        rest = after;
        assert_rel_close(found.values, expected, GRADIENT, format!("{what}: {}", found.path));
    }
    assert!(rest.is_empty(), "{what}: the definition has more parameters than the layer");
}
