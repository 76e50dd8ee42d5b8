//! The contract of a sequence mixer, and what is particular to M2.

use burn::module::Module;
use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_mixer::{LearningRate, MixerError, MixerState, SequenceMixer, WeightDecay};
use subquad_monarch::{ConvAlgorithm, M2, M2Config};
use subquad_testkit::{
    AWKWARD_LENGTHS, assert_rel_close, battery, cpu, every_gradient, paths_of, seeded_tensor, to_f64, values,
    with_values,
};

use crate::FORMS;
use crate::seeded_module;

const D_MODEL: usize = 6;
/// Two FFT implementations on the same filters: each is accurate to about 1e-6 of the largest output.
const FORMS_VALUE: f64 = 1e-5;
/// The filter's gradient passes three sine layers of frequency 10.
const FORMS_GRADIENT: f64 = 1e-4;
/// The same sums in another order, in f32.
const SAME_MAP: f64 = 1e-4;

fn config(l_max: usize) -> M2Config {
    M2Config::new(D_MODEL, l_max).with_filter_order(8)
}

fn layer(config: &M2Config) -> M2 {
    seeded_module(|device| config.init(device))
}

#[test]
fn causal_m2_keeps_the_contract_of_a_sequence_mixer_in_both_forms() {
    for residual in [false, true] {
        for form in FORMS {
            battery::causal_mixer(&layer(&config(32).with_residual(residual)).with_form(form), D_MODEL);
        }
    }
}

#[test]
fn bidirectional_m2_keeps_the_contract_of_a_sequence_mixer_in_both_forms() {
    for residual in [false, true] {
        let config = config(32).with_residual(residual).with_bidirectional(true);
        for form in FORMS {
            battery::bidirectional_mixer(&layer(&config).with_form(form), D_MODEL);
        }
    }
}

#[test]
fn forms_agree_at_awkward_lengths() {
    for bidirectional in [false, true] {
        let layer = layer(&config(1000).with_residual(true).with_bidirectional(bidirectional));
        let portable = layer.clone().with_form(Form::Portable);
        battery::forms_agree(&layer, &portable, D_MODEL, &AWKWARD_LENGTHS, FORMS_VALUE, FORMS_GRADIENT);
    }
}

/// Every option at a value other than its default.
fn every_option(config: M2Config) -> M2Config {
    config
        .with_residual(true)
        .with_num_inner(1)
        .with_sine_factor(0.5)
        .with_share_sine(false)
        .with_shift(0.1)
        .with_normalized(true)
        .with_short_filter(4)
        .with_dropout(0.2)
}

#[test]
fn the_contract_and_the_forms_hold_with_every_option() {
    let (plain, causal) = (every_option(config(1000)), every_option(config(1000)).with_input_norm(true));
    let both_ways = causal.clone().with_bidirectional(true).with_rev_offset(0);
    for form in FORMS {
        battery::causal_mixer(&layer(&causal).with_form(form), D_MODEL);
        // The battery raises all features of a token by the same amount, which a norm cannot see, so causality is
        // tested without one.
        battery::causal_mixer(&layer(&plain).with_form(form), D_MODEL);
        let plain = plain.clone().with_bidirectional(true).with_rev_offset(0);
        battery::bidirectional_mixer(&layer(&plain).with_form(form), D_MODEL);
    }
    for config in [causal, both_ways] {
        let layer = layer(&config);
        let portable = layer.clone().with_form(Form::Portable);
        battery::forms_agree(&layer, &portable, D_MODEL, &[1, 2, 3, 63, 65], FORMS_VALUE, FORMS_GRADIENT);
    }
}

#[test]
fn without_a_short_past_steps_and_chunks_are_the_whole_sequence_too() {
    battery::causal_mixer(&layer(&config(32).with_short_filter(1)), D_MODEL);
    battery::causal_mixer(&layer(&config(32).with_short_filter(2).with_input_norm(true)), D_MODEL);
}

