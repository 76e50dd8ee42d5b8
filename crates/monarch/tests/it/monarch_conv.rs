//! Convolution by Monarch products against the definition and the FFT.

use burn::tensor::{Device, Tensor};
use subquad_backend::fft_conv::{self, reference};
use subquad_monarch::monarch_conv;
use subquad_testkit::{assert_rel_close, cpu, seeded, seeded_tensor, to_f64};

use crate::FORMS;

const BATCH: usize = 2;
const CHANNELS: usize = 3;
const LENGTHS: [usize; 9] = [1, 2, 3, 63, 64, 65, 784, 1000, 1021];
/// f32 sums of a thousand terms, there and back.
const VALUE: f64 = 1e-5;
/// Two implementations of one map, each accurate to about 1e-6.
const GRADIENT: f64 = 1e-5;

/// `u`, the taps that look back and those that look ahead.
fn inputs(seq: usize, taps: usize, device: &Device) -> (Tensor<3>, Tensor<2>, Tensor<2>) {
    let (u, k) =
        (seeded_tensor([BATCH, CHANNELS, seq], 1, device), seeded_tensor([CHANNELS, taps], 2, device));
    (u, k, seeded_tensor([CHANNELS, taps], 3, device))
}

fn definition(seq: usize, taps: usize, two_sided: bool) -> Vec<f64> {
    let (u, k, r) =
        (seeded(BATCH * CHANNELS * seq, 1), seeded(CHANNELS * taps, 2), seeded(CHANNELS * taps, 3));
    let row = |(i, u): (usize, &[f64])| {
        let of = |kernel: &[f64]| kernel[i % CHANNELS * taps..][..taps].to_vec();
        reference::two_sided_conv(u, &of(&k), &if two_sided { of(&r) } else { vec![] })
    };
    u.chunks(seq).enumerate().flat_map(row).collect()
}

#[test]
fn a_convolution_by_monarch_products_is_the_direct_sum() {
    for seq in LENGTHS {
        for taps in [1, seq, seq + 3] {
            for form in FORMS {
                let (u, k, r) = inputs(seq, taps, &cpu());
                let what = format!("{form:?}, seq = {seq}, taps = {taps}");
                let causal = monarch_conv::causal_conv(u.clone(), k.clone(), form);
                assert_rel_close(causal, definition(seq, taps, false), VALUE, format!("causal, {what}"));
                let two_sided = monarch_conv::two_sided_conv(u, k, r, form);
                assert_rel_close(two_sided, definition(seq, taps, true), VALUE, format!("two-sided, {what}"));
            }
        }
    }
}

#[test]
fn values_and_gradients_are_those_of_the_fft() {
    for seq in LENGTHS {
        for two_sided in [false, true] {
            for form in FORMS {
                let by_monarch = gradients(seq, |u, k, r| match two_sided {
                    true => monarch_conv::two_sided_conv(u, k, r, form),
                    false => monarch_conv::causal_conv(u, k, form),
                });
                let by_fft = gradients(seq, |u, k, r| match two_sided {
                    true => fft_conv::two_sided_conv(u, k, r, form),
                    false => fft_conv::causal_conv(u, k, form),
                });
                let names = ["y", "du", "dk", "dr"];
                for ((ours, theirs), name) in by_monarch.into_iter().zip(by_fft).zip(names) {
                    let what = format!("{name}, {form:?}, seq = {seq}, two-sided: {two_sided}");
                    assert_rel_close(ours, theirs, GRADIENT, what);
                }
            }
        }
    }
}

/// Output and gradients of `sum(output * g)` for a random `g`.
fn gradients(seq: usize, conv: impl Fn(Tensor<3>, Tensor<2>, Tensor<2>) -> Tensor<3>) -> [Vec<f64>; 4] {
    let device = cpu().autodiff();
    let (u, k, r) = inputs(seq, seq, &device);
    let (u, k, r) = (u.require_grad(), k.require_grad(), r.require_grad());
    let y = conv(u.clone(), k.clone(), r.clone());
    let grads = (y.clone() * seeded_tensor(y.dims(), 9, &device)).sum().backward();
    let of = |x: &Tensor<2>| x.grad(&grads).map_or(vec![0.0; CHANNELS * seq], to_f64);
    [to_f64(y), to_f64(u.grad(&grads).unwrap()), of(&k), of(&r)]
}

#[test]
fn any_axes_that_hold_the_sequence_give_the_same() {
    let seq = 60;
    let (u, k, r) = inputs(seq, seq, &cpu());
    for axes in [&[8, 8][..], &[60, 1], &[1, 60], &[7, 9], &[4, 3, 5], &[5, 1, 13], &[3, 2, 5, 2]] {
        let y = monarch_conv::conv(u.clone(), k.clone(), Some(r.clone()), axes);
        assert_rel_close(y, definition(seq, seq, true), VALUE, format!("{axes:?}"));
    }
}

#[test]
fn nothing_later_reaches_an_earlier_output() {
    let seq = 100;
    let device = cpu();
    let (u, k, _) = inputs(seq, seq, &device);
    let (before, huge) = (u.clone().narrow(2, 0, 50), Tensor::ones([BATCH, CHANNELS, 50], &device) * 100.0);
    let of = |u: Tensor<3>| monarch_conv::causal_conv(u, k.clone(), FORMS[0]);
    let changed = of(Tensor::cat(vec![before, huge], 2));
    let largest = to_f64(changed.clone().abs().max())[0];
    let leak = to_f64((changed - of(u)).narrow(2, 0, 50).abs().max())[0];
    assert!(leak <= VALUE * largest, "{leak} of {largest}");
}

#[test]
#[should_panic(expected = "a convolution needs one kernel per channel")]
fn other_channels_are_refused() {
    let (u, k, _) = inputs(4, 4, &cpu());
    monarch_conv::causal_conv(u, k.narrow(0, 0, 2), FORMS[0]);
}
