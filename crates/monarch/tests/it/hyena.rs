//! The contract of a sequence mixer, and what is particular to Hyena.

use burn::module::Module;
use burn::tensor::{Distribution, Tensor};
use subquad_backend::Form;
use subquad_mixer::{LearningRate, MixerError, MixerState, SequenceMixer, WeightDecay};
use subquad_monarch::{ConvAlgorithm, Hyena, HyenaConfig, M2Config, reference};
use subquad_testkit::{
    AWKWARD_LENGTHS, assert_rel_close, battery, cpu, paths_of, seeded_tensor, to_f64, values, with_seed,
    with_values,
};

use crate::FORMS;
use crate::seeded_module;

const D_MODEL: usize = 6;
/// Two FFT implementations on the same filters, one after the other.
const FORMS_VALUE: f64 = 1e-5;
/// The filter's gradient passes three sine layers of frequency 10.
const FORMS_GRADIENT: f64 = 1e-4;
/// The same sums in another order, in f32.
const SAME_MAP: f64 = 1e-4;
/// Two layers compute the same products in the same order.
const SAME_PRODUCTS: f64 = 1e-6;

fn config(order: usize, l_max: usize) -> HyenaConfig {
    HyenaConfig::new(D_MODEL, l_max).with_order(order).with_filter_order(8)
}

fn layer(config: &HyenaConfig) -> Hyena {
    seeded_module(|device| config.init(device))
}

#[test]
fn hyena_keeps_the_contract_of_a_sequence_mixer_at_every_order_and_short_width_in_both_forms() {
    for (order, short_filter) in [(2, 3), (3, 3), (4, 2), (2, 1)] {
        let layer = layer(&config(order, 32).with_short_filter(short_filter));
        for form in FORMS {
            battery::causal_mixer(&layer.clone().with_form(form), D_MODEL);
        }
    }
}

#[test]
fn states_of_layers_with_other_settings_are_refused() {
    let own = layer(&config(3, 32));
    for other in [config(3, 40), config(2, 32), config(3, 32).with_short_filter(2)] {
        battery::refuses_states_of((&own, D_MODEL), (&layer(&other), D_MODEL));
    }
}

#[test]
fn forms_agree_at_awkward_lengths() {
    for order in [2, 3] {
        let layer = layer(&config(order, 1000));
        let portable = layer.clone().with_form(Form::Portable);
        battery::forms_agree(&layer, &portable, D_MODEL, &AWKWARD_LENGTHS, FORMS_VALUE, FORMS_GRADIENT);
    }
}

#[test]
fn transforms_by_monarch_products_are_the_same_map() {
    for order in [2, 3] {
        let config = config(order, 1000);
        let (fft, monarch) = (layer(&config), layer(&config.with_conv(ConvAlgorithm::Monarch)));
        for form in FORMS {
            let monarch = monarch.clone().with_form(form);
            battery::forms_agree(&fft, &monarch, D_MODEL, &[1, 2, 3, 65, 1000], FORMS_VALUE, FORMS_GRADIENT);
        }
    }
    battery::causal_mixer(&layer(&config(2, 32).with_conv(ConvAlgorithm::Monarch)), D_MODEL);
}

/// With order 2, a whole sequence is one operation between the linear layers; a chunk is gate, filter, gate.
#[test]
fn one_operation_is_what_its_parts_are_at_awkward_lengths() {
    let layer = layer(&config(2, 1000));
    for seq in AWKWARD_LENGTHS {
        let x = seeded_tensor([2, seq, D_MODEL], 1, &cpu());
        let (chunk, _) = layer.forward_with_state(x.clone(), layer.init_state(2).unwrap()).unwrap();
        assert_rel_close(layer.forward(x), chunk, FORMS_VALUE, format!("{seq} tokens"));
    }
}

#[test]
fn the_cpu_runs_fused_unless_told_otherwise() {
    let (layer, x) = (layer(&config(2, 4)), seeded_tensor([2, 4, D_MODEL], 1, &cpu()));
    let fused = layer.clone().with_form(Form::Fused).forward(x.clone());
    assert_eq!(to_f64(layer.forward(x)), to_f64(fused));
}

