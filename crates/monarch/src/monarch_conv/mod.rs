//! Long convolution along the sequence entirely by products with Monarch matrices, at any length: the DFT and its
//! inverse are two or three factors each. It uses only burn operations, so it runs on every device, as matrix products.
//!
//! ```text
//! causal      y_t = sum over s <= t of k_{t-s} u_s
//! two-sided   y_t = the same + sum over s > t of r_{s-t-1} u_s
//! ```
//! The same maps as [`subquad_backend::fft_conv`]: `r_0` acts on the *next* token. O(seq^1.5) multiplications with two
//! factors, against O(seq log seq) for an FFT, but all of them in matrix products: Fu et al. 2023, *FlashFFTConv*,
//! <https://arxiv.org/abs/2311.05908>.

mod axes;
mod tables;
mod transform;

use burn::tensor::Tensor;
use subquad_backend::Form;
use subquad_mixer::Flops;

use crate::matrix::pad;
use transform::Transform;

/// Causal convolution of every channel with its own kernel.
///
/// # Shapes
/// - `u`: `[batch, channels, seq]`
/// - `kernel`: `[channels, kernel_len]`, any `kernel_len >= 1`; taps beyond `seq` are not used
/// - output: `[batch, channels, seq]`
///
/// So far, both forms are burn operations.
///
/// # Panics
/// If the channels differ or a length is 0.
pub fn causal_conv(u: Tensor<3>, kernel: Tensor<2>, form: Form) -> Tensor<3> {
    let axes = axes::axes(u.dims()[2]);
    match form {
        Form::Portable | Form::Fused => conv(u, kernel, None, &axes),
    }
}

/// Convolution of every channel with a kernel for the past and one for the future.
///
/// # Shapes
/// - `u`: `[batch, channels, seq]`
/// - `kernel`: `[channels, kernel_len]`: lags `0, 1, ..`
/// - `reverse`: `[channels, reverse_len]`: lags `-1, -2, ..`
/// - output: `[batch, channels, seq]`
///
/// # Panics
/// As for [`causal_conv`].
pub fn two_sided_conv(u: Tensor<3>, kernel: Tensor<2>, reverse: Tensor<2>, form: Form) -> Tensor<3> {
    let axes = axes::axes(u.dims()[2]);
    match form {
        Form::Portable | Form::Fused => conv(u, kernel, Some(reverse), &axes),
    }
}

/// Operations of forward and backward of a convolution of this many channels, of whose products the first factor of a transform reads real
/// numbers and the others complex ones. The taps that look ahead are transformed on their own.
pub fn training_flops(channels: usize, seq_len: usize, two_sided: bool) -> Flops {
    let axes = axes::axes(seq_len);
    let points = axes.iter().product::<usize>() as f64;
    let transform = points * (4 * axes[0] + 8 * axes[1..].iter().sum::<usize>()) as f64;
    let kernels = channels * if two_sided && seq_len > 1 { 2 } else { 1 };
    Flops::convolution(channels, kernels, points, transform)
}

/// The convolution by transforms with these axes, whose product is at least the length of the sequence.
#[doc(hidden)]
pub fn conv(u: Tensor<3>, kernel: Tensor<2>, reverse: Option<Tensor<2>>, axes: &[usize]) -> Tensor<3> {
    std::iter::once(&kernel).chain(&reverse).for_each(|taps| check(&u, taps));
    let ([batch, channels, seq], transform) = (u.dims(), Transform::new(axes, &u.device()));
    let n = transform.points();
    // The product is scaled once, where it is smallest.
    let kernel = kernel_points(kernel, reverse, seq, n) / n as f32;
    let kernel = kernel_spectrum(&transform, kernel, channels);
    let u = transform.spectrum(pad(u.reshape([batch * channels, seq]), n));
    let y = multiply(u, kernel, batch);
    transform.invert(y).narrow(1, 0, seq).reshape([batch, channels, seq])
}

fn check(u: &Tensor<3>, kernel: &Tensor<2>) {
    let ([_, channels, seq], [kernel_channels, len]) = (u.dims(), kernel.dims());
    assert_eq!(channels, kernel_channels, "a convolution needs one kernel per channel");
    assert!(seq > 0 && len > 0, "a convolution needs at least one token and one tap");
}

/// Rows of the taps at lags 0, 1, .. and, below them, of those at lags -1, -2, ..: lag `-j` is the point `n - j` times `-i`.
fn kernel_points(kernel: Tensor<2>, reverse: Option<Tensor<2>>, seq: usize, n: usize) -> Tensor<2> {
    let [_, len] = kernel.dims();
    let kernel = pad(kernel.narrow(1, 0, len.min(seq)), n);
    let used = reverse.as_ref().map_or(0, |reverse| reverse.dims()[1].min(seq - 1));
    match reverse {
        Some(reverse) if used > 0 => {
            let ahead = pad(reverse.narrow(1, 0, used), n).flip([1]);
            Tensor::cat(vec![kernel, ahead], 0)
        }
        Some(_) | None => kernel,
    }
}

/// `[channels * n / n_p, 2, n_p]`
fn kernel_spectrum(transform: &Transform, points: Tensor<2>, channels: usize) -> Tensor<3> {
    let two_sided = points.dims()[0] > channels;
    let spectra = transform.spectrum(points);
    if !two_sided {
        return spectra;
    }
    let lines = spectra.dims()[0] / 2;
    let (behind, ahead) = (spectra.clone().narrow(0, 0, lines), spectra.narrow(0, lines, lines));
    // -i (re + i im) = im - i re
    behind + Tensor::cat(vec![ahead.clone().narrow(1, 1, 1), -ahead.narrow(1, 0, 1)], 1)
}

/// Complex products of `[batch * lines, 2, n_p]` with `[lines, 2, n_p]`.
fn multiply(u: Tensor<3>, kernel: Tensor<3>, batch: usize) -> Tensor<3> {
    let [lines, _, n_p] = kernel.dims();
    let part = |x: &Tensor<4>, i: usize| x.clone().narrow(2, i, 1);
    let (u, k) = (u.reshape([batch, lines, 2, n_p]), kernel.unsqueeze::<4>());
    let re = part(&u, 0) * part(&k, 0) - part(&u, 1) * part(&k, 1);
    let im = part(&u, 0) * part(&k, 1) + part(&u, 1) * part(&k, 0);
    Tensor::cat(vec![re, im], 2).reshape([batch * lines, 2, n_p])
}
