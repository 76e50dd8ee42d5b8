//! The kernel in burn operations.

use burn::tensor::{Int, Tensor, TensorData};

use super::Factors;
use super::any_length::inverse_real;
use super::exact::{Exact, Frequencies};
use super::roots::Roots;
use crate::complex::Pair;

pub(super) fn kernel(factors: Factors, exact: Exact, l_max: usize) -> Tensor<3> {
    let (kernels, d_model, device) = (factors.kernels, factors.a.re.dims()[0], factors.a.re.device());
    let Exact { frequencies, spectra } = exact;
    let exact = spectra.map(|spectra| Pair::parted(spectra.to_device(&device)));
    let spectrum = match exact {
        Some(exact) if frequencies.all() => exact,
        Some(exact) => put(exact, &frequencies, spectrum(factors, &Roots::new(l_max))),
        None => spectrum(factors, &Roots::new(l_max)),
    };
    let frequencies = spectrum.re.dims()[2];
    let rows = spectrum.map(|part| part.reshape([kernels * d_model, frequencies]));
    inverse_real(rows, l_max).reshape([kernels, d_model, l_max])
}

/// Puts the exact values in the places of their frequencies: both lists are joined, and then the right entries
/// selected.
fn put(exact: Pair<3>, frequencies: &Frequencies, spectrum: Pair<3>) -> Pair<3> {
    let [kernels, d_model, count] = spectrum.re.dims();
    let place = |h: usize| {
        let mut place: Vec<i32> = (0..count as i32).collect();
        frequencies.channel(h).iter().enumerate().for_each(|(i, j)| place[*j] = (count + i) as i32);
        place
    };
    let places: Vec<i32> = (0..d_model).flat_map(place).collect();
    let places = TensorData::new(places, [1, d_model, count]);
    let places = Tensor::<3, Int>::from_data(places, &exact.re.device()).repeat_dim(0, kernels);
    let both = |f32: Tensor<3>, f64: Tensor<3>| Tensor::cat(vec![f32, f64], 2).gather(2, places.clone());
    Pair { re: both(spectrum.re, exact.re), im: both(spectrum.im, exact.im) }
}

/// `[kernels, d_model, frequencies]`
fn spectrum(factors: Factors, roots: &Roots) -> Pair<3> {
    let (kernels, device) = (factors.kernels, factors.a.re.device());
    let rank = factors.right.re.dims()[0] - 1;
    let row =
        |values: &[f32]| Tensor::<2>::from_data(TensorData::new(values.to_vec(), [1, values.len()]), &device);
    let (sin, cos) = (row(&roots.sin), row(&roots.cos));
    let mut h = resolvent_sums(factors, &sin, &cos);
    for r in 0..rank {
        eliminate(&mut h, kernels + r, 1 + r, &cos);
    }
    let turn = Pair { re: cos, im: sin };
    let rows: Vec<Pair<2>> =
        h.into_iter().take(kernels).map(|mut h| h.swap_remove(0) * turn.clone()).collect();
    let stack = |part: fn(&Pair<2>) -> Tensor<2>| Tensor::stack(rows.iter().map(part).collect(), 0);
    Pair { re: stack(|row| row.re.clone()), im: stack(|row| row.im.clone()) }
}

/// One rank of `(1 + c h(q, p))^-1`, that of `q` in row `at` and of `p` in `column`: a step of Gaussian elimination,
/// which leaves in every other row what the low-rank part subtracts. It needs no pivots, because the Hermitian part
/// of the inverted matrix is at least that of the identity.
fn eliminate(h: &mut [Vec<Pair<2>>], at: usize, column: usize, cos: &Tensor<2>) {
    let weigh = |h: &Pair<2>| h.clone().map(|part| part * cos.clone());
    let Pair { re, im } = weigh(&h[at][column]);
    let pivot = Pair { re: re + 1.0, im }.inverse();
    let taken: Vec<Pair<2>> = h[at].iter().map(|h| weigh(h) * pivot.clone()).collect();
    let (before, after) = h.split_at_mut(at);
    for row in before.iter_mut().chain(&mut after[1..]) {
        let own = row[column].clone().map(Tensor::neg);
        for (to, taken) in row.iter_mut().zip(&taken) {
            *to = to.clone() + own.clone() * taken.clone();
        }
    }
}

/// `h(l, r)` for every left and right factor, `[d_model, frequencies]` each.
fn resolvent_sums(
    Factors { a, left, right, .. }: Factors,
    sin: &Tensor<2>,
    cos: &Tensor<2>,
) -> Vec<Vec<Pair<2>>> {
    let ([lefts, d_model, pairs], rights) = (left.re.dims(), right.re.dims()[0]);
    let g = inverse_denominators(&a, sin, cos);
    let v = left.unsqueeze_dim::<4>(1) * right.unsqueeze_dim::<4>(0);
    let a = a.map(|part| part.reshape([1, 1, d_model, pairs]));
    let rows = |part: Tensor<4>| part.reshape([lefts * rights, d_model, pairs]).swap_dims(0, 1);
    let alpha = rows(v.re.clone());
    let beta = rows(v.re * a.re + v.im * a.im);
    let [of_alpha, of_beta] = [alpha, beta].map(|rows| g.clone().map(|part| rows.clone().matmul(part)));
    let (sin, cos) = (sin.clone().unsqueeze_dim::<3>(0) * 4.0, cos.clone().unsqueeze_dim::<3>(0) * -2.0);
    let re = of_beta.re * cos.clone() - of_alpha.im * sin.clone();
    let im = of_beta.im * cos + of_alpha.re * sin;
    let frequencies = re.dims()[2];
    let at = |part: &Tensor<3>, l: usize, r: usize| {
        part.clone().narrow(1, l * rights + r, 1).reshape([d_model, frequencies])
    };
    let one = |l, r| Pair { re: at(&re, l, r), im: at(&im, l, r) };
    (0..lefts).map(|l| (0..rights).map(|r| one(l, r)).collect()).collect()
}

/// `1 / den`: `[d_model, pairs, frequencies]`.
fn inverse_denominators(a: &Pair<2>, sin: &Tensor<2>, cos: &Tensor<2>) -> Pair<3> {
    let (x, y) = (a.re.clone().unsqueeze_dim::<3>(2), a.im.clone().unsqueeze_dim::<3>(2));
    let (s, c) = (sin.clone().unsqueeze_dim::<3>(0), cos.clone().unsqueeze_dim::<3>(0));
    let re = (x.clone().square() + y.square()) * c.clone().square() - s.clone().square() * 4.0;
    let im = x * (s * c) * -4.0;
    scaled_inverse(Pair { re, im })
}

/// `1 / z`. Where nothing oscillates and little decays, the denominator at frequency 0 is so small that its square,
/// which the gradient of the plain formula would square again, underflows in f32. So it is divided by its size first.
/// The size counts as a constant, because the result does not depend on it.
fn scaled_inverse<const D: usize>(z: Pair<D>) -> Pair<D> {
    let size = z.re.clone().detach().abs().max_pair(z.im.clone().detach().abs());
    let Pair { re, im } = z.map(|part| part / size.clone());
    let square = (re.clone().square() + im.clone().square()) * size;
    Pair { re: re / square.clone(), im: -im / square }
}