#[test]
fn dropout_drops_in_training_alone_and_the_same_in_both_forms() {
    let dropping = layer(&config(32).with_residual(true).with_dropout(0.3));
    battery::drops_in_training(&dropping, D_MODEL);
    let x = seeded_tensor([2, 21, D_MODEL], 1, &cpu());
    let trained = |form| dropping.clone().with_form(form).forward_train(x.clone(), 5);
    assert_rel_close(trained(Form::Fused), trained(Form::Portable), SAME_MAP, "both forms");
    let whole = layer(&config(32));
    assert_eq!(to_f64(whole.forward_train(x.clone(), 5)), to_f64(whole.forward(x)));
}

/// A layer norm, computed by hand, precedes the layer without one.
#[test]
fn an_input_norm_is_a_layer_norm_in_front_of_the_layer() {
    let with = config(32).with_residual(true).with_input_norm(true);
    let layer_with = layer(&with);
    let all = values(&layer_with);
    let without = with_values(layer(&with.with_input_norm(false)), &all[2 * D_MODEL..]);
    let x = seeded_tensor([2, 21, D_MODEL], 1, &cpu());
    let centred = x.clone() - x.clone().mean_dim(2);
    let normed = centred.clone() / (centred.square().mean_dim(2) + 1e-5).sqrt();
    assert_rel_close(layer_with.forward(x), without.forward(normed), SAME_MAP, "normed before");
}

#[test]
fn tokens_of_padded_rows_get_what_they_get_alone_whatever_the_padding_holds() {
    let both_ways = config(32).with_residual(true).with_bidirectional(true);
    let (seq, lengths) = (21, [13, 21, 1, 0]);
    let x = seeded_tensor([4, seq, D_MODEL], 1, &cpu());
    for config in [config(32).with_residual(true), both_ways.clone(), both_ways.with_rev_offset(0)] {
        for form in FORMS {
            let layer = layer(&config).with_form(form);
            let padded = layer.forward_padded(x.clone(), &lengths);
            for (row, length) in lengths.into_iter().enumerate().filter(|(_, length)| *length > 0) {
                let tokens = |x: &Tensor<3>| x.clone().narrow(0, row, 1).narrow(1, 0, length);
                let alone = layer.forward(tokens(&x));
                let what = format!("{form:?}, {length} tokens, {config}");
                assert_rel_close(tokens(&padded), alone, SAME_MAP, &what);
                let other = x.clone().slice_fill([row..row + 1, length..seq, 0..D_MODEL], 100.0);
                let other = layer.forward_padded(other, &lengths);
                assert_rel_close(tokens(&other), tokens(&padded), SAME_MAP, &what);
            }
        }
    }
}

#[test]
fn padding_gets_no_gradient_from_the_tokens() {
    let device = cpu().autodiff();
    let layer = layer(&config(32).with_residual(true).with_bidirectional(true)).train();
    let x = seeded_tensor([1, 9, D_MODEL], 1, &device).require_grad();
    let y = layer.forward_with(x.clone(), Some(&[5]), Some(1)).narrow(1, 0, 5);
    let grads = (y * seeded_tensor([1, 5, D_MODEL], 2, &device)).sum().backward();
    let grad = to_f64(x.grad(&grads).unwrap());
    assert!(grad[5 * D_MODEL..].iter().all(|g| *g == 0.0), "{grad:?}");
    assert!(grad[..5 * D_MODEL].iter().all(|g| *g != 0.0), "{grad:?}");
}

#[test]
#[should_panic(expected = "a sequence of 5 tokens does not fit a row of 4")]
fn a_length_beyond_its_row_is_refused() {
    layer(&config(8)).forward_padded(seeded_tensor([1, 4, D_MODEL], 1, &cpu()), &[5]);
}

#[test]
#[should_panic(expected = "2 rows need a length each, got 1")]
fn a_row_without_a_length_is_refused() {
    layer(&config(8)).forward_padded(seeded_tensor([2, 4, D_MODEL], 1, &cpu()), &[4]);
}

#[test]
fn transforms_by_monarch_products_are_the_same_map() {
    for bidirectional in [false, true] {
        let config = config(1000).with_residual(true).with_bidirectional(bidirectional);
        let (fft, monarch) = (layer(&config), layer(&config.with_conv(ConvAlgorithm::Monarch)));
        for form in FORMS {
            let monarch = monarch.clone().with_form(form);
            battery::forms_agree(&fft, &monarch, D_MODEL, &AWKWARD_LENGTHS, FORMS_VALUE, FORMS_GRADIENT);
        }
    }
    battery::causal_mixer(&layer(&config(32).with_conv(ConvAlgorithm::Monarch)), D_MODEL);
}

