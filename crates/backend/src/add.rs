//! Sums of two tensors, such as a residual connection: one parallel pass. burn adds on one thread.

use burn::tensor::Tensor;
use rayon::prelude::*;

use crate::Form;
use crate::kernel::{Array, CpuKernel, Saved, Unwritten, View, apply};
use crate::simd;

/// Elements that one thread takes at a time.
const CHUNK: usize = 1 << 14;

/// `a + b`, element by element.
///
/// # Panics
/// If the shapes differ.
pub fn add<const D: usize>(a: Tensor<D>, b: Tensor<D>, form: Form) -> Tensor<D> {
    assert_eq!(a.dims(), b.dims(), "the shapes of a sum");
    match form {
        Form::Portable => a + b,
        Form::Fused => apply(Sum, [a.into(), b.into()]),
    }
}

#[derive(Debug)]
struct Sum;

impl CpuKernel for Sum {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let [a, b] = [inputs[0], inputs[1]];
        let mut sum = Unwritten::new(a.data.len());
        let operands = a.data.par_chunks(CHUNK).zip(b.data.par_chunks(CHUNK));
        sum.parts(CHUNK).into_par_iter().zip(operands).for_each(|(sum, (a, b))| {
            let sum = sum.copied(a);
            simd::run(
                #[inline(always)]
                || simd::add(sum, b),
            );
        });
        Array::new(sum.into_vec(), a.shape)
    }

    fn backward(&self, _: &Saved<'_>) -> Vec<Option<Array>> {
        unreachable!("a sum hands its gradient on")
    }

    fn hands_gradient_on(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::seeded_tensor;

    #[test]
    fn sums_and_gradients_are_burns_bit_for_bit() {
        let device = Device::flex().autodiff();
        for shape in [[1, 1, 1], [2, 3, 5], [2, 100, 257]] {
            let tensor = |seed| seeded_tensor::<3>(shape, seed, &device).require_grad();
            let (a, b) = (tensor(1), tensor(2));
            let values = [Form::Fused, Form::Portable].map(|form| {
                // `a` is used twice, so its gradient is a sum of two.
                let y = add(a.clone(), b.clone() * 2.0, form) * a.clone();
                let grads = y.clone().sum().backward();
                let grads = [&a, &b].map(|x| x.grad(&grads).expect("tracked").into_data());
                (y.into_data(), grads)
            });
            assert_eq!(values[0], values[1], "{shape:?}");
        }
    }

    #[test]
    #[should_panic(expected = "the shapes of a sum")]
    fn other_shapes_are_refused() {
        let tensor = |width| Tensor::<2>::zeros([2, width], &Device::flex());
        add(tensor(3), tensor(1), Form::Fused);
    }
}
