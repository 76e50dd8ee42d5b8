//! Learned Monarch matrices along the sequence, between the projections and gates of M2.

use burn::tensor::Device;
use subquad_monarch::{CausalMonarchConfig, LearnedMonarchConfig, reference};

use crate::bench::layer::sequence;
use crate::bench::{Layer, Sizes};

fn config(sizes: &Sizes) -> LearnedMonarchConfig {
    LearnedMonarchConfig::new(sizes.d_model, sizes.seq_len)
}

pub(super) fn check(sizes: &Sizes) -> Result<(), String> {
    config(sizes).check().map_err(|error| error.to_string())
}

pub(super) fn build(sizes: &Sizes, device: &Device) -> Box<dyn Layer> {
    sequence(config(sizes).init(device))
}

pub(super) fn definition(sizes: &Sizes, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
    reference::learned_monarch(&config(sizes), &parameters.concat(), x)
}

pub(super) fn alive(sizes: &Sizes) -> f64 {
    ACTIVATIONS * sizes.elements() as f64 + 2.0 * config(sizes).n_parameters() as f64
}

/// Floats alive for each float of the input.
const ACTIVATIONS: f64 = 18.0;

pub(super) fn flops(sizes: &Sizes) -> f64 {
    with_gradients(config(sizes).flops(sizes.seq_len), sizes)
}

fn causal_config(sizes: &Sizes) -> CausalMonarchConfig {
    CausalMonarchConfig::new(sizes.d_model, sizes.seq_len)
}

pub(super) fn check_causal(sizes: &Sizes) -> Result<(), String> {
    causal_config(sizes).check().map_err(|error| error.to_string())
}

pub(super) fn build_causal(sizes: &Sizes, device: &Device) -> Box<dyn Layer> {
    sequence(causal_config(sizes).init(device))
}

pub(super) fn causal(sizes: &Sizes, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
    reference::causal_monarch(&causal_config(sizes), &parameters.concat(), x)
}

pub(super) fn alive_causal(sizes: &Sizes) -> f64 {
    CAUSAL_ACTIVATIONS * sizes.elements() as f64 + 2.0 * causal_config(sizes).n_parameters() as f64
}

/// Floats alive for each float of the input.
const CAUSAL_ACTIVATIONS: f64 = 15.0;

pub(super) fn flops_causal(sizes: &Sizes) -> f64 {
    with_gradients(causal_config(sizes).flops(sizes.seq_len), sizes)
}

/// A product has two gradients, each as large as itself.
fn with_gradients(flops: usize, sizes: &Sizes) -> f64 {
    3.0 * flops as f64 * sizes.batch as f64
}