#[test]
fn the_cpu_runs_fused_unless_told_otherwise() {
    let (layer, x) = (layer(&config(4)), seeded_tensor([2, 4, D_MODEL], 1, &cpu()));
    let fused = layer.clone().with_form(Form::Fused).forward(x.clone());
    assert_eq!(to_f64(layer.forward(x)), to_f64(fused));
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    let config = config(16).with_residual(true).with_bidirectional(true);
    battery::same_seed_same_bits(|device| config.init(device), &cpu());
}

#[test]
fn a_shorter_sequence_is_the_beginning_of_a_longer_one() {
    let layer = layer(&config(64));
    let x = seeded_tensor([2, 64, D_MODEL], 1, &cpu());
    let whole = layer.forward(x.clone());
    for seq in [1, 2, 17, 63] {
        let short = layer.forward(x.clone().narrow(1, 0, seq));
        assert_rel_close(short, whole.clone().narrow(1, 0, seq), SAME_MAP, format!("seq = {seq}"));
    }
}

#[test]
fn gradients_flow_through_the_state() {
    let device = cpu().autodiff();
    let layer = layer(&config(16).with_residual(true)).train();
    let input = || seeded_tensor([2, 9, D_MODEL], 1, &device).require_grad();
    let weights = seeded_tensor([2, 9, D_MODEL], 2, &device);

    let x = input();
    let whole = (layer.forward(x.clone()) * weights.clone()).sum().backward();
    let whole_x = x.grad(&whole).unwrap();

    let x = input();
    let state = layer.init_state(2).unwrap();
    let (first, state) = layer.forward_with_state(x.clone().narrow(1, 0, 4), state).unwrap();
    let (second, _) = layer.forward_with_state(x.clone().narrow(1, 4, 5), state).unwrap();
    let chunks = (Tensor::cat(vec![first, second], 1) * weights).sum().backward();
    assert_rel_close(x.grad(&chunks).unwrap(), whole_x, SAME_MAP, "input");
    for (chunks, whole) in every_gradient(&layer, &chunks).into_iter().zip(every_gradient(&layer, &whole)) {
        assert_rel_close(chunks.values, whole.values, SAME_MAP, whole.path);
    }
}

#[test]
fn the_state_holds_every_gated_input_and_two_projected_ones() {
    let causal = layer(&config(32));
    assert_eq!(causal.state_size(0), Some(2 * 3 * D_MODEL));
    assert_eq!(causal.state_size(10), Some(10 * D_MODEL + 2 * 3 * D_MODEL));
    let residual = layer(&config(32).with_residual(true));
    assert_eq!(residual.state_size(10), Some(2 * 10 * D_MODEL + 2 * 3 * D_MODEL));
    assert_eq!(residual.init_state(3).unwrap().floats(), 2 * 3 * D_MODEL);
}

#[test]
fn the_state_ends_with_the_filter_and_a_refused_token_leaves_it_alone() {
    let layer = layer(&config(5));
    let too_long = MixerError::TooLong { mixer: "m2", l_max: 5, seq: 6 };
    let x = seeded_tensor([1, 5, D_MODEL], 1, &cpu());
    let (_, mut state) = layer.forward_with_state(x.clone(), layer.init_state(1).unwrap()).unwrap();
    let full = state.floats();
    let token = x.clone().narrow(1, 0, 1);
    assert_eq!(layer.step(token.clone().squeeze_dim(1), &mut state).unwrap_err(), too_long);
    assert_eq!(state.floats(), full);
    assert_eq!(layer.forward_with_state(token, state).unwrap_err(), too_long);
    assert_eq!(layer.check_length(5), Ok(()));
    assert_eq!(layer.check_length(6), Err(too_long));
}

#[test]
#[should_panic(expected = "m2 takes at most l_max = 5 tokens, got 6; build it with a larger l_max")]
fn a_whole_sequence_beyond_the_filter_is_refused_in_the_same_words() {
    layer(&config(5)).forward(seeded_tensor([1, 6, D_MODEL], 1, &cpu()));
}

