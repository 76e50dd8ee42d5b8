//! Layer normalisation over the last axis (Ba, Kiros, Hinton 2016), one pass in each direction.
//!
//! ```text
//! y = (x - mean) / sqrt(variance + eps) * gamma + beta        mean and variance of one token's features
//! ```

use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::Form;
use crate::kernel::{Array, CpuKernel, Saved, Unwritten, View, apply};
use crate::linear::sums::grads_by_chunk;
use crate::simd::{self, Lockstep};

/// # Shapes
/// - `x`: `[batch, seq, d_model]`
/// - `gamma`, `beta`: `[d_model]`
/// - output: `[batch, seq, d_model]`
///
/// # Panics
/// If the widths differ.
pub fn layer_norm(x: Tensor<3>, gamma: Tensor<1>, beta: Tensor<1>, eps: f64, form: Form) -> Tensor<3> {
    let [_, _, width] = x.dims();
    assert!(
        gamma.dims() == [width] && beta.dims() == [width],
        "a layer norm needs one scale and one shift per feature"
    );
    match form {
        Form::Portable => portable(x, gamma, beta, eps),
        Form::Fused => apply(LayerNorm { eps: eps as f32 }, [x.into(), gamma.into(), beta.into()]),
    }
}

fn portable(x: Tensor<3>, gamma: Tensor<1>, beta: Tensor<1>, eps: f64) -> Tensor<3> {
    let centred = x.clone() - x.mean_dim(2);
    let variance = centred.clone().square().mean_dim(2);
    centred / (variance + eps).sqrt() * gamma.unsqueeze() + beta.unsqueeze()
}

/// Tokens that one thread takes at a time. A constant, so that sums do not depend on the number of threads.
const ROWS: usize = 64;

/// Inputs: `x [batch, seq, width]`, `gamma [width]`, `beta [width]`.
#[derive(Debug)]
struct LayerNorm {
    eps: f32,
}

impl CpuKernel for LayerNorm {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let [x, gamma, beta] = [inputs[0], inputs[1], inputs[2]];
        let width = gamma.data.len();
        let mut y = Unwritten::new(x.data.len());
        let chunks = y.parts(ROWS * width).into_par_iter().zip(x.data.par_chunks(ROWS * width));
        chunks.for_each(|(y, x)| {
            let y = y.zeros();
            simd::run(
                #[inline(always)]
                || {
                    for (y, x) in y.chunks_mut(width).lockstep(x.chunks(width)) {
                        self.normalise(y, x);
                        for ((y, gamma), beta) in y.iter_mut().lockstep(gamma.data).lockstep(beta.data) {
                            *y = *y * gamma + beta;
                        }
                    }
                },
            )
        });
        Array::new(y.into_vec(), x.shape)
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let (x, gamma) = (saved.inputs[0], saved.inputs[1].data);
        let width = gamma.len();
        let (dx, sums) = grads_by_chunk(
            [x.data, saved.grad.data],
            ROWS * width,
            2 * width,
            #[inline(always)]
            |dx, x, dy, sums| self.chunk_grads(dx, x, dy, gamma, sums),
        );
        let (by_gamma, by_beta) = sums.split_at(width);
        vec![
            saved.wanted[0].then(|| Array::new(dx, x.shape)),
            saved.wanted[1].then(|| Array::new(by_gamma.to_vec(), [width])),
            saved.wanted[2].then(|| Array::new(by_beta.to_vec(), [width])),
        ]
    }
}

impl LayerNorm {
    /// Writes `(x - mean) / deviation` and returns `1 / deviation`.
    #[inline(always)]
    fn normalise(&self, y: &mut [f32], x: &[f32]) -> f32 {
        let scale = 1.0 / x.len() as f32;
        let mean = simd::sum(x, |x| x) * scale;
        y.iter_mut().lockstep(x).for_each(|(y, x)| *y = x - mean);
        let variance = simd::sum(y, |y| y * y) * scale;
        let inverse = 1.0 / (variance + self.eps).sqrt();
        y.iter_mut().for_each(|y| *y *= inverse);
        inverse
    }

    /// With `n` the normalised row and `h = dy gamma`: `dx = (h - mean(h) - n mean(h n)) / deviation`. Adds the gradients of
    /// `gamma`, then of `beta`, to `sums`.
    #[inline(always)]
    fn chunk_grads(&self, dx: &mut [f32], x: &[f32], dy: &[f32], gamma: &[f32], sums: &mut [f32]) {
        let width = gamma.len();
        let (by_gamma, by_beta) = sums.split_at_mut(width);
        let (mut n, mut h) = (vec![0.0; width], vec![0.0; width]);
        for ((dx, x), dy) in dx.chunks_mut(width).lockstep(x.chunks(width)).lockstep(dy.chunks(width)) {
            let inverse = self.normalise(&mut n, x);
            simd::add_product(by_gamma, dy, &n);
            simd::add(by_beta, dy);
            h.iter_mut().lockstep(dy).lockstep(gamma).for_each(|((h, dy), gamma)| *h = dy * gamma);
            let mean_h = simd::sum(&h, |h| h) / width as f32;
            let mean_hn = simd::dot(&h, &n) / width as f32;
            for ((dx, h), n) in dx.iter_mut().lockstep(&h).lockstep(&n) {
                *dx = (h - mean_h - n * mean_hn) * inverse;
            }
        }
    }
}
