//! One linear layer from the width to the same width, with a bias.

use burn::nn::LinearConfig;
use burn::tensor::Device;
use subquad_backend::Form;
use subquad_backend::linear::linear;
use subquad_monarch::{BlockDiagonalLinearConfig, MonarchLinearConfig, reference};

use super::channel::{ChannelLayer, delegate_to_config};
use super::subject::Hidden;
use crate::layer::operation;
use crate::{Layer, Sizes};

pub(super) struct DenseLinear;

impl ChannelLayer for DenseLinear {
    const HIDDEN: Hidden = Hidden::Nothing;
    const HIDDEN_ACTIVATIONS: f64 = 0.0;

    fn check(_: &Sizes) -> Result<(), String> {
        Ok(())
    }

    fn build(sizes: &Sizes, device: &Device) -> Box<dyn Layer> {
        operation(LinearConfig::new(sizes.d_model, sizes.d_model).init(device), |layer, x| {
            let form = Form::for_device(&x.device());
            linear(layer, x, form)
        })
    }

    fn definition(sizes: &Sizes, parameters: &[f64], x: &[f64]) -> Vec<f64> {
        let (weight, bias) = parameters.split_at(sizes.d_model * sizes.d_model);
        affine(x, weight, bias)
    }

    fn n_parameters(sizes: &Sizes) -> usize {
        (sizes.d_model + 1) * sizes.d_model
    }

    fn flops(sizes: &Sizes) -> usize {
        2 * sizes.d_model * sizes.d_model
    }
}

pub(super) struct BlockDiagonalLinear;

impl BlockDiagonalLinear {
    fn config(sizes: &Sizes) -> BlockDiagonalLinearConfig {
        BlockDiagonalLinearConfig::new(sizes.d_model, sizes.d_model, sizes.n_blocks)
    }
}

impl ChannelLayer for BlockDiagonalLinear {
    const HIDDEN: Hidden = Hidden::Blocks;
    const HIDDEN_ACTIVATIONS: f64 = 0.0;

    delegate_to_config!();

    fn build(sizes: &Sizes, device: &Device) -> Box<dyn Layer> {
        operation(Self::config(sizes).init(device), |layer, x| layer.forward(x))
    }

    fn definition(sizes: &Sizes, parameters: &[f64], x: &[f64]) -> Vec<f64> {
        reference::block_diagonal_linear(&Self::config(sizes), parameters, x)
    }
}

/// Cut near the root of the width.
pub(super) struct MonarchLinear;

impl MonarchLinear {
    fn config(sizes: &Sizes) -> MonarchLinearConfig {
        MonarchLinearConfig::new(sizes.d_model, sizes.d_model)
    }
}

impl ChannelLayer for MonarchLinear {
    const HIDDEN: Hidden = Hidden::Nothing;
    const HIDDEN_ACTIVATIONS: f64 = 0.0;

    delegate_to_config!();

    fn build(sizes: &Sizes, device: &Device) -> Box<dyn Layer> {
        operation(Self::config(sizes).init(device), |layer, x| layer.forward(x))
    }

    fn definition(sizes: &Sizes, parameters: &[f64], x: &[f64]) -> Vec<f64> {
        reference::monarch_linear(&Self::config(sizes), parameters, x)
    }
}

/// `x W + bias`, row by row.
fn affine(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let (d_input, d_output) = (weight.len() / bias.len(), bias.len());
    let entry = |row: &[f64], o: usize| {
        bias[o] + row.iter().enumerate().map(|(i, x)| x * weight[i * d_output + o]).sum::<f64>()
    };
    x.chunks(d_input).flat_map(|row| (0..d_output).map(|o| entry(row, o)).collect::<Vec<_>>()).collect()
}