#[test]
fn the_same_seed_gives_the_same_bits_whatever_is_read_first() {
    battery::same_seed_same_bits(|device| config(3, 16).init(device), &cpu());
    // Were a layer drawn at first use, numbers drawn in between would change it.
    let built = |between: usize| {
        with_seed(&cpu(), 3, || {
            let layer = config(2, 16).init(&cpu());
            Tensor::<1>::random([between], Distribution::Default, &cpu());
            values(&layer)
        })
    };
    assert_eq!(built(1), built(5));
}

/// `[rows, chunks * d_model]` row by row, with its chunks in another order.
fn reordered(values: &[f64], order: &[usize], width: usize) -> Vec<f64> {
    let row = |row: &[f64]| -> Vec<f64> {
        order.iter().flat_map(|i| row[i * width..(i + 1) * width].to_vec()).collect()
    };
    values.chunks(order.len() * width).flat_map(row).collect()
}

/// Parameters of a Hyena of order 2 as those of an M2, whose first gate comes first.
fn as_m2(values: &[f64]) -> Vec<f64> {
    let (weight, rest) = values.split_at(D_MODEL * 3 * D_MODEL);
    let (bias, rest) = rest.split_at(3 * D_MODEL);
    let (short_weight, rest) = rest.split_at(3 * D_MODEL * 3);
    let (short_bias, rest) = rest.split_at(3 * D_MODEL);
    let order = [1, 0, 2];
    [
        reordered(weight, &order, D_MODEL),
        reordered(bias, &order, D_MODEL),
        reordered(short_weight, &order, D_MODEL * 3),
        reordered(short_bias, &order, D_MODEL),
        rest.to_vec(),
    ]
    .concat()
}

#[test]
fn of_order_two_it_is_a_causal_m2_with_its_gates_the_other_way_round() {
    let hyena = layer(&config(2, 40));
    let m2 = seeded_module(|device| M2Config::new(D_MODEL, 40).with_filter_order(8).init(device));
    let m2 = with_values(m2, &as_m2(&values(&hyena)));
    let x = seeded_tensor([2, 37, D_MODEL], 1, &cpu());
    for form in FORMS {
        let ours = hyena.clone().with_form(form).forward(x.clone());
        let theirs = m2.clone().with_form(form).forward(x.clone());
        assert_rel_close(ours, theirs, SAME_PRODUCTS, format!("{form:?}"));
    }
}

#[test]
fn its_kernels_are_the_filters_of_the_definition_in_the_order_in_which_they_run() {
    let config = config(3, 12);
    let layer = layer(&config);
    let all = values(&layer);
    let (width, out) = (4 * D_MODEL, D_MODEL * D_MODEL + D_MODEL);
    let filter = &all[D_MODEL * width + width + width * 3 + width..all.len() - out];
    let filter_config = subquad_monarch::ImplicitFilterConfig::new(2 * D_MODEL, 12).with_order(8);
    let (taps, _) = reference::implicit_filter(&filter_config, filter);
    let kernels = to_f64(layer.kernels(12));
    let of_filter = |o: usize| (0..D_MODEL).flat_map(move |h| (0..12).map(move |l| (o, h, l)));
    for ((o, h, l), kernel) in (0..2).flat_map(of_filter).zip(kernels) {
        let expected = taps[l * 2 * D_MODEL + 2 * h + o];
        assert!(
            (kernel - expected).abs() < SAME_MAP,
            "filter {o}, channel {h}, lag {l}: {kernel} {expected}"
        );
    }
}

