//! The bidirectional layer.

use burn::module::Module;
use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_backend::pointwise::Activation;
use subquad_mixer::{MixerError, SequenceMixer};
use subquad_monarch::{LearnedMonarch, LearnedMonarchConfig, SequenceInit, reference};
use subquad_testkit::{AWKWARD_LENGTHS, assert_rel_close, battery, cpu, seeded_tensor};

use super::{D_MODEL, FORMS_GRADIENT, FORMS_VALUE, is_its_definition, moved};
use crate::FORMS;
use crate::reference::assert_gradients;
use crate::seeded_module;

/// f32 sums in another order.
const SAME_MAP: f64 = 1e-5;

fn variants(d_model: usize, l_max: usize) -> Vec<LearnedMonarchConfig> {
    let config = LearnedMonarchConfig::new(d_model, l_max);
    vec![
        config.clone(),
        config.clone().with_gated(false),
        config.clone().with_n_heads(2).with_init(SequenceInit::Identity).with_activation(Activation::Gelu),
        config.with_gated(false).with_block(Some(l_max.div_ceil(3))).with_activation(Activation::Relu),
    ]
}

fn layer(config: &LearnedMonarchConfig) -> LearnedMonarch {
    seeded_module(|device| config.init(device))
}

#[test]
fn learned_monarch_keeps_the_contract_of_a_sequence_mixer_in_both_forms() {
    for config in variants(D_MODEL, 32) {
        // Near the identity, a token hardly depends on the next one.
        let config = config.with_init(SequenceInit::Random);
        for form in FORMS {
            battery::bidirectional_mixer(&layer(&config).with_form(form), D_MODEL);
        }
    }
}

#[test]
fn forms_of_learned_monarch_agree_at_awkward_lengths() {
    for config in variants(D_MODEL, 1000) {
        let layer = layer(&config);
        let portable = layer.clone().with_form(Form::Portable);
        battery::forms_agree(&layer, &portable, D_MODEL, &AWKWARD_LENGTHS, FORMS_VALUE, FORMS_GRADIENT);
    }
}

#[test]
fn learned_monarch_is_its_definition_at_awkward_lengths_in_both_forms() {
    for config in variants(2, 1000) {
        let definition = |p: &[f64], x: &[f64]| reference::learned_monarch(&config, p, x);
        let layer = moved(|device| config.init(device));
        is_its_definition(&layer, LearnedMonarch::with_form, definition, 2, &config.to_string());
    }
}

#[test]
fn learned_monarch_has_the_gradients_of_its_definition_in_both_forms() {
    for config in variants(2, 7) {
        // A kink has no gradient to compare.
        let activation = match config.activation {
            Activation::Relu => Activation::Silu,
            other => other,
        };
        let config = config.with_activation(activation);
        let layer = moved(|device| config.init(device));
        let definition = |p: &[f64], x: &[f64]| reference::learned_monarch(&config, p, x);
        for form in FORMS {
            let layer = layer.clone().with_form(form);
            let what = format!("{form:?}, {config}");
            assert_gradients(&layer, |m, x| m.forward(x), definition, [1, 5, 2], &what);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    for config in variants(D_MODEL, 20) {
        battery::same_seed_same_bits(|device| config.init(device), &cpu());
    }
}

#[test]
fn a_shorter_sequence_is_one_that_ends_in_zeros() {
    for config in variants(D_MODEL, 30) {
        let layer = layer(&config.with_gated(false));
        let x = seeded_tensor([2, 17, D_MODEL], 1, &cpu());
        let longer = Tensor::cat(vec![x.clone(), Tensor::zeros([2, 13, D_MODEL], &x.device())], 1);
        let expected = layer.forward(longer).narrow(1, 0, 17);
        assert_rel_close(layer.forward(x), expected, SAME_MAP, "17 of 30 tokens");
    }
}

#[test]
fn a_sequence_beyond_the_matrices_is_refused() {
    let layer = layer(&LearnedMonarchConfig::new(D_MODEL, 5));
    assert_eq!(layer.check_length(5), Ok(()));
    let too_long = MixerError::TooLong { mixer: "monarch", l_max: 5, seq: 6 };
    assert_eq!(layer.check_length(6), Err(too_long));
    assert_eq!(layer.init_state(1).unwrap_err(), MixerError::Bidirectional { mixer: "monarch" });
}

#[test]
#[should_panic(expected = "monarch has d_model = 6, got an input of width 5")]
fn an_input_of_another_width_is_refused() {
    layer(&LearnedMonarchConfig::new(D_MODEL, 5)).forward(seeded_tensor([1, 4, 5], 1, &cpu()));
}

#[test]
fn parameters_are_counted() {
    for l_max in [1, 10, 64] {
        for config in variants(D_MODEL, l_max) {
            assert_eq!(layer(&config).num_params(), config.n_parameters(), "{config}");
        }
    }
}

#[test]
fn operations_of_the_matrices_grow_as_the_length_to_one_and_a_half() {
    let flops = |seq: usize| LearnedMonarchConfig::new(8, seq).with_gated(false).flops(seq) as f64;
    // Four factors of 32 blocks of 32 x 32 on 8 features.
    assert_eq!(flops(1024), 2.0 * 4.0 * 32f64.powi(3) * 8.0);
    assert_eq!((flops(16384) / flops(1024)).log2() / 4.0, 1.5);
}
