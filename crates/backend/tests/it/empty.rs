//! No sequences at all: fused operations make nothing of them, forward and backward, and gradients of parameters are zeros.

use burn::nn::LinearConfig;
use burn::tensor::Tensor;
use subquad_backend::fft_conv::{causal_conv, two_sided_conv};
use subquad_backend::layer_norm::layer_norm;
use subquad_backend::linear::{linear, linear_of_channels};
use subquad_backend::pointwise::{gelu, glu, swiglu};
use subquad_backend::short_conv::short_conv;
use subquad_backend::{Form, swap_axes};

use crate::{Leaf, run};
use subquad_testkit::cpu;

const FORM: Form = Form::Fused;

/// An input without sequences, then some parameters.
fn check<const D: usize>(shape: [usize; 3], parameters: Vec<Leaf>, f: impl Fn(&[Leaf]) -> Tensor<D>) {
    let inputs = std::iter::once(Leaf::new(shape, 1)).chain(parameters).collect();
    let (output, grads) = run(inputs, f);
    assert!(output.is_empty() && grads[0].is_empty());
    assert!(grads[1..].iter().flatten().all(|grad| *grad == 0.0), "{grads:?}");
}

#[test]
fn operations_take_a_batch_of_nothing() {
    let layer = LinearConfig::new(4, 6).init(&cpu().autodiff());
    check([0, 3, 4], vec![], |x| linear(&layer, x[0].three(), FORM));
    check([0, 4, 3], vec![], |x| linear_of_channels(&layer, x[0].three(), FORM));
    check([0, 3, 4], vec![], |x| swap_axes(x[0].three(), FORM));
    check([0, 3, 4], vec![], |x| gelu(x[0].three(), FORM));
    check([0, 3, 4], vec![], |x| glu(x[0].three(), FORM));
    check([0, 3, 4], vec![], |x| swiglu(x[0].three(), FORM));
    let norm = vec![Leaf::new([4], 2), Leaf::new([4], 3)];
    check([0, 3, 4], norm, |x| layer_norm(x[0].three(), x[1].one(), x[2].one(), 1e-5, FORM));
    let short = vec![Leaf::new([4, 3], 2), Leaf::new([4], 3)];
    check([0, 3, 4], short, |x| short_conv(x[0].three(), x[1].two(), x[2].one(), FORM));
    let kernels = vec![Leaf::new([4, 3], 2), Leaf::new([4, 3], 3)];
    check([0, 4, 3], kernels.clone(), |x| causal_conv(x[0].three(), x[1].two() + x[2].two(), FORM));
    check([0, 4, 3], kernels, |x| two_sided_conv(x[0].three(), x[1].two(), x[2].two(), FORM));
}
