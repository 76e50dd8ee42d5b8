//! Layers along the width: channel mixers, and the linear layers that they consist of.

use burn::nn::LinearConfig;
use burn::tensor::Device;
use subquad_backend::Form;
use subquad_backend::linear::linear;
use subquad_mixer::ChannelMixer;
use subquad_monarch::{
    BlockDiagonalLinearConfig, BlockDiagonalMlpConfig, DenseMlpConfig, MonarchLinearConfig, MonarchMlpConfig,
    SwigluConfig, reference,
};

use super::subject::{Subject, tokens};
use crate::layer::operation;
use crate::{Layer, Sizes};

/// Layers along the width. Those with the same hidden width and the same gate or GELU differ only in their matrices.
pub(super) const SUBJECTS: &[Subject] = &[
    subject::<DenseMlpConfig, PLAIN>("dense", "dense MLP with a GELU"),
    subject::<DenseMlpConfig, GATED>("dense_glu", "dense MLP with a GELU gate"),
    subject::<SwigluConfig, GATED>("swiglu", "dense MLP with a SiLU gate, without biases"),
    subject::<BlockDiagonalMlpConfig, GATED>(
        "block_diagonal",
        "block-diagonal (Monarch) MLP with a GELU gate",
    ),
    subject::<BlockDiagonalMlpConfig, PLAIN>("block_diagonal_mlp", "block-diagonal MLP with a GELU"),
    subject::<MonarchMlpConfig, PLAIN>(
        "monarch_mlp",
        "MLP of Monarch matrices, cut near the root, with a GELU",
    ),
    subject::<MonarchMlpConfig, GATED>(
        "monarch_glu",
        "MLP of Monarch matrices, cut near the root, with a GELU gate",
    ),
    subject::<LinearConfig, PLAIN>("dense_linear", "only a dense linear layer, d_model to d_model"),
    subject::<BlockDiagonalLinearConfig, PLAIN>("block_diagonal_linear", "the same, block-diagonal"),
    subject::<MonarchLinearConfig, PLAIN>("monarch_linear", "the same, a Monarch matrix cut near the root"),
];

/// Around a GELU, or around nothing.
const PLAIN: bool = false;
/// Around a gate.
const GATED: bool = true;

/// The config of a layer along the width.
trait WidthConfig: Sized {
    const HAS_HIDDEN: bool = false;
    const HAS_BLOCKS: bool = false;

    /// The config at these sizes. A linear layer has no gate, and swiglu always has one.
    fn of(sizes: &Sizes, gated: bool) -> Self;
    fn layer(&self, device: &Device) -> Box<dyn Layer>;
    fn definition(&self, parameters: &[f64], x: &[f64]) -> Vec<f64>;
    /// Why the layer cannot be built.
    fn refusal(&self) -> Result<(), String>;
    /// Number of parameters.
    fn parameters(&self) -> usize;
    /// Floating-point operations of the forward pass for one token.
    fn operations(&self) -> usize;
}

/// Answers what the configs of our own layers answer by themselves.
macro_rules! own_answers {
    () => {
        fn refusal(&self) -> Result<(), String> {
            self.check().map_err(|error| error.to_string())
        }

        fn parameters(&self) -> usize {
            self.n_parameters()
        }

        fn operations(&self) -> usize {
            self.flops()
        }
    };
}

const fn subject<C: WidthConfig, const GATED: bool>(name: &'static str, summary: &'static str) -> Subject {
    Subject {
        name,
        summary,
        has_hidden: C::HAS_HIDDEN,
        has_blocks: C::HAS_BLOCKS,
        check: |sizes| C::of(sizes, GATED).refusal(),
        build: |sizes, device| C::of(sizes, GATED).layer(device),
        input: tokens,
        definition: |sizes, parameters, x| C::of(sizes, GATED).definition(&parameters.concat(), x),
        alive: alive::<C, GATED>,
        // A product has two gradients, each as large as itself.
        flops: |sizes| Some(3.0 * C::of(sizes, GATED).operations() as f64 * sizes.tokens() as f64),
    }
}

/// Weights and their gradients; input, output and hidden values and their gradients.
fn alive<C: WidthConfig, const GATED: bool>(sizes: &Sizes) -> f64 {
    let activations = if GATED { GATED_ACTIVATIONS } else { PLAIN_ACTIVATIONS };
    let hidden = if C::HAS_HIDDEN { activations * (sizes.tokens() * sizes.d_hidden()) as f64 } else { 0.0 };
    2.0 * C::of(sizes, GATED).parameters() as f64 + 4.0 * sizes.elements() as f64 + hidden
}

/// Number of floats alive per hidden feature and token.
const PLAIN_ACTIVATIONS: f64 = 2.0;
/// The same with a gate, in front of which there are two hidden widths.
const GATED_ACTIVATIONS: f64 = 3.5;

