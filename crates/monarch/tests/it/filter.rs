//! The implicit filter.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use subquad_monarch::{ImplicitFilter, ImplicitFilterConfig, reference};
use subquad_testkit::{assert_rel_close, seeded_tensor, to_f64};

use crate::FORMS;
use crate::module::{parameters, seeded_module, with_parameters};

const D_MODEL: usize = 3;
const L_MAX: usize = 24;
/// f32 against f64 through three sine layers of frequency 10.
const VALUE: f64 = 1e-4;
/// An FFT of 48 points against a copy.
const FFT: f64 = 1e-5;
/// f32 rounding of one product.
const ROUNDING: f64 = 1e-6;

fn config(bidirectional: bool) -> ImplicitFilterConfig {
    ImplicitFilterConfig::new(D_MODEL, L_MAX).with_order(8).with_bidirectional(bidirectional)
}

fn filter(bidirectional: bool) -> ImplicitFilter {
    seeded_module(|device| config(bidirectional).init(device))
}

#[test]
fn taps_are_those_of_the_definition() {
    let filter = filter(true);
    let (taps, reverse) = reference::implicit_filter(&config(true), &parameters(&filter));
    assert_rel_close(filter.kernel(L_MAX).transpose(), taps, VALUE, "taps that look back");
    let ahead = filter.reverse_kernel(L_MAX).unwrap().transpose();
    assert_rel_close(ahead, reverse.unwrap(), VALUE, "taps that look ahead");
}

#[test]
fn taps_are_those_of_the_definition_with_every_option() {
    let plain = config(true);
    let options = [
        plain.clone().with_num_inner(0),
        // Every sine layer multiplies rounding errors by its frequency.
        plain.clone().with_num_inner(4).with_sine_frequency(3.0),
        plain.clone().with_share_sine(false),
        plain.clone().with_modulate(false),
        plain.clone().with_shift(-0.4),
        plain.clone().with_normalized(true),
        plain.with_num_inner(1).with_share_sine(false).with_shift(0.3).with_normalized(true),
    ];
    for config in options {
        // Frequencies start equal; only others show whether each layer reads its own.
        let filter = seeded_module(|device| config.init(device));
        let apart: Vec<f64> =
            parameters(&filter).into_iter().enumerate().map(|(i, p)| p + 0.01 * (i % 7) as f64).collect();
        let filter = with_parameters(filter, &apart);
        let (taps, reverse) = reference::implicit_filter(&config, &parameters(&filter));
        assert_rel_close(filter.kernel(L_MAX).transpose(), taps, VALUE, format!("back, {config}"));
        let ahead = filter.reverse_kernel(L_MAX).unwrap().transpose();
        assert_rel_close(ahead, reverse.unwrap(), VALUE, format!("ahead, {config}"));
    }
}

#[test]
fn shared_sines_are_one_vector_and_separate_ones_a_vector_for_each_layer_and_network() {
    let frequencies = |config: ImplicitFilterConfig| {
        let of = |share| config.clone().with_share_sine(share).init(&Device::flex()).num_params();
        of(false) - of(true)
    };
    assert_eq!(frequencies(config(true)), (2 * 3 - 1) * 8);
    assert_eq!(frequencies(config(false).with_num_inner(1)), 8);
}

#[test]
fn normalized_taps_of_one_lag_have_absolute_values_that_add_up_to_one() {
    let filter = seeded_module(|device| config(false).with_normalized(true).init(device));
    let sums = to_f64(filter.kernel(L_MAX).abs().sum_dim(0));
    assert!(sums.iter().all(|sum| (sum - 1.0).abs() < ROUNDING), "{sums:?}");
}

#[test]
fn without_modulation_taps_are_the_networks_bare_answer() {
    let modulated = filter(false);
    let bare = seeded_module(|device| config(false).with_modulate(false).init(device));
    let bare = with_parameters(bare, &parameters(&modulated));
    let decay = to_f64(modulated.kernel(L_MAX) / bare.kernel(L_MAX));
    for (i, decay) in decay.into_iter().enumerate().filter(|(i, _)| i % L_MAX == L_MAX - 1) {
        // The slowest channel is down to 1 % after 1.5 filters, the fastest after 0.3.
        let rate = 100f64.ln() * [1.0 / 1.5, (1.0 / 1.5 + 1.0 / 0.3) / 2.0, 1.0 / 0.3][i / L_MAX];
        assert!((decay / (-rate).exp() - 1.0).abs() < 1e-4, "channel {}: {decay}", i / L_MAX);
    }
}

