//! The same functions of one token's numbers, over slices: they allocate nothing and stay on their thread.

use super::{Activation, SigmoidOfSecond, Values, gate_rows};
use crate::simd;

/// `activation` of every element, in place.
pub fn activate_row(x: &mut [f32], activation: Activation) {
    simd::dispatch(Values(activation, x));
}

/// The first half of `x` times the sigmoid of the second.
///
/// # Panics
/// If `x` is not twice as long as `y`.
pub fn glu_row(x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), 2 * y.len(), "a gate makes one number of two");
    if y.is_empty() {
        return;
    }
    let width = y.len();
    gate_rows::<SigmoidOfSecond>(y, x, width);
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor};

    use super::*;
    use crate::Form;
    use crate::pointwise::{activate, glu};

    fn numbers(tensor: Tensor<1>) -> Vec<f32> {
        tensor.into_data().try_into_vec().expect("f32")
    }

    #[test]
    fn a_row_is_what_the_operations_on_tensors_make_of_it() {
        for width in [1, 7, 16, 33] {
            let x: Vec<f32> = (0..2 * width).map(|i| (i as f32).sin() * 3.0).collect();
            let tensor = Tensor::<1>::from_data(x.as_slice(), &Device::flex());
            let mut y = vec![f32::NAN; width];
            glu_row(&x, &mut y);
            assert_eq!(y, numbers(glu(tensor.clone(), Form::Fused)));
            for activation in [Activation::Gelu, Activation::Tanh, Activation::Identity] {
                let mut y = x.clone();
                activate_row(&mut y, activation);
                assert_eq!(y, numbers(activate(tensor.clone(), activation, Form::Fused)), "{activation:?}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "a gate makes one number of two")]
    fn a_gate_without_two_halves_is_refused() {
        glu_row(&[0.0; 3], &mut [0.0; 2]);
    }
}
