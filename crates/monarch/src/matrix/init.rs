//! Initial values of the factors.

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::shape::MonarchShape;
use crate::init::uniform_within;

/// How the factors of a [`MonarchLinear`](super::MonarchLinear) start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MonarchInit {
    /// Uniform, scaled so that the output has the variance of a dense layer's: a third of the input's.
    Dense,
    /// Uniform in `+-1/sqrt(inputs of a block)` in every factor, as published: each factor divides the variance by three.
    PerFactor,
    /// The identity. Needs `input_shape` and `output_shape` to be the same. Beyond rank 1, the first factor is random and
    /// the last one zero, so that the rest of the rank starts as zero and yet has a gradient.
    Identity,
}

pub(super) fn factors(
    shape: &MonarchShape,
    init: MonarchInit,
    d_input: usize,
    device: &Device,
) -> Vec<Tensor<3>> {
    let random = |gain: f64| -> Vec<Tensor<3>> {
        shape
            .factors()
            .into_iter()
            .map(|factor| uniform_within(factor, gain / (factor[2] as f64).sqrt(), device))
            .collect()
    };
    match init {
        MonarchInit::Dense => random(dense_gain(shape, d_input)),
        MonarchInit::PerFactor => random(1.0),
        MonarchInit::Identity => identity(shape, random(dense_gain(shape, d_input))),
    }
}

/// The bias starts like a dense layer's, as published, or at zero.
pub(super) fn first_bias(init: MonarchInit, d_input: usize, d_output: usize, device: &Device) -> Tensor<1> {
    let within = |fan: usize| uniform_within([d_output], 1.0 / (fan as f64).sqrt(), device);
    match init {
        MonarchInit::Dense => within(d_input),
        MonarchInit::PerFactor => within(d_output),
        MonarchInit::Identity => Tensor::zeros([d_output], device),
    }
}

/// A number uniform in `+-gain/sqrt(columns)` has the variance `gain^2 / (3 columns)`. An output sums products of one
/// number of each factor over all inputs, and all columns together are the padded inputs times the rank, so `gain^(2 p)
/// d_input / (3^p n_input) = 1/3` for `p` factors.
fn dense_gain(shape: &MonarchShape, d_input: usize) -> f64 {
    let order = shape.order() as f64;
    let padding = shape.n_input() as f64 / d_input as f64;
    (3f64.powf(order - 1.0) * padding).powf(0.5 / order)
}

/// Ones on the diagonal of every block. The first factor writes the rank before its axis, the last one reads it after.
fn identity(shape: &MonarchShape, random: Vec<Tensor<3>>) -> Vec<Tensor<3>> {
    let (last, device) = (random.len() - 1, random[0].device());
    let factor = |(t, random): (usize, Tensor<3>)| {
        let [blocks, rows, columns] = random.dims();
        let size = rows.min(columns);
        let ones = Tensor::<2>::eye(size, &device).unsqueeze::<3>().repeat_dim(0, blocks);
        if t == 0 && rows > size {
            return Tensor::cat(vec![ones, random.narrow(1, size, rows - size)], 1);
        }
        if t == last && columns > size {
            let (ones, rank) = (ones.unsqueeze_dim::<4>(3), columns / size);
            let rest = Tensor::zeros([blocks, rows, size, rank - 1], &device);
            return Tensor::cat(vec![ones, rest], 3).reshape([blocks, rows, columns]);
        }
        ones
    };
    debug_assert_eq!(shape.input, shape.output);
    random.into_iter().enumerate().map(factor).collect()
}
