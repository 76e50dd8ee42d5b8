//! Layers along the width: channel mixers, and the linear layers that they consist of.

use burn::tensor::Device;
use subquad_monarch::{BlockDiagonalMlpConfig, DenseMlpConfig, MonarchMlpConfig, reference};

use super::subject::{Hidden, Subject, tokens};
use crate::layer::channel;
use crate::{Layer, Sizes};

/// Passes on what a config knows itself.
macro_rules! delegate_to_config {
    () => {
        fn check(sizes: &Sizes) -> Result<(), String> {
            Self::config(sizes).check().map_err(|error| error.to_string())
        }

        fn n_parameters(sizes: &Sizes) -> usize {
            Self::config(sizes).n_parameters()
        }

        fn flops(sizes: &Sizes) -> usize {
            Self::config(sizes).flops()
        }
    };
}

pub(super) use delegate_to_config;

/// What the table of subjects asks of a layer along the width.
pub(super) trait ChannelLayer {
    /// What it has between input and output.
    const HIDDEN: Hidden;
    /// Number of floats alive per hidden feature and token.
    const HIDDEN_ACTIVATIONS: f64;

    fn check(sizes: &Sizes) -> Result<(), String>;
    fn build(sizes: &Sizes, device: &Device) -> Box<dyn Layer>;
    fn definition(sizes: &Sizes, parameters: &[f64], x: &[f64]) -> Vec<f64>;
    fn n_parameters(sizes: &Sizes) -> usize;
    /// Operations of the forward pass for one token.
    fn flops(sizes: &Sizes) -> usize;
}

pub(super) const fn subject<K: ChannelLayer>(name: &'static str, summary: &'static str) -> Subject {
    Subject {
        name,
        summary,
        hidden: K::HIDDEN,
        check: K::check,
        build: K::build,
        input: tokens,
        definition: |sizes, parameters, x| K::definition(sizes, &parameters.concat(), x),
        alive: alive::<K>,
        flops: flops::<K>,
    }
}

/// Weights and their gradients; input, output and hidden values and their gradients.
fn alive<K: ChannelLayer>(sizes: &Sizes) -> f64 {
    let hidden = K::HIDDEN_ACTIVATIONS * (sizes.tokens() * sizes.d_hidden()) as f64;
    2.0 * K::n_parameters(sizes) as f64 + 4.0 * sizes.elements() as f64 + hidden
}

/// A product has two gradients, each as large as itself.
fn flops<K: ChannelLayer>(sizes: &Sizes) -> Option<f64> {
    Some(3.0 * K::flops(sizes) as f64 * sizes.tokens() as f64)
}

/// Around a GELU.
pub(super) const PLAIN: bool = false;
/// Around a gate.
pub(super) const GATED: bool = true;

/// What is kept of a hidden width: before the gate there are two.
const fn hidden_activations(gated: bool) -> f64 {
    if gated { GATED_ACTIVATIONS } else { PLAIN_ACTIVATIONS }
}

const PLAIN_ACTIVATIONS: f64 = 2.0;
const GATED_ACTIVATIONS: f64 = 3.5;

pub(super) struct Dense<const GATED: bool>;

impl<const GATED: bool> Dense<GATED> {
    fn config(sizes: &Sizes) -> DenseMlpConfig {
        DenseMlpConfig::new(sizes.d_model, sizes.d_hidden()).with_gated(GATED)
    }
}

impl<const GATED: bool> ChannelLayer for Dense<GATED> {
    const HIDDEN: Hidden = Hidden::Width;
    const HIDDEN_ACTIVATIONS: f64 = hidden_activations(GATED);

    delegate_to_config!();

    fn build(sizes: &Sizes, device: &Device) -> Box<dyn Layer> {
        channel(Self::config(sizes).init(device))
    }

    fn definition(sizes: &Sizes, parameters: &[f64], x: &[f64]) -> Vec<f64> {
        reference::dense_mlp(&Self::config(sizes), parameters, x)
    }
}

pub(super) struct BlockDiagonal<const GATED: bool>;

impl<const GATED: bool> BlockDiagonal<GATED> {
    fn config(sizes: &Sizes) -> BlockDiagonalMlpConfig {
        BlockDiagonalMlpConfig::new(sizes.d_model, sizes.d_hidden())
            .with_n_blocks(sizes.n_blocks)
            .with_gated(GATED)
    }
}

impl<const GATED: bool> ChannelLayer for BlockDiagonal<GATED> {
    const HIDDEN: Hidden = Hidden::WidthInBlocks;
    const HIDDEN_ACTIVATIONS: f64 = hidden_activations(GATED);

    delegate_to_config!();

    fn build(sizes: &Sizes, device: &Device) -> Box<dyn Layer> {
        channel(Self::config(sizes).init(device))
    }

    fn definition(sizes: &Sizes, parameters: &[f64], x: &[f64]) -> Vec<f64> {
        reference::block_diagonal_mlp(&Self::config(sizes), parameters, x)
    }
}

/// Monarch layers, cut near the root of each width.
pub(super) struct Monarch<const GATED: bool>;

impl<const GATED: bool> Monarch<GATED> {
    fn config(sizes: &Sizes) -> MonarchMlpConfig {
        MonarchMlpConfig::new(sizes.d_model, sizes.d_hidden()).with_gated(GATED)
    }
}

impl<const GATED: bool> ChannelLayer for Monarch<GATED> {
    const HIDDEN: Hidden = Hidden::Width;
    const HIDDEN_ACTIVATIONS: f64 = hidden_activations(GATED);

    delegate_to_config!();

    fn build(sizes: &Sizes, device: &Device) -> Box<dyn Layer> {
        channel(Self::config(sizes).init(device))
    }

    fn definition(sizes: &Sizes, parameters: &[f64], x: &[f64]) -> Vec<f64> {
        reference::monarch_mlp(&Self::config(sizes), parameters, x)
    }
}
