//! Axes that change places.

use burn::tensor::Tensor;
use subquad_backend::{Form, swap_axes};
use subquad_testkit::cpu;

#[test]
fn every_number_and_every_gradient_goes_to_its_place() {
    for shape in [[1, 1, 1], [2, 3, 5], [1, 64, 64], [3, 65, 130], [2, 1, 100], [1, 100, 1]] {
        let device = cpu().autodiff();
        let numbers = Tensor::arange(0..shape.iter().product::<usize>() as i64, &device).float();
        let x: Tensor<3> = numbers.reshape(shape).require_grad();
        let (fused, portable) = (swap_axes(x.clone(), Form::Fused), swap_axes(x.clone(), Form::Portable));
        fused.clone().into_data().assert_eq(&portable.into_data(), true);
        let grads = (fused.clone() * fused).sum().backward();
        x.grad(&grads).expect("tracked").into_data().assert_eq(&(x * 2.0).into_data(), true);
    }
}
