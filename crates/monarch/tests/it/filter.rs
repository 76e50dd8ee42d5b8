//! The implicit filter.

use burn::module::Module;
use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_monarch::{ImplicitFilter, ImplicitFilterConfig, reference};
use subquad_testkit::{
    assert_rel_close, cpu, every_gradient, finite_difference, gradients, seeded_tensor, to_f64, values,
    with_frozen, with_values,
};

use crate::FORMS;
use crate::seeded_module;

const D_MODEL: usize = 3;
const L_MAX: usize = 24;
/// f32 against f64 through three sine layers of frequency 10.
const VALUE: f64 = 1e-4;
/// An FFT of 48 points against a copy.
const FFT: f64 = 1e-5;
/// f32 rounding of one product.
const ROUNDING: f64 = 1e-6;
/// f32 against f32, both through three sine layers of frequency 10 and then back: gradients add over the tokens as well.
const GRAD: f64 = 1e-4;

fn config(bidirectional: bool) -> ImplicitFilterConfig {
    ImplicitFilterConfig::new(D_MODEL, L_MAX).with_order(8).with_bidirectional(bidirectional)
}

fn filter(bidirectional: bool) -> ImplicitFilter {
    seeded_module(|device| config(bidirectional).init(device))
}

#[test]
fn taps_are_those_of_the_definition() {
    let filter = filter(true);
    let (taps, reverse) = reference::implicit_filter(&config(true), &values(&filter));
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
        plain.clone().with_sine_factor(0.3),
        plain.clone().with_modulate(false),
        plain.clone().with_shift(-0.4),
        plain.clone().with_normalized(true),
        plain.with_num_inner(1).with_share_sine(false).with_shift(0.3).with_normalized(true),
    ];
    for config in options {
        // Frequencies start equal; only different ones show whether each layer reads its own.
        let filter = seeded_module(|device| config.init(device));
        let apart: Vec<f64> =
            values(&filter).into_iter().enumerate().map(|(i, p)| p + 0.01 * (i % 7) as f64).collect();
        let filter = with_values(filter, &apart);
        let (taps, reverse) = reference::implicit_filter(&config, &values(&filter));
        assert_rel_close(filter.kernel(L_MAX).transpose(), taps, VALUE, format!("back, {config}"));
        let ahead = filter.reverse_kernel(L_MAX).unwrap().transpose();
        assert_rel_close(ahead, reverse.unwrap(), VALUE, format!("ahead, {config}"));
    }
}