#[test]
#[should_panic(expected = "m2 has d_model = 6, got an input of width 5")]
fn an_input_of_another_width_is_refused() {
    layer(&config(5)).forward(seeded_tensor([1, 4, 5], 1, &cpu()));
}

#[test]
fn states_of_layers_with_other_settings_are_refused() {
    let own = layer(&config(32));
    for other in [config(40), config(32).with_short_filter(2), config(32).with_residual(true)] {
        battery::refuses_states_of((&own, D_MODEL), (&layer(&other), D_MODEL));
    }
    let wide = layer(&M2Config::new(8, 32).with_filter_order(8));
    battery::refuses_states_of((&own, D_MODEL), (&wide, 8));
}

#[test]
#[should_panic(expected = "m2 computes in f32, got an input of f64")]
fn padded_rows_of_another_type_are_refused_too() {
    let x = seeded_tensor([1, 4, D_MODEL], 1, &cpu()).cast(burn::tensor::DType::F64);
    layer(&config(5)).forward_padded(x, &[3]);
}

#[test]
fn a_bidirectional_layer_has_no_chunks_and_no_step() {
    let mut state = layer(&config(8)).init_state(1).unwrap();
    let layer = layer(&config(8).with_bidirectional(true));
    let refused = MixerError::Bidirectional { mixer: "m2" };
    let x = seeded_tensor([1, 2, D_MODEL], 1, &cpu());
    assert_eq!(layer.forward_with_state(x, state.clone()).unwrap_err(), refused);
    assert_eq!(layer.step(Tensor::zeros([1, D_MODEL], &cpu()), &mut state).unwrap_err(), refused);
    assert_eq!(layer.init_state(1).unwrap_err(), refused);
}

/// Per layer: projections, short convolution, and for each filter one or two networks, frequency, bias and positions.
fn published_parameters(config: &M2Config) -> usize {
    let M2Config { d_model: h, l_max, filter_order: o, emb_dim: e, .. } = *config;
    let networks = if config.bidirectional { 2 } else { 1 };
    let filters = if config.residual { 2 } else { 1 };
    let network = e * o + o + 2 * (o * o + o) + o * h;
    3 * h * h + 3 * h + h * h + h + 12 * h + filters * (network * networks + o + h + l_max * e)
}

#[test]
fn parameters_are_as_many_as_the_published_formula_counts() {
    for (bidirectional, residual) in [(false, false), (false, true), (true, false), (true, true)] {
        let config = config(50).with_bidirectional(bidirectional).with_residual(residual).with_emb_dim(7);
        assert_eq!(layer(&config).num_params(), published_parameters(&config), "{config}");
    }
}

const NETWORK: [&str; 7] = [
    "input.weight",
    "input.bias",
    "inner.0.weight",
    "inner.0.bias",
    "inner.1.weight",
    "inner.1.bias",
    "output.weight",
];

#[test]
fn groups_hold_the_networks_and_the_positions_and_nothing_else() {
    let config = config(8).with_residual(true).with_bidirectional(true).with_filter_weight_decay(0.1);
    let layer = layer(&config);
    let groups = layer.parameter_groups();
    let [filter, position] = groups.as_slice() else { panic!("two groups") };

    let network = |name: &str| NETWORK.map(|parameter| format!("{name}.{parameter}"));
    let networks = ["filter", "residual"].map(|filter| {
        let both = ["network", "reverse"].map(|side| network(&format!("{filter}.{side}")));
        [both.concat(), vec![format!("{filter}.frequency")]].concat()
    });
    assert_eq!(filter.name, "filter");
    assert_eq!(paths_of(&layer, &filter.parameters), networks.concat());
    assert_eq!(filter.learning_rate, LearningRate::AtMost(1e-3));
    assert_eq!(filter.weight_decay, WeightDecay::Fixed(0.1));

    assert_eq!(position.name, "position");
    assert_eq!(paths_of(&layer, &position.parameters), ["filter.z", "residual.z"]);
    assert_eq!(position.learning_rate, LearningRate::AtMost(1e-5));
    assert_eq!(position.weight_decay, WeightDecay::Fixed(0.0));
}
