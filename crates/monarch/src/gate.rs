//! The two gates of M2, of Hyena and around the Monarch matrices along the sequence.
//!
//! ```text
//! before   v * x1             after   y * x2 (+ skip)
//! ```
//! x1, x2, v are the thirds of the last axis of `parts`. As burn operations the products would be passes over strided
//! views, each on one thread.

use burn::tensor::Tensor;
use rayon::prelude::*;
use subquad_backend::kernel::{Array, CpuKernel, Saved, Unwritten, View, apply};
use subquad_backend::{Form, simd, swap_axes};

/// The thirds of a projection, in order.
pub(crate) const X1: usize = 0;
pub(crate) const X2: usize = 1;
pub(crate) const V: usize = 2;

/// [`before`] in the layout of the long convolution, `[batch, d_model, seq]`.
pub(crate) fn before_conv(parts: Tensor<3>, form: Form) -> Tensor<3> {
    swapped(before(parts, form), form)
}

/// [`after`] of what long convolutions made, `[batch, d_model, seq]`, to `[batch, seq, d_model]`; `skip` is added.
pub(crate) fn after_conv(y: Tensor<3>, parts: Tensor<3>, skip: Option<Tensor<3>>, form: Form) -> Tensor<3> {
    let y = after(swapped(y, form), parts, form);
    match skip {
        Some(skip) => y + swapped(skip, form),
        None => y,
    }
}

/// The last two axes change places. The numbers of a single token stay where they are.
fn swapped(x: Tensor<3>, form: Form) -> Tensor<3> {
    match x.dims() {
        [batch, 1, width] => x.reshape([batch, width, 1]),
        [batch, width, 1] => x.reshape([batch, 1, width]),
        _ => swap_axes(x, form),
    }
}

/// One of the thirds: `[batch, seq, 3 d_model]` to `[batch, seq, d_model]`.
fn third(parts: &Tensor<3>, i: usize) -> Tensor<3> {
    let d_model = parts.dims()[2] / 3;
    parts.clone().narrow(2, i * d_model, d_model)
}

/// `v * x1`: `[batch, seq, 3 d_model]` to `[batch, seq, d_model]`.
pub(crate) fn before(parts: Tensor<3>, form: Form) -> Tensor<3> {
    match form {
        Form::Portable => third(&parts, V) * third(&parts, X1),
        Form::Fused => apply(Gate { by: X1 }, [parts.into()]),
    }
}

/// `y * x2`: `[batch, seq, d_model]` to the same.
pub(crate) fn after(y: Tensor<3>, parts: Tensor<3>, form: Form) -> Tensor<3> {
    match form {
        Form::Portable => y * third(&parts, X2),
        Form::Fused => apply(Gate { by: X2 }, [parts.into(), y.into()]),
    }
}

/// Inputs: `parts` and, if it is not their own `v` that a third of them gates, `y`.
#[derive(Debug)]
struct Gate {
    by: usize,
}

impl CpuKernel for Gate {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let [batch, seq, width] = inputs[0].dims();
        let data = rows(batch * seq, width / 3, |out, row| {
            simd::multiply(out, gated(inputs, row), part(&inputs[0], row, self.by));
        });
        Array::new(data, [batch, seq, width / 3])
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let parts = &saved.inputs[0];
        let [batch, seq, width] = parts.dims();
        let (count, d_model) = (batch * seq, width / 3);
        let grad = |row: usize| &saved.grad.data[row * d_model..][..d_model];
        let of_parts = |out: &mut [f32], row: usize| {
            simd::multiply(&mut out[self.by * d_model..][..d_model], grad(row), gated(saved.inputs, row));
            if saved.inputs.len() == 1 {
                simd::multiply(&mut out[V * d_model..], grad(row), part(parts, row, self.by));
            }
        };
        let of_y = |out: &mut [f32], row: usize| simd::multiply(out, grad(row), part(parts, row, self.by));
        let mut grads = vec![saved.wanted[0].then(|| Array::new(rows(count, width, of_parts), parts.shape))];
        if let Some(y) = saved.inputs.get(1) {
            grads.push(saved.wanted[1].then(|| Array::new(rows(count, d_model, of_y), y.shape)));
        }
        grads
    }
}

/// A row of what is gated.
fn gated<'a>(inputs: &[View<'a>], row: usize) -> &'a [f32] {
    match inputs.get(1) {
        Some(y) => &y.data[row * y.shape[2]..][..y.shape[2]],
        None => part(&inputs[0], row, V),
    }
}

fn part<'a>(parts: &View<'a>, row: usize, i: usize) -> &'a [f32] {
    let d_model = parts.shape[2] / 3;
    &parts.data[(row * 3 + i) * d_model..][..d_model]
}

/// Number of rows that one thread makes at a time.
const ROWS: usize = 64;

/// `count` rows of `width` numbers, of zeros that `f` fills.
fn rows(count: usize, width: usize, f: impl Fn(&mut [f32], usize) + Sync) -> Vec<f32> {
    let mut all = Unwritten::new(count * width);
    all.parts(ROWS * width).into_par_iter().enumerate().for_each(|(chunk, out)| {
        let out = out.zeros();
        simd::run(
            #[inline(always)]
            || {
                for (i, out) in out.chunks_mut(width).enumerate() {
                    f(out, chunk * ROWS + i);
                }
            },
        );
    });
    all.into_vec()
}
