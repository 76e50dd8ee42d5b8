//! The causal layer.

use burn::module::Module;
use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_mixer::{LearningRate, MixerError, MixerState, SequenceMixer, WeightDecay};
use subquad_monarch::{CausalMonarch, CausalMonarchConfig, CausalMonarchForm, M2Config, reference};
use subquad_testkit::{
    AWKWARD_LENGTHS, assert_rel_close, battery, cpu, every_gradient, paths_of, seeded_tensor, to_f64, values,
};

use super::{D_MODEL, FORMS_GRADIENT, FORMS_VALUE, is_its_definition, moved};
use crate::FORMS;
use crate::reference::assert_gradients;
use crate::seeded_module;

/// The same sums in another order, in f32.
const SAME_MAP: f64 = 1e-4;
/// f32 against the f64 formula: each entry is one product.
const ENTRY: f64 = 1e-6;
/// What an FFT leaks to earlier tokens, relative to the largest output.
const FFT_LEAK: f64 = 1e-6;

fn config(form: CausalMonarchForm, d_model: usize, l_max: usize) -> CausalMonarchConfig {
    let config = CausalMonarchConfig::new(d_model, l_max).with_form(form);
    match form {
        CausalMonarchForm::Blocks => config,
        CausalMonarchForm::Sandwich => config.with_filter_order(8),
    }
}

fn variants(d_model: usize, l_max: usize) -> Vec<CausalMonarchConfig> {
    let both = [CausalMonarchForm::Blocks, CausalMonarchForm::Sandwich];
    let of = |form| {
        let config = config(form, d_model, l_max);
        [
            config.clone(),
            config.clone().with_gated(false),
            config.with_n_heads(2).with_block(Some(l_max.div_ceil(3))),
        ]
    };
    both.into_iter().flat_map(of).collect()
}

fn layer(config: &CausalMonarchConfig) -> CausalMonarch {
    moved(|device| config.init(device))
}

#[test]
fn causal_monarch_keeps_the_contract_of_a_sequence_mixer_in_both_forms() {
    for config in variants(D_MODEL, 32) {
        for form in FORMS {
            battery::causal_mixer(&layer(&config).with_form(form), D_MODEL);
        }
    }
}

#[test]
fn forms_of_causal_monarch_agree_at_awkward_lengths() {
    for config in variants(D_MODEL, 1000) {
        let layer = layer_of_small_triangles(&config);
        let portable = layer.clone().with_form(Form::Portable);
        battery::forms_agree(&layer, &portable, D_MODEL, &AWKWARD_LENGTHS, FORMS_VALUE, FORMS_GRADIENT);
    }
}

/// A triangle of a thousand tokens whose entries are not small may have an inverse of any size.
fn layer_of_small_triangles(config: &CausalMonarchConfig) -> CausalMonarch {
    seeded_module(|device| config.init(device))
}

#[test]
fn causal_monarch_is_its_definition_at_awkward_lengths_in_both_forms() {
    for config in variants(2, 1000) {
        let definition = |p: &[f64], x: &[f64]| reference::causal_monarch(&config, p, x);
        let layer = layer_of_small_triangles(&config);
        is_its_definition(&layer, CausalMonarch::with_form, definition, 2, &config.to_string());
    }
}

