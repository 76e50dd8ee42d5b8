//! Hyena of order 2.

use burn::tensor::Device;
use subquad_monarch::{HyenaConfig, reference};

use crate::bench::decode::STEPS;
use crate::bench::layer::sequence;
use crate::bench::{Layer, Sizes};

/// Its filters reach as far as decoding goes on from a context; shorter sequences do not draw the rest.
fn config(sizes: &Sizes) -> HyenaConfig {
    HyenaConfig::new(sizes.d_model, sizes.seq_len + 1 + STEPS)
}

pub(super) fn check(sizes: &Sizes) -> Result<(), String> {
    config(sizes).check().map_err(|error| error.to_string())
}

pub(super) fn build(sizes: &Sizes, device: &Device) -> Box<dyn Layer> {
    sequence(config(sizes).init(device))
}

pub(super) fn definition(sizes: &Sizes, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
    reference::hyena(&config(sizes), &parameters.concat(), x)
}

pub(super) fn alive(sizes: &Sizes) -> f64 {
    ACTIVATIONS * sizes.elements() as f64 + 8.0 * (sizes.d_model as f64).powi(2)
}

/// Floats alive for each float of the input.
const ACTIVATIONS: f64 = 16.0;