impl WidthConfig for DenseMlpConfig {
    const HAS_HIDDEN: bool = true;

    own_answers!();

    fn of(sizes: &Sizes, gated: bool) -> Self {
        Self::new(sizes.d_model, sizes.d_hidden()).with_gated(gated)
    }

    fn layer(&self, device: &Device) -> Box<dyn Layer> {
        operation(self.init(device), ChannelMixer::forward)
    }

    fn definition(&self, parameters: &[f64], x: &[f64]) -> Vec<f64> {
        reference::dense_mlp(self, parameters, x)
    }
}

impl WidthConfig for SwigluConfig {
    const HAS_HIDDEN: bool = true;

    own_answers!();

    fn of(sizes: &Sizes, _: bool) -> Self {
        Self::new(sizes.d_model, sizes.d_hidden())
    }

    fn layer(&self, device: &Device) -> Box<dyn Layer> {
        operation(self.init(device), ChannelMixer::forward)
    }

    fn definition(&self, parameters: &[f64], x: &[f64]) -> Vec<f64> {
        reference::swiglu(self, parameters, x)
    }
}

impl WidthConfig for BlockDiagonalMlpConfig {
    const HAS_HIDDEN: bool = true;
    const HAS_BLOCKS: bool = true;

    own_answers!();

    fn of(sizes: &Sizes, gated: bool) -> Self {
        Self::new(sizes.d_model, sizes.d_hidden()).with_n_blocks(sizes.n_blocks).with_gated(gated)
    }

    fn layer(&self, device: &Device) -> Box<dyn Layer> {
        operation(self.init(device), ChannelMixer::forward)
    }

    fn definition(&self, parameters: &[f64], x: &[f64]) -> Vec<f64> {
        reference::block_diagonal_mlp(self, parameters, x)
    }
}

/// Cut near the root of each width.
impl WidthConfig for MonarchMlpConfig {
    const HAS_HIDDEN: bool = true;

    own_answers!();

    fn of(sizes: &Sizes, gated: bool) -> Self {
        Self::new(sizes.d_model, sizes.d_hidden()).with_gated(gated)
    }

    fn layer(&self, device: &Device) -> Box<dyn Layer> {
        operation(self.init(device), ChannelMixer::forward)
    }

    fn definition(&self, parameters: &[f64], x: &[f64]) -> Vec<f64> {
        reference::monarch_mlp(self, parameters, x)
    }
}

impl WidthConfig for LinearConfig {
    fn of(sizes: &Sizes, _: bool) -> Self {
        Self::new(sizes.d_model, sizes.d_model)
    }

    fn layer(&self, device: &Device) -> Box<dyn Layer> {
        operation(self.init(device), |layer, x| {
            let form = Form::for_device(&x.device());
            linear(layer, x, form)
        })
    }

    /// `x W + bias`, row by row.
    fn definition(&self, parameters: &[f64], x: &[f64]) -> Vec<f64> {
        let (weight, bias) = parameters.split_at(self.d_input * self.d_output);
        let entry = |row: &[f64], o: usize| {
            bias[o] + row.iter().enumerate().map(|(i, x)| x * weight[i * self.d_output + o]).sum::<f64>()
        };
        let rows = x.chunks(self.d_input);
        rows.flat_map(|row| (0..self.d_output).map(|o| entry(row, o)).collect::<Vec<_>>()).collect()
    }

    fn refusal(&self) -> Result<(), String> {
        Ok(())
    }

    fn parameters(&self) -> usize {
        (self.d_input + 1) * self.d_output
    }

    fn operations(&self) -> usize {
        2 * self.d_input * self.d_output
    }
}

impl WidthConfig for BlockDiagonalLinearConfig {
    const HAS_BLOCKS: bool = true;

    own_answers!();

    fn of(sizes: &Sizes, _: bool) -> Self {
        Self::new(sizes.d_model, sizes.d_model, sizes.n_blocks)
    }

    fn layer(&self, device: &Device) -> Box<dyn Layer> {
        operation(self.init(device), |layer, x| layer.forward(x))
    }

    fn definition(&self, parameters: &[f64], x: &[f64]) -> Vec<f64> {
        reference::block_diagonal_linear(self, parameters, x)
    }
}

/// Cut near the root of the width.
impl WidthConfig for MonarchLinearConfig {
    own_answers!();

    fn of(sizes: &Sizes, _: bool) -> Self {
        Self::new(sizes.d_model, sizes.d_model)
    }

    fn layer(&self, device: &Device) -> Box<dyn Layer> {
        operation(self.init(device), |layer, x| layer.forward(x))
    }

    fn definition(&self, parameters: &[f64], x: &[f64]) -> Vec<f64> {
        reference::monarch_linear(self, parameters, x)
    }
}