#[test]
fn causal_monarch_has_the_gradients_of_its_definition_in_both_forms() {
    for config in variants(2, 7) {
        let layer = layer(&config);
        let definition = |p: &[f64], x: &[f64]| reference::causal_monarch(&config, p, x);
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

/// Column `s`, head by head: what an impulse at token `s` becomes. `[heads, tokens, tokens]`
fn materialised(layer: &CausalMonarch, tokens: usize, heads: usize) -> Vec<f64> {
    let impulses = Tensor::<2>::eye(tokens, &cpu()).unsqueeze_dim::<3>(2);
    let columns = layer.forward(impulses.expand([tokens, tokens, heads]));
    to_f64(columns.permute([2, 1, 0]))
}

#[test]
fn the_matrix_of_blocks_is_the_formula_and_exactly_zero_above_its_diagonal() {
    for (tokens, block) in [(24, 4), (25, 5), (30, 10), (12, 12), (7, 1)] {
        let config = config(CausalMonarchForm::Blocks, 2, tokens).with_gated(false).with_n_heads(2);
        let layer = layer(&config.clone().with_block(Some(block)));
        let config = config.with_block(Some(block));
        let expected = reference::causal_blocks_matrices(&config, &values(&layer)).concat();
        for form in FORMS {
            let matrix = materialised(&layer.clone().with_form(form), tokens, 2);
            assert_rel_close(matrix.as_slice(), expected.as_slice(), ENTRY, format!("{form:?}, {block}"));
            let above = (0..matrix.len()).filter(|at| at % tokens > at / tokens % tokens);
            assert!(above.into_iter().all(|at| matrix[at] == 0.0), "{form:?}, blocks of {block}");
        }
    }
}

#[test]
fn a_changed_token_changes_no_bit_of_earlier_outputs_of_blocks() {
    for config in variants(D_MODEL, 32).into_iter().filter(|c| c.form == CausalMonarchForm::Blocks) {
        let x = seeded_tensor([2, 29, D_MODEL], 1, &cpu());
        for form in FORMS {
            let layer = layer(&config).with_form(form);
            let before = layer.forward(x.clone());
            for t in 1..29 {
                let token = x.clone().narrow(1, t, 1) * 1e3 + 1.0;
                let changed = x.clone().slice_assign([0..2, t..t + 1, 0..D_MODEL], token);
                let earlier = |y: Tensor<3>| y.narrow(1, 0, t).into_data();
                earlier(layer.forward(changed)).assert_eq(&earlier(before.clone()), true);
            }
        }
    }
}

#[test]
fn the_jacobian_of_a_sandwich_is_lower_triangular() {
    let config = config(CausalMonarchForm::Sandwich, 2, 24).with_gated(false).with_n_heads(2);
    let layer = layer(&config);
    let matrix = materialised(&layer, 24, 2);
    let largest = matrix.iter().fold(0.0, |max: f64, entry| max.max(entry.abs()));
    for (at, entry) in matrix.iter().enumerate().filter(|(at, _)| at % 24 > at / 24 % 24) {
        assert!(entry.abs() <= FFT_LEAK * largest, "{entry:e} at {at}");
    }
}

#[test]
fn a_sandwich_starts_as_m2() {
    let config = config(CausalMonarchForm::Sandwich, D_MODEL, 40).with_block(Some(8));
    let layer = seeded_module(|device| config.init(device));
    // In field order: the filter comes before the output projection in M2, and here after it and the factors.
    let all = values(&layer);
    let (input, rest) = all.split_at(3 * D_MODEL * (D_MODEL + 5));
    let (output, rest) = rest.split_at(D_MODEL * (D_MODEL + 1));
    let (factors, filter) = rest.split_at(5 * 8 * 8 + 8 * 5 * 5);
    assert!(factors.iter().all(|entry| *entry == 0.0));

    let m2 = M2Config::new(D_MODEL, 40).with_filter_order(8);
    let x = seeded_tensor([1, 37, D_MODEL], 1, &cpu());
    let expected = reference::m2(&m2, &[input, filter, output].concat(), &to_f64(x.clone()));
    assert_rel_close(layer.forward(x), expected, SAME_MAP, "at the start");
}

#[test]
fn a_shorter_sequence_is_the_beginning_of_a_longer_one() {
    for config in variants(D_MODEL, 64) {
        let layer = layer(&config);
        let x = seeded_tensor([2, 64, D_MODEL], 1, &cpu());
        let whole = layer.forward(x.clone());
        for seq in [1, 2, 17, 63] {
            let short = layer.forward(x.clone().narrow(1, 0, seq));
            let expected = whole.clone().narrow(1, 0, seq);
            assert_rel_close(short, expected, SAME_MAP, format!("seq = {seq}, {config}"));
        }
    }
}

#[test]
fn gradients_flow_through_the_state() {
    let device = cpu().autodiff();
    for config in variants(D_MODEL, 16) {
        let layer = layer(&config).train();
        let input = || seeded_tensor([2, 11, D_MODEL], 1, &device).require_grad();
        let weights = seeded_tensor([2, 11, D_MODEL], 2, &device);

        let x = input();
        let whole = (layer.forward(x.clone()) * weights.clone()).sum().backward();
        let whole_x = x.grad(&whole).unwrap();

        let x = input();
        let (mut state, mut chunks) = (layer.init_state(2).unwrap(), vec![]);
        for (from, count) in [(0, 3), (3, 6), (9, 2)] {
            let (y, next) = layer.forward_with_state(x.clone().narrow(1, from, count), state).unwrap();
            state = next;
            chunks.push(y);
        }
        let chunks = (Tensor::cat(chunks, 1) * weights).sum().backward();
        assert_rel_close(x.grad(&chunks).unwrap(), whole_x, SAME_MAP, format!("input, {config}"));
        for (chunks, whole) in every_gradient(&layer, &chunks).into_iter().zip(every_gradient(&layer, &whole))
        {
            assert_rel_close(chunks.values, whole.values, SAME_MAP, format!("{}, {config}", whole.path));
        }
    }
}

#[test]
fn the_state_holds_a_row_a_token_and_two_projected_inputs() {
    for form in [CausalMonarchForm::Blocks, CausalMonarchForm::Sandwich] {
        let gated = layer(&config(form, D_MODEL, 32));
        assert_eq!(gated.state_size(10), Some(10 * D_MODEL + 2 * 3 * D_MODEL));
        assert_eq!(gated.init_state(3).unwrap().floats(), 2 * 3 * D_MODEL);
        let bare = layer(&config(form, D_MODEL, 32).with_gated(false));
        assert_eq!(bare.state_size(10), Some(10 * D_MODEL));
        assert_eq!(bare.init_state(3).unwrap().floats(), 0);
    }
}

#[test]
fn the_state_ends_with_the_matrix_and_a_refused_token_leaves_it_alone() {
    for config in variants(D_MODEL, 5) {
        let layer = layer(&config);
        let too_long = MixerError::TooLong { mixer: "causal_monarch", l_max: 5, seq: 6 };
        let x = seeded_tensor([1, 5, D_MODEL], 1, &cpu());
        let (_, mut state) = layer.forward_with_state(x.clone(), layer.init_state(1).unwrap()).unwrap();
        let full = state.floats();
        let token = x.narrow(1, 0, 1);
        assert_eq!(layer.step(token.clone().squeeze_dim(1), &mut state).unwrap_err(), too_long);
        assert_eq!(state.floats(), full);
        assert_eq!(layer.forward_with_state(token, state).unwrap_err(), too_long);
        assert_eq!(layer.check_length(6), Err(too_long));
    }
}

#[test]
fn states_of_layers_with_other_settings_are_refused() {
    for own in variants(D_MODEL, 32) {
        for other in [
            CausalMonarchConfig { l_max: 40, ..own.clone() },
            own.clone().with_gated(!own.gated),
            own.clone().with_n_heads(3),
            own.clone().with_block(Some(16)),
            match own.form {
                CausalMonarchForm::Blocks => own.clone().with_form(CausalMonarchForm::Sandwich),
                CausalMonarchForm::Sandwich => {
                    own.clone().with_form(CausalMonarchForm::Blocks).with_filter_order(64)
                }
            },
        ] {
            battery::refuses_states_of((&layer(&own), D_MODEL), (&layer(&other), D_MODEL));
        }
    }
}

#[test]
#[should_panic(expected = "causal_monarch has d_model = 6, got an input of width 5")]
fn an_input_of_another_width_is_refused() {
    let layer = layer(&config(CausalMonarchForm::Blocks, D_MODEL, 8));
    layer.forward(seeded_tensor([1, 4, 5], 1, &cpu()));
}

#[test]
fn parameters_are_counted() {
    for l_max in [3, 10, 64] {
        for config in variants(D_MODEL, l_max) {
            assert_eq!(layer(&config).num_params(), config.n_parameters(), "{config}");
        }
    }
    let square = config(CausalMonarchForm::Blocks, 1, 1024).with_gated(false);
    assert_eq!(square.n_parameters(), 3 * 32usize.pow(3), "3 seq^1.5");
}

#[test]
fn operations_of_the_matrix_grow_as_the_length_to_one_and_a_half() {
    for form in [CausalMonarchForm::Blocks, CausalMonarchForm::Sandwich] {
        let flops = |seq: usize| config(form, 8, seq).with_gated(false).flops(seq) as f64;
        let slope = (flops(1 << 20) / flops(1 << 16)).log2() / 4.0;
        assert!((slope - 1.5).abs() < 0.01, "{form:?}: {slope}");
    }
}

#[test]
fn a_sandwich_trains_its_filter_as_m2_does_and_blocks_have_no_groups() {
    let config = config(CausalMonarchForm::Sandwich, D_MODEL, 8).with_filter_weight_decay(0.1);
    let layer = seeded_module(|device| config.init(device));
    let groups = layer.parameter_groups();
    let [filter, position] = groups.as_slice() else { panic!("two groups") };
    assert_eq!(filter.learning_rate, LearningRate::AtMost(1e-3));
    assert_eq!(filter.weight_decay, WeightDecay::Fixed(0.1));
    assert_eq!(paths_of(&layer, &filter.parameters).len(), 8);
    assert_eq!(position.learning_rate, LearningRate::AtMost(1e-5));
    assert_eq!(paths_of(&layer, &position.parameters).len(), 1);
    let blocks = self::config(CausalMonarchForm::Blocks, D_MODEL, 8);
    assert!(seeded_module(|device| blocks.init(device)).parameter_groups().is_empty());
}
