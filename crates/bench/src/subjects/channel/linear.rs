//! One linear layer from the width to the same width, with a bias.

use burn::nn::LinearConfig;
use burn::tensor::Device;
use subquad_backend::Form;
use subquad_backend::linear::linear;
use subquad_monarch::{BlockDiagonalLinearConfig, MonarchLinearConfig, reference};

use super::super::{Hidden, linear as rows};
use super::Kind;
use crate::layer::bare;
use crate::{Layer, Sizes};

pub(in super::super) struct DenseLinear;

impl Kind for DenseLinear {
    const HIDDEN: Hidden = Hidden::Nothing;
    const HIDDEN_ACTIVATIONS: f64 = 0.0;

    fn check(_: &Sizes) -> Result<(), String> {
        Ok(())
    }

    fn build(sizes: &Sizes, device: &Device) -> Box<dyn Layer> {
        bare(LinearConfig::new(sizes.d_model, sizes.d_model).init(device), |layer, x| {
            let form = Form::for_device(&x.device());
            linear(layer, x, form)
        })
    }

    fn definition(sizes: &Sizes, parameters: &[f64], x: &[f64]) -> Vec<f64> {
        let (weight, bias) = parameters.split_at(sizes.d_model * sizes.d_model);
        rows(x, weight, bias)
    }

    fn n_parameters(sizes: &Sizes) -> usize {
        (sizes.d_model + 1) * sizes.d_model
    }

    fn flops(sizes: &Sizes) -> usize {
        2 * sizes.d_model * sizes.d_model
    }
}

pub(in super::super) struct BlockDiagonalLinear;

impl BlockDiagonalLinear {
    fn config(sizes: &Sizes) -> BlockDiagonalLinearConfig {
        BlockDiagonalLinearConfig::new(sizes.d_model, sizes.d_model, sizes.n_blocks)
    }
}

impl Kind for BlockDiagonalLinear {
    const HIDDEN: Hidden = Hidden::Blocks;
    const HIDDEN_ACTIVATIONS: f64 = 0.0;

    words_of_config!();

    fn build(sizes: &Sizes, device: &Device) -> Box<dyn Layer> {
        bare(Self::config(sizes).init(device), |layer, x| layer.forward(x))
    }

    fn definition(sizes: &Sizes, parameters: &[f64], x: &[f64]) -> Vec<f64> {
        reference::block_diagonal_linear(&Self::config(sizes), parameters, x)
    }
}

/// A Monarch layer, cut near the root of the width.
pub(in super::super) struct MonarchLinear;

impl MonarchLinear {
    fn config(sizes: &Sizes) -> MonarchLinearConfig {
        MonarchLinearConfig::new(sizes.d_model, sizes.d_model)
    }
}

impl Kind for MonarchLinear {
    const HIDDEN: Hidden = Hidden::Nothing;
    const HIDDEN_ACTIVATIONS: f64 = 0.0;

    words_of_config!();

    fn build(sizes: &Sizes, device: &Device) -> Box<dyn Layer> {
        bare(Self::config(sizes).init(device), |layer, x| layer.forward(x))
    }

    fn definition(sizes: &Sizes, parameters: &[f64], x: &[f64]) -> Vec<f64> {
        reference::monarch_linear(&Self::config(sizes), parameters, x)
    }
}
