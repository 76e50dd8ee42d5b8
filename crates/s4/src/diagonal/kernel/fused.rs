//! The kernel on the CPU: one thread per channel, gradients contracted on the spot, only the inputs kept.
//!
//! With `g` the gradient of the kernel, `G_n = sum_l g_l a_bar_n^l` and `G1_n = sum_l l g_l a_bar_n^l`, the complex
//! gradients (`d/d re - i d/d im`) are `2 G_n` for `c_n` and `2 c_n G1_n` for `log a_bar_n`.

use burn::tensor::{FloatDType, Tensor};
use rayon::prelude::*;
use rustfft::num_complex::Complex32;
use subquad_backend::kernel::{Array, CpuKernel, Saved, View, apply};

use super::row::Row;
use crate::complex::{Pair, reduce};
use crate::number::Complex;
use crate::precision::in_two;

pub(super) fn kernel(c: Pair<3>, log_a: Pair<2>, seq: usize) -> Tensor<3> {
    let log_re = log_a.re.cast(FloatDType::F32);
    apply(DiagonalKernel { seq }, [c.re.into(), c.im.into(), log_re.into(), in_two(reduce(log_a.im)).into()])
}

/// Inputs: `c_re`, `c_im [kernels, d_model, pairs]`, `log_a_re [d_model, pairs]`, `log_a_im` in two parts `[2, d_model, pairs]`.
#[derive(Debug)]
struct DiagonalKernel {
    seq: usize,
}

impl CpuKernel for DiagonalKernel {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let [kernels, d_model, pairs] = inputs[0].dims();
        let mut out = vec![0.0; kernels * d_model * self.seq];
        out.par_chunks_mut(self.seq).enumerate().for_each_init(
            || Row::new(pairs, self.seq),
            |row, (at, out)| row.kernel(&numbers(inputs, at), &logarithms(inputs, at % d_model), out),
        );
        Array::new(out, [kernels, d_model, self.seq])
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let [_, d_model, pairs] = saved.inputs[0].dims();
        let rows = saved.grad.data.par_chunks(self.seq).enumerate();
        let moments: Vec<Vec<(Complex32, Complex32)>> = rows
            .map_init(
                || Row::new(pairs, self.seq),
                |row, (at, grad)| row.moments(grad, &logarithms(saved.inputs, at % d_model)),
            )
            .collect();
        let grads = gradients(saved.inputs, &moments);
        grads.into_iter().zip(saved.wanted).map(|(grad, wanted)| wanted.then_some(grad)).collect()
    }
}

/// Row `at` of `c`.
fn numbers(inputs: &[View<'_>], at: usize) -> Vec<Complex32> {
    let [re, im] = [0, 1].map(|part| inputs[part].row(at));
    re.iter().zip(im).map(|(re, im)| Complex32 { re: *re, im: *im }).collect()
}

/// `log a_bar` of channel `h`.
fn logarithms(inputs: &[View<'_>], h: usize) -> Vec<Complex> {
    let [d_model, _] = inputs[2].dims();
    let [re, high, low] = [inputs[2].row(h), inputs[3].row(h), inputs[3].row(d_model + h)];
    let sum = |n: usize| Complex { re: f64::from(re[n]), im: f64::from(high[n]) + f64::from(low[n]) };
    (0..re.len()).map(sum).collect()
}

/// The gradients of the four inputs from the moments of every row. Those of `log_a` sum over the kernels; the second
/// part of the angle has only a value, no gradient.
fn gradients(inputs: &[View<'_>], moments: &[Vec<(Complex32, Complex32)>]) -> [Array; 4] {
    let [d_model, pairs] = inputs[2].dims();
    let mut grads = [0, 1, 2, 3].map(|i| Array::new(vec![0.0; inputs[i].data.len()], inputs[i].shape));
    for (at, moments) in moments.iter().enumerate() {
        let c = numbers(inputs, at);
        for (n, (c, (sum, weighted))) in c.iter().zip(moments).enumerate() {
            let (own, shared) = (at * pairs + n, at % d_model * pairs + n);
            grads[0].data[own] = 2.0 * sum.re;
            grads[1].data[own] = -2.0 * sum.im;
            grads[2].data[shared] += 2.0 * (c.re * weighted.re - c.im * weighted.im);
            grads[3].data[shared] -= 2.0 * (c.re * weighted.im + c.im * weighted.re);
        }
    }
    grads
}
