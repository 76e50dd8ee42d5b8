//! One layer that can be measured.

use burn::tensor::Device;

use crate::{Layer, Sizes};

/// A layer that can be measured: how to make it, its definition, and what it needs.
#[derive(Debug, Clone, Copy)]
pub struct Subject {
    /// The name on the command line, in configs and in results.
    pub name: &'static str,
    /// What exactly is measured.
    pub summary: &'static str,
    /// Whether it has a hidden width between input and output.
    pub has_hidden: bool,
    /// Whether it has blocks.
    pub has_blocks: bool,
    /// Whether the layer can have these sizes.
    pub check: fn(&Sizes) -> Result<(), String>,
    /// The layer. Weights come from the device's generator.
    pub build: Build,
    /// Shape of its input.
    pub input: fn(&Sizes) -> [usize; 3],
    /// The layer in f64.
    pub definition: Definition,
    /// Roughly how many floats are alive when memory is highest, as measured at a few thousand tokens.
    pub alive: Alive,
    /// Floating-point operations of forward and backward, as [`Flops`](subquad_mixer::Flops) counts them; `None` if the layer does not
    /// say.
    pub flops: Operations,
}

/// Makes a layer on a device.
pub(super) type Build = fn(&Sizes, &Device) -> Box<dyn Layer>;
/// Counts floats.
pub(super) type Alive = fn(&Sizes) -> f64;

/// Counts operations.
pub(super) type Operations = fn(&Sizes) -> Option<f64>;

/// A layer by definition, on one sequence: from the parameter tensors, in field order, and the input.
pub type Definition = fn(&Sizes, &[Vec<f64>], &[f64]) -> Vec<f64>;

/// The shape of tokens: `[batch, seq_len, d_model]`.
pub(super) fn tokens(sizes: &Sizes) -> [usize; 3] {
    [sizes.batch, sizes.seq_len, sizes.d_model]
}
