//! The implicit filter.

use burn::tensor::{Device, Tensor};
use subquad_monarch::{ImplicitFilter, ImplicitFilterConfig, reference};
use subquad_testkit::{assert_rel_close, seeded_tensor, to_f64};

use crate::FORMS;
use crate::module::{parameters, seeded_module};

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