#[test]
fn shared_sines_are_one_vector_and_separate_ones_a_vector_for_each_layer_and_network() {
    let frequencies = |config: ImplicitFilterConfig| {
        let of = |share| config.clone().with_share_sine(share).init(&cpu()).num_params();
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
    let bare = with_values(bare, &values(&modulated));
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
    let device = cpu();
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
    // Sines are at most 1, so the network's output is at most the sum of its last layer's weights.
    let order = 8;
    let start = 5 * order + order + 2 * (order * order + order);
    let output = &values(&filter)[start..start + order * D_MODEL];
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
    let device = cpu();
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
    let all = values(filter);
    all[all.len() - D_MODEL..].iter().map(|b| *b as f32).collect()
}

#[test]
fn one_token_has_no_future() {
    let filter = filter(true);
    let x = seeded_tensor([2, D_MODEL, 1], 1, &cpu());
    let bias = Tensor::<1>::from_data(parameters_bias(&filter).as_slice(), &cpu()).reshape([1, D_MODEL, 1]);
    let expected = x.clone() * (filter.kernel(1).unsqueeze::<3>() + bias);
    for form in FORMS {
        assert_rel_close(filter.convolve(x.clone(), form), expected.clone(), FFT, format!("{form:?}"));
    }
}

/// Frequencies start equal; only different ones show whether each layer reads its own.
fn filter_of_all_frequencies(config: &ImplicitFilterConfig) -> ImplicitFilter {
    let filter = seeded_module(|device| config.init(device));
    let apart = |(i, p): (usize, f64)| p + 0.01 * (i % 7) as f64;
    let values: Vec<f64> = values(&filter).into_iter().enumerate().map(apart).collect();
    with_values(filter, &values)
}

/// The taps, and the gradients of a weighted sum of them by parameter path.
fn taps_and_gradients(
    filter: &ImplicitFilter,
    seq: usize,
    form: Form,
) -> (Vec<f64>, Vec<(String, Vec<f64>)>) {
    let lags = filter.lags(seq, form);
    let weights = seeded_tensor(lags.dims(), 2, &lags.device());
    let grads = (lags.clone() * weights).sum().backward();
    let grads = every_gradient(filter, &grads).into_iter().map(|found| (found.path, found.values));
    (to_f64(lags), grads.collect())
}

#[test]
fn gradients_of_the_taps_are_those_of_the_definition_in_both_forms() {
    let plain = config(true).with_order(3).with_emb_dim(3).with_sine_frequency(2.0);
    let own = plain.clone().with_share_sine(false);
    for config in [plain.clone(), plain.with_num_inner(0), own.clone(), own.with_num_inner(1)] {
        let filter = filter_of_all_frequencies(&config);
        let values = values(&filter);
        let weights = to_f64(seeded_tensor([2, D_MODEL, L_MAX], 2, &cpu()));
        let loss = |parameters: &[f64]| {
            let (taps, reverse) = reference::implicit_filter(&config, parameters);
            let sides = [taps, reverse.unwrap()];
            let at = |i: usize| sides[i / (D_MODEL * L_MAX)][i % L_MAX * D_MODEL + i / L_MAX % D_MODEL];
            weights.iter().enumerate().map(|(i, weight)| weight * at(i)).sum::<f64>()
        };
        let mut expected = finite_difference(loss, &values, 1e-5);
        // The reference's taps lack the bias, which is in lag 0.
        let bias = expected.len() - D_MODEL;
        expected[bias..]
            .copy_from_slice(&weights.iter().copied().step_by(L_MAX).take(D_MODEL).collect::<Vec<_>>());
        for form in FORMS {
            let (_, grads) = taps_and_gradients(&filter.clone().train(), L_MAX, form);
            let mut from = 0;
            for (path, grad) in grads {
                let expected = expected[from..from + grad.len()].to_vec();
                from += grad.len();
                assert_rel_close(grad, expected, GRAD, format!("{path}, {form:?}, {config}"));
            }
            assert_eq!(from, expected.len(), "a gradient for every number");
        }
    }
}

#[test]
fn the_fused_network_is_the_portable_one_at_any_sizes_in_values_and_gradients() {
    // Seq, order, emb_dim, d_model, inner layers: one token, around a block, several blocks and a rest, several parts.
    for [seq, order, emb_dim, d_model, inner] in [
        [1, 1, 3, 1, 0],
        [1, 64, 5, 128, 2],
        [64, 17, 3, 5, 2],
        [65, 1, 5, 5, 2],
        [130, 64, 5, 128, 0],
        [130, 17, 5, 130, 1],
        [300, 128, 5, 16, 2],
        [1025, 17, 5, 128, 2],
        [1025, 64, 3, 5, 2],
    ] {
        let plain = ImplicitFilterConfig::new(d_model, seq).with_order(order).with_emb_dim(emb_dim);
        let plain = plain.with_num_inner(inner).with_sine_frequency(3.0).with_bidirectional(true);
        for config in [plain.clone(), plain.with_share_sine(false)] {
            let filter = filter_of_all_frequencies(&config).train();
            let [portable, fused] = FORMS.map(|form| taps_and_gradients(&filter, seq, form));
            assert_rel_close(fused.0, portable.0, VALUE, format!("{config}"));
            for ((path, fused), (_, portable)) in fused.1.into_iter().zip(portable.1) {
                assert_rel_close(fused, portable, GRAD, format!("{path}, {config}"));
            }
        }
    }
}

#[test]
fn what_is_frozen_has_no_gradient_and_the_others_keep_their_bits() {
    let config = ImplicitFilterConfig::new(5, 130).with_order(17);
    let filter = filter_of_all_frequencies(&config).train();
    let (_, all) = taps_and_gradients(&filter, 130, Form::Fused);
    for start in ["z", "frequency", "network", "network.inner.0", "network.output"] {
        let filter = with_frozen(filter.clone(), |path| path.starts_with(start));
        let lags = filter.lags(130, Form::Fused);
        let weights = seeded_tensor(lags.dims(), 2, &lags.device());
        let grads = (lags * weights).sum().backward();
        let learned: Vec<_> = all.iter().filter(|(path, _)| !path.starts_with(start)).cloned().collect();
        assert!(learned.len() < all.len(), "{start}");
        let got = gradients(&filter, &grads).into_iter().map(|found| (found.path, found.values));
        assert!(got.collect::<Vec<_>>() == learned, "{start} frozen");
    }
}
