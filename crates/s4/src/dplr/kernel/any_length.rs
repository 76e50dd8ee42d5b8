//! The inverse real transform at any length, on any device. burn's own takes only powers of two.

use std::f64::consts::PI;

use burn::tensor::signal::irfft;
use burn::tensor::{Device, Tensor, TensorData};
use subquad_backend::Form;
use subquad_backend::fft_conv::two_sided_conv;

use super::roots::Roots;
use crate::complex::Pair;

/// `x_t = sum over all j of X_j e^(2 pi i j t / n) / n`, from the first `n / 2 + 1` numbers of the spectrum of a real
/// signal.
///
/// # Shapes
/// - `spectrum`: `[rows, n / 2 + 1]`
/// - output: `[rows, n]`
pub(super) fn inverse_real(spectrum: Pair<2>, n: usize) -> Tensor<2> {
    match n {
        1 => spectrum.re,
        n if n.is_power_of_two() => irfft(spectrum.re, spectrum.im, 1, Some(n)),
        n => by_chirp(spectrum, n),
    }
}

/// Bluestein 1970: `2 j t = j^2 + t^2 - (t - j)^2` makes the transform a convolution with `e^(-i pi k^2 / n)`.
fn by_chirp(spectrum: Pair<2>, n: usize) -> Tensor<2> {
    let [rows, frequencies] = spectrum.re.dims();
    let device = spectrum.re.device();
    let count = Tensor::<1>::from_floats(&Roots::new(n).count[..], &device).unsqueeze_dim(0);
    let chirp = chirp(n, &device);
    let first = chirp.clone().map(|part| part.narrow(1, 0, frequencies));
    let weighted = spectrum * first.map(|part| part * count.clone());
    let padding = Tensor::zeros([rows, n - frequencies], &device);
    let Pair { re, im } = weighted.map(|part| Tensor::cat(vec![part, padding.clone()], 1));
    // The chirp of lag k is that of lag -k. Its two parts are two channels.
    let taps = Tensor::cat(vec![chirp.re.clone(), chirp.im.clone().neg()], 0);
    let future = Tensor::cat(vec![taps.clone().narrow(1, 1, n - 1), Tensor::zeros([2, 1], &device)], 1);
    let both = Tensor::cat(vec![re, im], 0).unsqueeze_dim::<3>(1).repeat_dim(1, 2);
    let y = two_sided_conv(both, taps, future, Form::Portable);
    let part =
        |of: usize, by: usize| y.clone().narrow(0, of * rows, rows).narrow(1, by, 1).reshape([rows, n]);
    let y = Pair { re: part(0, 0) - part(1, 1), im: part(0, 1) + part(1, 0) };
    (y * chirp).re / n as f64
}

/// `e^(i pi k^2 / n)` for `k < n`: `[1, n]`. The square is reduced in whole numbers first.
fn chirp(n: usize, device: &Device) -> Pair<2> {
    let angle = |k: usize| PI * (k as u128 * k as u128 % (2 * n as u128)) as f64 / n as f64;
    let table = |f: fn(f64) -> f64| {
        let values: Vec<f32> = (0..n).map(|k| f(angle(k)) as f32).collect();
        Tensor::from_data(TensorData::new(values, [1, n]), device)
    };
    Pair { re: table(f64::cos), im: table(f64::sin) }
}

#[cfg(test)]
mod tests {
    use subquad_testkit::cpu;

    use super::*;

    /// f32 convolutions of up to a thousand points.
    const TOL: f64 = 2e-6;

    #[test]
    fn the_inverse_is_the_sum_at_any_length() {
        for n in [1, 2, 3, 5, 8, 17, 100, 1000] {
            let frequencies = n / 2 + 1;
            let value = |j: usize, shift: f64| (j as f64 * 0.7 + shift).sin();
            let part = |shift: f64| {
                let values: Vec<f32> = (0..frequencies).map(|j| value(j, shift) as f32).collect();
                Tensor::<2>::from_data(TensorData::new(values, [1, frequencies]), &cpu())
            };
            let got = inverse_real(Pair { re: part(0.1), im: part(2.0) }, n).into_data();
            let count = Roots::new(n).count;
            for (t, got) in got.iter::<f64>().enumerate() {
                let term = |j: usize| {
                    let angle = 2.0 * PI * (j * t % n) as f64 / n as f64;
                    f64::from(count[j]) * (value(j, 0.1) * angle.cos() - value(j, 2.0) * angle.sin())
                };
                let wanted = (0..frequencies).map(term).sum::<f64>() / n as f64;
                assert!((got - wanted).abs() < TOL, "n = {n}, t = {t}: {got} for {wanted}");
            }
        }
    }
}