#[test]
fn without_an_offset_the_present_token_hears_the_first_reverse_tap() {
    let offset = seeded_module(|device| config(true).with_rev_offset(0).init(device));
    let (seq, at) = (11, 4);
    let device = Device::flex();
    let impulse =
        Tensor::<3>::zeros([1, D_MODEL, seq], &device).slice_fill([0..1, 0..D_MODEL, at..at + 1], 1.0);
    let bias = Tensor::<1>::from_data(parameters_bias(&offset).as_slice(), &device).reshape([D_MODEL, 1]);
    let (kernel, reverse) = (offset.kernel(seq - at), offset.reverse_kernel(at + 1).unwrap());
    let present = kernel.clone().narrow(1, 0, 1) + bias + reverse.clone().narrow(1, 0, 1);
    let behind = reverse.narrow(1, 1, at).flip([1]);
    let expected = Tensor::cat(vec![behind, present, kernel.narrow(1, 1, seq - at - 1)], 1);
    for form in FORMS {
        assert_rel_close(offset.convolve(impulse.clone(), form), expected.clone(), FFT, format!("{form:?}"));
    }
}

#[test]
fn a_shorter_filter_is_the_beginning_of_the_whole_one() {
    let filter = filter(false);
    let whole = filter.kernel(L_MAX);
    assert_eq!((filter.l_max(), whole.dims()), (L_MAX, [D_MODEL, L_MAX]));
    for seq in [1, 2, 7, L_MAX] {
        assert_rel_close(
            filter.kernel(seq),
            whole.clone().narrow(1, 0, seq),
            ROUNDING,
            format!("seq = {seq}"),
        );
    }
}

#[test]
#[should_panic(expected = "the filter has 24 taps, got 25 tokens")]
fn a_filter_does_not_stretch() {
    filter(false).kernel(L_MAX + 1);
}

#[test]
fn taps_decay_at_least_as_fast_as_their_channel() {
    let filter = filter(false);
    // Sines are at most 1, so the network's answer is at most the sum of its last layer's weights.
    let order = 8;
    let start = 5 * order + order + 2 * (order * order + order);
    let output = &parameters(&filter)[start..start + order * D_MODEL];
    let bound = |h: usize| output.iter().skip(h).step_by(D_MODEL).map(|w| w.abs()).sum::<f64>();
    let rates = [100f64.ln() / 1.5, 100f64.ln() * (1.0 / 1.5 + 1.0 / 0.3) / 2.0, 100f64.ln() / 0.3];
    for (i, tap) in to_f64(filter.kernel(L_MAX)).into_iter().enumerate() {
        let (h, l) = (i / L_MAX, i % L_MAX);
        let t = l as f64 / (L_MAX - 1) as f64;
        let limit = bound(h) * (-t * rates[h]).exp() * (1.0 + ROUNDING);
        assert!(tap.abs() <= limit, "channel {h}, lag {l}: {tap} > {limit}");
    }
}

#[test]
fn an_impulse_comes_back_as_the_taps_and_the_next_token_hears_the_first_reverse_tap() {
    let filter = filter(true);
    let (seq, at) = (11, 4);
    let device = Device::flex();
    let impulse = Tensor::<3>::zeros([1, D_MODEL, seq], &device)
        .slice_assign([0..1, 0..D_MODEL, at..at + 1], Tensor::ones([1, D_MODEL, 1], &device));
    let bias = Tensor::<1>::from_data(parameters_bias(&filter).as_slice(), &device).reshape([D_MODEL, 1]);
    let kernel = filter.kernel(seq - at);
    let present = kernel.clone().narrow(1, 0, 1) + bias;
    let behind = filter.reverse_kernel(at).unwrap().flip([1]);
    let expected = Tensor::cat(vec![behind, present, kernel.narrow(1, 1, seq - at - 1)], 1);
    for form in FORMS {
        assert_rel_close(filter.convolve(impulse.clone(), form), expected.clone(), FFT, format!("{form:?}"));
    }
}

/// The last parameter of a filter.
fn parameters_bias(filter: &ImplicitFilter) -> Vec<f32> {
    let all = parameters(filter);
    all[all.len() - D_MODEL..].iter().map(|b| *b as f32).collect()
}

#[test]
fn one_token_has_no_future() {
    let filter = filter(true);
    let x = seeded_tensor([2, D_MODEL, 1], 1, &Device::flex());
    let bias =
        Tensor::<1>::from_data(parameters_bias(&filter).as_slice(), &Device::flex()).reshape([1, D_MODEL, 1]);
    let expected = x.clone() * (filter.kernel(1).unsqueeze::<3>() + bias);
    for form in FORMS {
        assert_rel_close(filter.convolve(x.clone(), form), expected.clone(), FFT, format!("{form:?}"));
    }
}
