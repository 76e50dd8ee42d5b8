//! Where the factors of a Monarch matrix along the sequence start.

use burn::module::Param;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use subquad_mixer::Choice;

use crate::init::uniform_within;

/// Where the factors of a Monarch matrix start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Choice)]
#[serde(rename_all = "snake_case")]
pub enum SequenceInit {
    /// The identity and some noise: at first every token gets itself.
    Identity,
    /// Uniform, of variance 1 / (entries of a row): at first every token gets a bit of all, with the variance of the input.
    Random,
}

/// Noise around the identity: a tenth of what [`SequenceInit::Random`] draws, so a row's noise has a hundredth of its power.
const NOISE: f64 = 0.1;

/// Square blocks `[n_heads, n_blocks, size, size]`.
pub(crate) fn factor(shape: [usize; 4], init: SequenceInit, device: &Device) -> Param<Tensor<4>> {
    let loud = 3f64.sqrt();
    match init {
        SequenceInit::Identity => near_identity(shape, NOISE * loud, device),
        SequenceInit::Random => Param::from_tensor(noise(shape, loud, device)),
    }
}

/// The identity and noise, uniform in `+-scale / sqrt(size)`.
pub(crate) fn near_identity(shape: [usize; 4], scale: f64, device: &Device) -> Param<Tensor<4>> {
    let identity = Tensor::<2>::eye(shape[3], device).unsqueeze::<4>();
    Param::from_tensor(noise(shape, scale, device) + identity)
}

fn noise(shape: [usize; 4], scale: f64, device: &Device) -> Tensor<4> {
    uniform_within(shape, scale / (shape[3] as f64).sqrt(), device)
}
