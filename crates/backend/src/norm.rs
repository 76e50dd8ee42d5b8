//! What clipping gradients by their norm needs: the sum of squares of a tensor, and the tensor times a number.

use burn::tensor::{DType, Tensor};
use rayon::prelude::*;

use crate::kernel::{Array, CpuKernel, Saved, Unwritten, View, apply};
use crate::simd::Lockstep;
use crate::{Form, read, simd};

/// Elements that one thread takes at a time. A constant, so that the sum does not depend on the number of threads.
const CHUNK: usize = 1 << 14;

/// The sum of the squares of all elements, added up in f64 on the host: f32 squares overflow, and burn adds up large tensors in
/// an arbitrary order.
pub fn sum_of_squares<const D: usize>(x: Tensor<D>) -> f64 {
    let data = read(x);
    match data.dtype() {
        DType::F32 => {
            let values = data.as_slice::<f32>().expect("f32, as it says");
            values.par_chunks(CHUNK).map(of_chunk).collect::<Vec<f64>>().into_iter().sum()
        }
        _ => data.iter::<f64>().map(|x| x * x).sum(),
    }
}

fn of_chunk(x: &[f32]) -> f64 {
    const LANES: usize = 8;
    simd::run(
        #[inline(always)]
        || {
            let (chunks, rest) = x.as_chunks::<LANES>();
            let mut lanes = [0.0; LANES];
            for chunk in chunks {
                for (lane, x) in lanes.iter_mut().lockstep(chunk) {
                    *lane += f64::from(*x) * f64::from(*x);
                }
            }
            lanes.iter().sum::<f64>() + rest.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>()
        },
    )
}

/// `factor x`, without a gradient.
pub fn scaled<const D: usize>(x: Tensor<D>, factor: f64) -> Tensor<D> {
    match Form::for_device(&x.device()) {
        Form::Portable => x * factor,
        Form::Fused => apply(Scale(factor as f32), [x.into()]),
    }
}

#[derive(Debug)]
struct Scale(f32);

impl CpuKernel for Scale {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let x = inputs[0];
        let mut y = Unwritten::new(x.data.len());
        y.parts(CHUNK).into_par_iter().zip(x.data.par_chunks(CHUNK)).for_each(|(y, x)| {
            let y = y.copied(x);
            simd::run(
                #[inline(always)]
                || y.iter_mut().for_each(|y| *y *= self.0),
            );
        });
        Array::new(y.into_vec(), x.shape)
    }

    fn backward(&self, _: &Saved<'_>) -> Vec<Option<Array>> {
        unreachable!("gradients are not differentiated")
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    #[test]
    fn sums_of_squares_are_those_of_f64_also_where_f32_overflows() {
        for count in [1, 7, 16, 1000, 40_000] {
            let values: Vec<f32> = (0..count).map(|i| (i % 1009) as f32 * 1e30).collect();
            let exact: f64 = values.iter().map(|x| f64::from(*x).powi(2)).sum();
            let x = Tensor::<1>::from_data(TensorData::new(values, [count]), &Device::flex());
            let sum = sum_of_squares(x);
            assert!((sum - exact).abs() <= 1e-13 * exact, "{count}: {sum} for {exact}");
        }
    }

    #[test]
    fn a_scaled_tensor_is_burns_bit_for_bit() {
        let x = crate::seeded_tensor::<2>([130, 257], 1, &Device::flex());
        assert_eq!(scaled(x.clone(), 0.3).into_data(), (x * 0.3).into_data());
    }
}
