//! Channel mixers: a dense MLP and a block-diagonal one.

use burn::tensor::Device;
use subquad_monarch::{BlockDiagonalMlpConfig, DenseMlpConfig, reference};

use super::linear_flops;
use crate::bench::layer::channel;
use crate::bench::{Layer, Sizes};

fn dense_config(sizes: &Sizes) -> DenseMlpConfig {
    DenseMlpConfig::new(sizes.d_model, sizes.d_hidden())
}

pub(super) fn check_dense(sizes: &Sizes) -> Result<(), String> {
    dense_config(sizes).check().map_err(|error| error.to_string())
}

pub(super) fn build_dense(sizes: &Sizes, device: &Device) -> Box<dyn Layer> {
    channel(dense_config(sizes).init(device))
}

pub(super) fn dense(sizes: &Sizes, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
    reference::dense_mlp(&dense_config(sizes), &parameters.concat(), x)
}

pub(super) fn alive_dense(sizes: &Sizes) -> f64 {
    alive(2.0 * sizes.d_model as f64 * sizes.d_hidden() as f64, sizes)
}

pub(super) fn flops_dense(sizes: &Sizes) -> f64 {
    linear_flops(2 * sizes.d_model * sizes.d_hidden(), sizes)
}

fn block_diagonal_config(sizes: &Sizes) -> BlockDiagonalMlpConfig {
    BlockDiagonalMlpConfig::new(sizes.d_model, sizes.d_hidden()).with_n_blocks(sizes.n_blocks)
}

pub(super) fn check_block_diagonal(sizes: &Sizes) -> Result<(), String> {
    block_diagonal_config(sizes).check().map_err(|error| error.to_string())
}

pub(super) fn build_block_diagonal(sizes: &Sizes, device: &Device) -> Box<dyn Layer> {
    channel(block_diagonal_config(sizes).init(device))
}

pub(super) fn block_diagonal(sizes: &Sizes, parameters: &[Vec<f64>], x: &[f64]) -> Vec<f64> {
    reference::block_diagonal_mlp(&block_diagonal_config(sizes), &parameters.concat(), x)
}

pub(super) fn alive_block_diagonal(sizes: &Sizes) -> f64 {
    alive(3.0 * sizes.d_model as f64 * sizes.d_hidden() as f64 / sizes.n_blocks as f64, sizes)
}

/// Twice the hidden width comes out of the first layer, for the gate.
pub(super) fn flops_block_diagonal(sizes: &Sizes) -> f64 {
    let block = |width: usize| width.div_ceil(sizes.n_blocks);
    let (d_model, hidden) = (block(sizes.d_model), sizes.d_hidden());
    linear_flops(sizes.n_blocks * d_model * (block(2 * hidden) + block(hidden)), sizes)
}

/// Weights and their gradients; input, output and hidden values and their gradients.
fn alive(weights: f64, sizes: &Sizes) -> f64 {
    2.0 * weights + 4.0 * sizes.elements() as f64 + 2.0 * (sizes.tokens() * sizes.d_hidden()) as f64
}
