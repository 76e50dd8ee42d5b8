//! Convolution by FFT against the direct sum.

use subquad_backend::Form;
use subquad_backend::fft_conv::{causal_conv, reference, two_sided_conv};
use subquad_testkit::{AWKWARD_LENGTHS, assert_rel_close};

use crate::{GRAD_TOL, Leaf, VALUE_TOL, output_weights, run};

const BATCH: usize = 2;
const CHANNELS: usize = 3;

/// Rows of `[batch, channels, seq]` with the kernels of their channels, mapped by the reference.
fn by_row(u: &Leaf, kernels: &[&Leaf], seq: usize, f: impl Fn(&[f64], &[&[f64]]) -> Vec<f64>) -> Vec<f64> {
    let (u, kernels) = (u.values(), kernels.iter().map(|k| k.values()).collect::<Vec<_>>());
    let row = |(i, row): (usize, &[f64])| {
        let channel = i % CHANNELS;
        let taps: Vec<&[f64]> =
            kernels.iter().map(|k| &k[channel * k.len() / CHANNELS..][..k.len() / CHANNELS]).collect();
        f(row, &taps)
    };
    u.chunks(seq).enumerate().flat_map(row).collect()
}

/// Gradient of the kernel of `taps` lags from `first` on: `sum over the batch and t of g_t u_{t - lag}`.
fn tap_grads(u: &Leaf, seq: usize, taps: usize, lag: impl Fn(usize) -> isize) -> Vec<f64> {
    let (u, g) = (u.values(), output_weights([BATCH, CHANNELS, seq]));
    let one = |channel: usize, lag: isize| -> f64 {
        let rows = (0..BATCH).map(|b| (b * CHANNELS + channel) * seq);
        rows.flat_map(|at| {
            let (u, g) = (&u[at..at + seq], &g[at..at + seq]);
            (0..seq).map(move |t| {
                let source = usize::try_from(t as isize - lag).ok().and_then(|s| u.get(s));
                g[t] * source.copied().unwrap_or(0.0)
            })
        })
        .sum()
    };
    (0..CHANNELS).flat_map(|c| (0..taps).map(|j| one(c, lag(j))).collect::<Vec<_>>()).collect()
}

fn reversed(values: &[f64]) -> Vec<f64> {
    values.iter().rev().copied().collect()
}

#[test]
fn causal_convolution_equals_the_direct_sum_in_values_and_gradients() {
    for seq in AWKWARD_LENGTHS {
        for taps in [1, seq, seq + 3] {
            let leaves = vec![Leaf::new([BATCH, CHANNELS, seq], 1), Leaf::new([CHANNELS, taps], 2)];
            let expected = by_row(&leaves[0], &[&leaves[1]], seq, |u, k| reference::causal_conv(u, k[0]));
            let g = Leaf::new([BATCH, CHANNELS, seq], 99);
            let du =
                by_row(&g, &[&leaves[1]], seq, |g, k| reversed(&reference::causal_conv(&reversed(g), k[0])));
            let dk = tap_grads(&leaves[0], seq, taps, |j| j as isize);
            for form in [Form::Portable, Form::Fused] {
                let what = format!("{form:?}, seq = {seq}, taps = {taps}");
                let (y, grads) = run(leaves.clone(), |x| causal_conv(x[0].three(), x[1].two(), form));
                assert_rel_close(y, &expected[..], VALUE_TOL, &what);
                assert_rel_close(&grads[0][..], &du[..], GRAD_TOL, format!("du, {what}"));
                assert_rel_close(&grads[1][..], &dk[..], GRAD_TOL, format!("dk, {what}"));
            }
        }
    }
}

#[test]
fn two_sided_convolution_equals_the_direct_sum_in_values_and_gradients() {
    for seq in AWKWARD_LENGTHS {
        for taps in [1, seq, seq + 3] {
            let leaves = vec![
                Leaf::new([BATCH, CHANNELS, seq], 1),
                Leaf::new([CHANNELS, taps], 2),
                Leaf::new([CHANNELS, taps], 3),
            ];
            let kernels = [&leaves[1], &leaves[2]];
            let expected = by_row(&leaves[0], &kernels, seq, |u, k| reference::two_sided_conv(u, k[0], k[1]));
            let dk = tap_grads(&leaves[0], seq, taps, |j| j as isize);
            let dr = tap_grads(&leaves[0], seq, taps, |j| -(j as isize) - 1);
            for form in [Form::Portable, Form::Fused] {
                let what = format!("{form:?}, seq = {seq}, taps = {taps}");
                let conv = |x: &[Leaf]| two_sided_conv(x[0].three(), x[1].two(), x[2].two(), form);
                let (y, grads) = run(leaves.clone(), conv);
                assert_rel_close(y, &expected[..], VALUE_TOL, &what);
                assert_rel_close(&grads[1][..], &dk[..], GRAD_TOL, format!("dk, {what}"));
                assert_rel_close(&grads[2][..], &dr[..], GRAD_TOL, format!("dr, {what}"));
            }
        }
    }
}

#[test]
fn the_input_gradient_is_the_convolution_with_time_reversed() {
    let seq = 65;
    let leaves = vec![
        Leaf::new([BATCH, CHANNELS, seq], 1),
        Leaf::new([CHANNELS, seq], 2),
        Leaf::new([CHANNELS, seq], 3),
    ];
    // y = M u with M_ts = k_{t-s} or r_{s-t-1}; M transposed has lag 0 and the past from r shifted, the future from k.
    let g = Leaf::new([BATCH, CHANNELS, seq], 99);
    let expected = by_row(&g, &[&leaves[1], &leaves[2]], seq, |g, k| {
        let past: Vec<f64> = std::iter::once(k[0][0]).chain(k[1].iter().copied()).collect();
        reference::two_sided_conv(g, &past, &k[0][1..])
    });
    for form in [Form::Portable, Form::Fused] {
        let conv = |x: &[Leaf]| two_sided_conv(x[0].three(), x[1].two(), x[2].two(), form);
        let (_, grads) = run(leaves.clone(), conv);
        assert_rel_close(&grads[0][..], &expected[..], GRAD_TOL, format!("{form:?}"));
    }
}

#[test]
fn an_impulse_shows_where_the_reverse_kernel_acts() {
    let impulse = [0.0, 0.0, 1.0, 0.0];
    let y = reference::two_sided_conv(&impulse, &[10.0, 20.0], &[1.0, 2.0]);
    // k_0 on the token itself, k_1 on the next output; r_0 on the output before, r_1 on the one before that.
    assert_eq!(y, [2.0, 1.0, 10.0, 20.0]);
}

#[test]
fn equal_runs_give_equal_bits() {
    let leaves = vec![Leaf::new([4, CHANNELS, 1000], 1), Leaf::new([CHANNELS, 1000], 2)];
    let once = || run(leaves.clone(), |x| causal_conv(x[0].three(), x[1].two(), Form::Fused));
    assert_eq!(once(), once());
}
