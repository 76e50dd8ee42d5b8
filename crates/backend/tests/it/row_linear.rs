//! A linear layer over slices against the one over tensors.

use burn::nn::LinearConfig;
use burn::tensor::{Tensor, TensorData};
use subquad_backend::Form;
use subquad_backend::linear::linear;
use subquad_backend::row_linear::RowLinear;
use subquad_testkit::cpu;

/// Sums of up to 130 products in f32.
const REL_TOL: f32 = 1e-5;

#[test]
fn a_row_is_what_the_layer_makes_of_it_at_awkward_widths() {
    let device = cpu();
    for (d_input, d_output, bias) in
        [(1, 1, true), (3, 63, false), (64, 64, true), (7, 65, true), (130, 200, false)]
    {
        let layer = LinearConfig::new(d_input, d_output).with_bias(bias).init(&device);
        let x: Vec<f32> = (0..d_input).map(|i| (i as f32).sin()).collect();
        let row = Tensor::<2>::from_data(TensorData::new(x.clone(), [1, d_input]), &device);
        let expected: Vec<f32> = linear(&layer, row, Form::Portable).into_data().try_into_vec().unwrap();
        let mut y = vec![f32::NAN; d_output];
        RowLinear::new(&layer).apply(&x, &mut y);
        let largest = expected.iter().fold(0.0f32, |largest, y| largest.max(y.abs()));
        for (got, expected) in y.iter().zip(expected) {
            assert!((got - expected).abs() <= REL_TOL * largest, "{d_input} {d_output}: {got} {expected}");
        }
    }
}

#[test]
#[should_panic(expected = "input of a linear layer")]
fn a_row_of_another_width_is_refused() {
    let layer = LinearConfig::new(3, 4).init(&cpu());
    RowLinear::new(&layer).apply(&[0.0; 2], &mut [0.0; 4]);
}
