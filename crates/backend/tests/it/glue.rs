//! The glue between plain kernels and burn, tested with a kernel that treats each input differently.

use burn::tensor::Tensor;
use subquad_backend::kernel::{Array, CpuKernel, Saved, View, apply};
use subquad_testkit::{assert_rel_close, cpu, seeded_tensor, to_f64};

/// `y = a b^2` element by element; the gradient of `b` is made from the output: `2 y / b`.
#[derive(Debug)]
struct ProductOfSquare;

impl CpuKernel for ProductOfSquare {
    fn forward(&self, inputs: &[View<'_>]) -> Array {
        let values = inputs[0].data.iter().zip(inputs[1].data).map(|(a, b)| a * b * b).collect();
        Array::new(values, inputs[0].shape)
    }

    fn backward(&self, saved: &Saved<'_>) -> Vec<Option<Array>> {
        let (b, y, g) = (saved.inputs[1].data, saved.output.expect("kept").data, saved.grad.data);
        let da = || b.iter().zip(g).map(|(b, g)| b * b * g).collect();
        let db = || y.iter().zip(b).zip(g).map(|((y, b), g)| 2.0 * y / b * g).collect();
        let shape = saved.grad.shape;
        vec![
            saved.wanted[0].then(|| Array::new(da(), shape)),
            saved.wanted[1].then(|| Array::new(db(), shape)),
        ]
    }

    fn keeps_output(&self) -> bool {
        true
    }
}

fn run(a: Tensor<2>, b: Tensor<2>) -> Tensor<2> {
    apply(ProductOfSquare, [a.into(), b.into()])
}

/// One multiplication more or less.
const TOL: f64 = 1e-6;

#[test]
fn a_kernel_has_burns_own_values_and_gradients_also_on_strided_views() {
    let device = cpu().autodiff();
    let leaf = |seed| (seeded_tensor([4, 3], seed, &device) + 2.0).detach().require_grad();
    let (a, b) = (leaf(1), leaf(2));
    let ours = run(a.clone().transpose(), b.clone().transpose());
    let burns = a.clone().transpose() * b.clone().transpose().square();
    assert_rel_close(ours.clone(), burns.clone(), TOL, "values");
    let weights = seeded_tensor([3, 4], 3, &device);
    let (mine, theirs) = ((ours * weights.clone()).sum().backward(), (burns * weights).sum().backward());
    assert_rel_close(a.grad(&mine).unwrap(), a.grad(&theirs).unwrap(), TOL, "a");
    assert_rel_close(b.grad(&mine).unwrap(), b.grad(&theirs).unwrap(), TOL, "b");
}

#[test]
fn a_constant_input_gets_no_gradient_and_the_other_still_does() {
    let (plain, tracked) = (cpu(), cpu().autodiff());
    let a = seeded_tensor([2, 2], 1, &plain);
    let b = (seeded_tensor([2, 2], 2, &tracked) + 2.0).detach().require_grad();
    let grads = run(a.clone(), b.clone()).sum().backward();
    assert_rel_close(b.grad(&grads).unwrap(), a * b.clone().without_grad() * 2.0, TOL, "b");
}

trait WithoutGrad {
    fn without_grad(self) -> Self;
}

impl WithoutGrad for Tensor<2> {
    /// The same values on the plain device.
    fn without_grad(self) -> Self {
        Tensor::from_data(self.into_data(), &cpu())
    }
}

#[test]
fn without_autodiff_a_kernel_is_just_a_function() {
    let device = cpu();
    let y = run(Tensor::full([1, 2], 3.0, &device), Tensor::full([1, 2], 2.0, &device));
    assert_eq!(to_f64(y), [12.0, 12.0]);
}

#[test]
#[should_panic(expected = "fused kernels take f32")]
fn another_dtype_is_refused_in_words() {
    let device = cpu();
    let x = Tensor::<2>::full([1, 2], 3.0, &device).cast(burn::tensor::DType::F64);
    run(x.clone(), x);
}