#[test]
fn dropout_drops_in_training_alone_and_the_same_in_both_forms() {
    for order in [2, 3] {
        let layer = layer(&config(order, 32).with_dropout(0.3));
        battery::drops_in_training(&layer, D_MODEL);
        let x = seeded_tensor([2, 21, D_MODEL], 1, &cpu());
        let trained = |form| layer.clone().with_form(form).forward_train(x.clone(), 5);
        assert_rel_close(trained(Form::Fused), trained(Form::Portable), SAME_MAP, format!("order {order}"));
    }
    let whole = layer(&config(2, 32));
    let x = seeded_tensor([2, 21, D_MODEL], 1, &cpu());
    assert_eq!(to_f64(whole.forward_train(x.clone(), 5)), to_f64(whole.forward(x)));
}

#[test]
fn the_state_holds_what_every_filter_has_read_and_the_short_convolutions_past() {
    let of = |order| layer(&config(order, 32));
    assert_eq!(of(2).state_size(10), Some(10 * D_MODEL + 2 * 3 * D_MODEL));
    assert_eq!(of(3).state_size(10), Some(2 * 10 * D_MODEL + 2 * 4 * D_MODEL));
    assert_eq!(of(3).init_state(5).unwrap().floats(), 2 * 4 * D_MODEL);
}

#[test]
fn the_state_ends_with_the_filter_and_a_refused_token_leaves_it_alone() {
    let layer = layer(&config(3, 5));
    let too_long = MixerError::TooLong { mixer: "hyena", l_max: 5, seq: 6 };
    let x = seeded_tensor([1, 5, D_MODEL], 1, &cpu());
    let (_, mut state) = layer.forward_with_state(x.clone(), layer.init_state(1).unwrap()).unwrap();
    let full = state.floats();
    let token = x.narrow(1, 0, 1);
    assert_eq!(layer.step(token.clone().squeeze_dim(1), &mut state).unwrap_err(), too_long);
    assert_eq!(state.floats(), full);
    assert_eq!(layer.forward_with_state(token, state).unwrap_err(), too_long);
    assert_eq!((layer.check_length(5), layer.check_length(6)), (Ok(()), Err(too_long)));
}

#[test]
#[should_panic(expected = "hyena takes at most l_max = 5 tokens, got 6; build it with a larger l_max")]
fn a_whole_sequence_beyond_the_filter_is_refused_in_the_same_words() {
    layer(&config(2, 5)).forward(seeded_tensor([1, 6, D_MODEL], 1, &cpu()));
}

#[test]
#[should_panic(expected = "hyena has d_model = 6, got an input of width 5")]
fn an_input_of_another_width_is_refused() {
    layer(&config(2, 5)).forward(seeded_tensor([1, 4, 5], 1, &cpu()));
}

#[test]
fn parameters_are_as_many_as_its_parts_have() {
    for order in [2, 3, 4] {
        let HyenaConfig { filter_order: o, emb_dim: e, l_max, .. } = config(order, 50);
        let (h, width, channels) = (D_MODEL, (order + 1) * D_MODEL, (order - 1) * D_MODEL);
        let network = e * o + o + 2 * (o * o + o) + o * channels;
        let parts = [h * width + width, width * 3 + width, network, o + channels + l_max * e, h * h + h];
        assert_eq!(layer(&config(order, 50)).num_params(), parts.iter().sum::<usize>(), "order {order}");
    }
}

#[test]
fn groups_hold_the_network_and_the_positions_and_nothing_else() {
    let layer = layer(&config(2, 8).with_num_inner(1).with_filter_lr(2e-3).with_position_lr(0.0));
    let groups = layer.parameter_groups();
    let [filter, position] = groups.as_slice() else { panic!("two groups") };
    let network = ["input.weight", "input.bias", "inner.0.weight", "inner.0.bias", "output.weight"];
    let network = network.map(|name| format!("filter.network.{name}"));
    assert_eq!(paths_of(&layer, &filter.parameters), [&network[..], &["filter.frequency".into()]].concat());
    assert_eq!(filter.learning_rate, LearningRate::AtMost(2e-3));
    assert_eq!(filter.weight_decay, WeightDecay::Fixed(0.0));
    assert_eq!(paths_of(&layer, &position.parameters), ["filter.z"]);
    assert_eq!(position.learning_rate, LearningRate::AtMost(0.0));
}
