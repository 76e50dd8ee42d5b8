//! The DFT as a Monarch matrix.

use std::f64::consts::TAU;

use burn::tensor::{Device, Tensor, TensorData};
use subquad_monarch::{ComplexMonarch, MonarchDft, reference};
use subquad_testkit::{assert_rel_close, cpu, seeded, seeded_tensor, to_f64};

/// f64 sums of a thousand terms.
const REFERENCE: f64 = 1e-10;
/// f32 sums of a thousand terms, with tables rounded once.
const VALUE: f64 = 1e-5;

/// Two, three and four factors in any order of sizes, including length 1 and primes.
const AXES: [&[usize]; 11] = [
    &[1, 1],
    &[4, 3],
    &[3, 4],
    &[2, 3, 5],
    &[5, 1, 6],
    &[8, 16],
    &[2, 4, 4, 4],
    &[28, 28],
    &[7, 14, 8],
    &[13, 1],
    &[25, 40],
];

fn tensor(values: &[f64], rows: usize) -> Tensor<2> {
    let single: Vec<f32> = values.iter().map(|v| *v as f32).collect();
    Tensor::from_data(TensorData::new(single, [rows, values.len() / rows]), &cpu())
}

#[test]
fn factors_in_f64_are_the_dft() {
    for axes in AXES {
        let n = axes.iter().product();
        let (re, im) = (seeded(n, 1), seeded(n, 2));
        let ((re, im), (by_re, by_im)) = (spectrum_of(&re, &im), monarch_dft(axes, &re, &im));
        assert_rel_close(by_re, re, REFERENCE, format!("re, {axes:?}"));
        assert_rel_close(by_im, im, REFERENCE, format!("im, {axes:?}"));
    }
}

#[test]
fn the_transform_is_the_dft_of_any_composite_length() {
    for axes in AXES {
        let dft = MonarchDft::new(axes, &cpu());
        assert_is_the_dft(&dft, &format!("{axes:?}"));
    }
    for n in [12, 30, 128, 784, 1000, 13] {
        for order in [2, 3] {
            let dft = MonarchDft::of(n, order, &cpu());
            assert_eq!(dft.points(), n);
            assert_is_the_dft(&dft, &format!("n = {n}, order {order}"));
        }
    }
}

fn assert_is_the_dft(dft: &MonarchDft, what: &str) {
    let n = dft.points();
    let rows = [(seeded(n, 1), seeded(n, 2)), (seeded(n, 3), seeded(n, 4))];
    let expected = rows.clone().map(|(re, im)| spectrum_of(&re, &im));
    let all = |rows: &[(Vec<f64>, Vec<f64>)]| -> (Vec<f64>, Vec<f64>) {
        let (re, im): (Vec<_>, Vec<_>) = rows.iter().cloned().unzip();
        (re.concat(), im.concat())
    };
    let ((x_re, x_im), (y_re, y_im)) = (all(&rows), all(&expected));
    let (re, im) = dft.forward((tensor(&x_re, 2), tensor(&x_im, 2)));
    assert_rel_close(re, y_re, VALUE, format!("re, {what}"));
    assert_rel_close(im, y_im, VALUE, format!("im, {what}"));
}

#[test]
fn a_complex_matrix_is_its_dense_one() {
    let device = cpu();
    let random = |shape, seed| (seeded_tensor(shape, seed, &device), seeded_tensor(shape, seed + 1, &device));
    let matrix = ComplexMonarch::from_factors([random([3, 10, 4], 1), random([5, 6, 6], 3)]);
    assert_eq!(matrix.widths(), [12, 30]);
    let ((x_re, x_im), (re, im)) = (random_rows(&device), matrix.dense_weight());
    let product = |x: &Tensor<2>, w: &Tensor<2>| x.clone().matmul(w.clone().transpose());
    let (y_re, y_im) = matrix.forward((x_re.clone(), x_im.clone()));
    assert_rel_close(y_re, product(&x_re, &re) - product(&x_im, &im), VALUE, "re");
    assert_rel_close(y_im, product(&x_re, &im) + product(&x_im, &re), VALUE, "im");
}

fn random_rows(device: &Device) -> (Tensor<2>, Tensor<2>) {
    (seeded_tensor([5, 12], 8, device), seeded_tensor([5, 12], 9, device))
}

#[test]
fn one_impulse_has_the_spectrum_of_a_wave() {
    let n = 12;
    let mut impulse = vec![0.0; n];
    impulse[1] = 1.0;
    let dft = MonarchDft::of(n, 2, &cpu());
    let (re, im) = dft.forward((tensor(&impulse, 1), tensor(&vec![0.0; n], 1)));
    let angle = |q: usize| TAU * q as f64 / n as f64;
    let (re, im) = (to_f64(re), to_f64(im));
    assert_rel_close(re, (0..n).map(|q| angle(q).cos()).collect::<Vec<_>>(), VALUE, "re");
    assert_rel_close(im, (0..n).map(|q| -angle(q).sin()).collect::<Vec<_>>(), VALUE, "im");
}

/// `X_q = sum over j of x_j e^(-2 pi i q j / n)`, real and imaginary parts.
fn spectrum_of(re: &[f64], im: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let n = re.len();
    let spectrum = |q: usize| {
        (0..n).map(|j| turned((re[j], im[j]), (q * j % n) as f64 / n as f64)).fold((0.0, 0.0), sum)
    };
    (0..n).map(spectrum).unzip()
}

/// The DFT, in natural order, by the factors of a Monarch matrix with these axes.
fn monarch_dft(axes: &[usize], re: &[f64], im: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut values: Vec<(f64, f64)> = re.iter().copied().zip(im.iter().copied()).collect();
    for factor in reference::dft_factors(axes) {
        values = apply(&factor, &values);
    }
    // The result is written as (q_1, .., q_p); natural order has q_1 fastest.
    let place = |q: usize| {
        let mut rest = q;
        axes.iter().fold(0, |at, axis| {
            let digit = rest % axis;
            rest /= axis;
            at * axis + digit
        })
    };
    (0..values.len()).map(|q| values[place(q)]).unzip()
}

/// Each block reads the row's slowest digit and writes a fastest one.
fn apply(factor: &reference::DftFactor, x: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let [blocks, rows, columns] = factor.shape;
    let output = |block: usize, q: usize| {
        let turns = &factor.turns[(block * rows + q) * columns..];
        (0..columns).map(|j| turned(x[j * blocks + block], turns[j])).fold((0.0, 0.0), sum)
    };
    (0..blocks * rows).map(|at| output(at / rows, at % rows)).collect()
}

/// `z e^(-2 pi i turn)`
fn turned((re, im): (f64, f64), turn: f64) -> (f64, f64) {
    let (sin, cos) = (TAU * turn).sin_cos();
    (re * cos + im * sin, im * cos - re * sin)
}

fn sum(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0 + b.0, a.1 + b.1)
}
