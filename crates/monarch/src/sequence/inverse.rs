//! Inverses of unit lower triangular blocks, by substitution.

use burn::tensor::Tensor;
use rayon::prelude::*;
use subquad_backend::Form;
use subquad_backend::kernel::{Array, CpuKernel, Saved, View, apply};
use subquad_backend::simd;

/// The inverse of every block `I + strictly lower part of t`.
///
/// # Shapes
/// - `t`: `[n_heads, n_blocks, size, size]`; diagonal and upper part are not read
/// - output: the same, with ones on the diagonal and zeros above
pub(crate) fn inverse(t: Tensor<4>, form: Form) -> Tensor<4> {
    match form {
        Form::Portable => by_halves(t),
        Form::Fused => apply(Inverse, [t.into()]),
    }
}

/// `[[A, 0], [C, B]]` has the inverse `[[A', 0], [-B' C A', B']]`.
fn by_halves(t: Tensor<4>) -> Tensor<4> {
    let [n_heads, n_blocks, size, _] = t.dims();
    if size == 1 {
        return Tensor::ones([n_heads, n_blocks, 1, 1], &t.device());
    }
    let (top, bottom) = (size / 2, size - size / 2);
    let part = |rows: [usize; 2], cols: [usize; 2]| {
        t.clone().narrow(2, rows[0], rows[1]).narrow(3, cols[0], cols[1])
    };
    let a = by_halves(part([0, top], [0, top]));
    let b = by_halves(part([top, bottom], [top, bottom]));
    let c = part([top, bottom], [0, top]);
    let below = b.clone().matmul(c).matmul(a.clone()).neg();
    let above = Tensor::zeros([n_heads, n_blocks, top, bottom], &t.device());
    Tensor::cat(vec![Tensor::cat(vec![a, above], 3), Tensor::cat(vec![below, b], 3)], 2)
}

#[derive(Debug)]
struct Inverse;

impl CpuKernel for Inverse {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let [_, _, size, _] = inputs[0].dims();
        let mut out = vec![0.0; inputs[0].data.len()];
        let blocks = out.par_chunks_mut(size * size).zip(inputs[0].data.par_chunks(size * size));
        blocks.for_each(|(out, t)| {
            simd::run(
                #[inline(always)]
                || substitute(out, t, size),
            );
        });
        Array::new(out, inputs[0].shape)
    }

    /// The strictly lower part of `dT = -(T'^T dT' T'^T)`.
    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let inverse = saved.output.expect("this kernel keeps its output");
        let [_, _, size, _] = inverse.dims();
        let mut grads = vec![0.0; inverse.data.len()];
        let block = size * size;
        let blocks = grads.par_chunks_mut(block).zip(inverse.data.par_chunks(block));
        blocks.zip(saved.grad.data.par_chunks(block)).for_each(|((grads, inverse), d)| {
            simd::run(
                #[inline(always)]
                || gradient(grads, inverse, d, size),
            );
        });
        vec![Some(Array::new(grads, inverse.shape))]
    }

    fn keeps_output(&self) -> bool {
        true
    }
}

/// Row `i` of the inverse is `e_i - sum over j < i of t[i, j] row j`.
#[inline(always)]
fn substitute(out: &mut [f32], t: &[f32], size: usize) {
    for i in 0..size {
        let (done, rest) = out.split_at_mut(i * size);
        let row = &mut rest[..size];
        row[i] = 1.0;
        for (j, done) in done.chunks(size).enumerate() {
            simd::add_scaled(&mut row[..=j], -t[i * size + j], &done[..=j]);
        }
    }
}

#[inline(always)]
fn gradient(grads: &mut [f32], inverse: &[f32], d: &[f32], size: usize) {
    let mut right = vec![0.0; size * size]; // d T'^T
    let transposed: Vec<f32> = (0..size * size).map(|at| inverse[at % size * size + at / size]).collect();
    for (i, right) in right.chunks_mut(size).enumerate() {
        // Above the diagonal the inverse is zero whatever t is.
        for j in 0..=i {
            simd::add_scaled(&mut right[j..], d[i * size + j], &transposed[j * size + j..][..size - j]);
        }
    }
    for (i, grads) in grads.chunks_mut(size).enumerate() {
        for k in i..size {
            simd::add_scaled(&mut grads[..i], -inverse[k * size + i], &right[k * size..][..i]);
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Tensor;
    use subquad_testkit::{assert_rel_close, cpu, seeded_tensor};

    use super::*;

    /// Sums of a few dozen f32 terms of size one.
    const TOL: f64 = 1e-5;

    #[test]
    fn forms_invert_and_have_the_same_gradients() {
        let device = cpu().autodiff();
        // Of size 1 there is nothing below the diagonal, so nothing to differentiate.
        for size in [2, 3, 8, 13] {
            let shape = [2, 3, size, size];
            let t = (seeded_tensor::<4>(shape, 1, &device) * 0.5).require_grad();
            let weights = seeded_tensor::<4>(shape, 2, &device);
            let run = |form| {
                let y = inverse(t.clone(), form);
                let grads = (y.clone() * weights.clone()).sum().backward();
                (y, t.grad(&grads).expect("tracked"))
            };
            let (fused, portable) = (run(Form::Fused), run(Form::Portable));
            assert_rel_close(fused.0.clone(), portable.0, TOL, format!("inverse, {size}"));
            let identity = Tensor::<2>::eye(size, &device).unsqueeze::<4>();
            let triangle = t.clone().tril(-1) + identity.clone();
            let product = triangle.matmul(fused.0);
            assert_rel_close(product, identity.expand(shape), TOL, format!("identity, {size}"));
            assert_rel_close(fused.1, portable.1, TOL, format!("gradient, {size}"));
        }
    }
}
