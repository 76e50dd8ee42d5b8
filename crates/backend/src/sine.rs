//! Sines of learned frequencies, as in the networks that draw long filters.
//!
//! ```text
//! y_j = sin(w_j x_j)        one frequency a unit
//! ```
//! Sitzmann et al. 2020, <https://arxiv.org/abs/2006.09661>, and with learned frequencies Poli et al. 2023 (Hyena),
//! <https://arxiv.org/abs/2302.10866>, section 3.3.

use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::kernel::{Array, CpuKernel, Saved, View, apply};
use crate::{Form, maths, simd};

/// # Shapes
/// - `x`: `[rows, units]`
/// - `frequency`: `[units]`
/// - output: `[rows, units]`
///
/// # Panics
/// If the units differ.
pub fn sine(x: Tensor<2>, frequency: Tensor<1>, form: Form) -> Tensor<2> {
    let ([_, units], frequencies) = (x.dims(), frequency.dims());
    assert_eq!([units], frequencies, "sines need one frequency a unit");
    match form {
        Form::Portable => (x * frequency.unsqueeze::<2>()).sin(),
        Form::Fused => apply(Sine, [x.into(), frequency.into()]),
    }
}

/// Rows that one thread takes at a time. The sums of the frequencies' gradients follow it, so it is a constant.
const ROWS: usize = 64;

/// Inputs: `x [rows, units]`, `frequency [units]`.
#[derive(Debug)]
struct Sine;

impl CpuKernel for Sine {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let ([rows, units], frequency) = (inputs[0].dims(), inputs[1].data);
        let mut y = vec![0.0; rows * units];
        y.par_chunks_mut(ROWS * units).zip(inputs[0].data.par_chunks(ROWS * units)).for_each(|(y, x)| {
            simd::run(
                #[inline(always)]
                || sines(y, x, frequency),
            );
        });
        Array::new(y, [rows, units])
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let ([rows, units], frequency) = (saved.inputs[0].dims(), saved.inputs[1].data);
        let mut dx = vec![0.0; rows * units];
        let chunks = dx.par_chunks_mut(ROWS * units).zip(saved.inputs[0].data.par_chunks(ROWS * units));
        let parts: Vec<Vec<f32>> = chunks
            .zip(saved.grad.data.par_chunks(ROWS * units))
            .map(|((dx, x), dy)| {
                simd::run(
                    #[inline(always)]
                    || slopes(dx, x, dy, frequency),
                )
            })
            .collect();
        let mut total = vec![0.0; units];
        parts.iter().for_each(|part| simd::add(&mut total, part));
        vec![
            saved.wanted[0].then(|| Array::new(dx, [rows, units])),
            saved.wanted[1].then(|| Array::new(total, [units])),
        ]
    }
}

#[inline(always)]
fn sines(y: &mut [f32], x: &[f32], frequency: &[f32]) {
    for (y, x) in y.chunks_mut(frequency.len()).zip(x.chunks(frequency.len())) {
        for ((y, x), w) in y.iter_mut().zip(x).zip(frequency) {
            *y = maths::sin_cos(w * x).0;
        }
    }
}

/// `dx = dy w cos(w x)`, and the sum over rows of `dy x cos(w x)`.
#[inline(always)]
fn slopes(dx: &mut [f32], x: &[f32], dy: &[f32], frequency: &[f32]) -> Vec<f32> {
    let units = frequency.len();
    let mut sum = vec![0.0; units];
    for ((dx, x), dy) in dx.chunks_mut(units).zip(x.chunks(units)).zip(dy.chunks(units)) {
        let row = dx.iter_mut().zip(x).zip(dy).zip(frequency).zip(&mut sum);
        for ((((dx, x), dy), w), sum) in row {
            let slope = dy * maths::sin_cos(w * x).1;
            *dx = w * slope;
            *sum += x * slope;
        }
    }
    sum
}
