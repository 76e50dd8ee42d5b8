//! Three forms of every operation, one map.
#![allow(clippy::unwrap_used)]

mod empty;
mod fft_conv;
mod glue;
mod layer_norm;
mod linear;
mod mean_square;
mod micro;
mod mlp;
mod multiply;
mod pointwise;
mod random;
mod row_linear;
mod short_conv;
mod simd;
mod svd;
mod swap_axes;
mod tail;
mod tail_definition;
mod transpose;
mod unwritten;

use burn::tensor::{Device, Tensor};
use subquad_testkit::{cpu, seeded_tensor, to_f64};

/// f32 sums of a thousand terms and FFTs of 2048 points lose about 1e-6 (measured here); ten times that.
const VALUE_TOL: f64 = 1e-5;
/// Gradients add over the batch as well.
const GRAD_TOL: f64 = 2e-5;

/// Output and gradients of `sum(f(inputs) * g)` for a fixed random `g`.
fn run<const D: usize>(inputs: Vec<Leaf>, f: impl Fn(&[Leaf]) -> Tensor<D>) -> (Vec<f64>, Vec<Vec<f64>>) {
    let device = cpu().autodiff();
    let inputs: Vec<Leaf> = inputs.into_iter().map(|leaf| leaf.tracked(&device)).collect();
    let output = f(&inputs);
    let weights = seeded_tensor(output.dims(), 99, &device);
    let grads = (output.clone() * weights).sum().backward();
    (to_f64(output), inputs.iter().map(|leaf| leaf.grad(&grads)).collect())
}

/// An input of any rank.
#[derive(Clone)]
enum Leaf {
    One(Tensor<1>),
    Two(Tensor<2>),
    Three(Tensor<3>),
}

impl Leaf {
    fn new<const D: usize>(shape: [usize; D], seed: u64) -> Self {
        let device = cpu();
        match *shape.as_slice() {
            [a] => Self::One(seeded_tensor([a], seed, &device)),
            [a, b] => Self::Two(seeded_tensor([a, b], seed, &device)),
            [a, b, c] => Self::Three(seeded_tensor([a, b, c], seed, &device)),
            _ => panic!("rank 1 to 3"),
        }
    }

    fn tracked(self, device: &Device) -> Self {
        match self {
            Self::One(t) => Self::One(Tensor::from_data(t.into_data(), device).require_grad()),
            Self::Two(t) => Self::Two(Tensor::from_data(t.into_data(), device).require_grad()),
            Self::Three(t) => Self::Three(Tensor::from_data(t.into_data(), device).require_grad()),
        }
    }

    /// burn gives no gradient to a tensor that was not used, such as the reverse kernel of a single token: zero.
    fn grad(&self, grads: &burn::tensor::Gradients) -> Vec<f64> {
        let found = match self {
            Self::One(t) => t.grad(grads).map(to_f64),
            Self::Two(t) => t.grad(grads).map(to_f64),
            Self::Three(t) => t.grad(grads).map(to_f64),
        };
        found.unwrap_or_else(|| vec![0.0; self.values().len()])
    }

    fn one(&self) -> Tensor<1> {
        match self {
            Self::One(t) => t.clone(),
            _ => panic!("rank 1"),
        }
    }

    fn two(&self) -> Tensor<2> {
        match self {
            Self::Two(t) => t.clone(),
            _ => panic!("rank 2"),
        }
    }

    fn three(&self) -> Tensor<3> {
        match self {
            Self::Three(t) => t.clone(),
            _ => panic!("rank 3"),
        }
    }

    fn values(&self) -> Vec<f64> {
        match self {
            Self::One(t) => to_f64(t.clone()),
            Self::Two(t) => to_f64(t.clone()),
            Self::Three(t) => to_f64(t.clone()),
        }
    }
}

/// The weights that [`run`] gives the output, for references.
fn output_weights<const D: usize>(shape: [usize; D]) -> Vec<f64> {
    to_f64(seeded_tensor(shape, 99, &cpu()))
}
