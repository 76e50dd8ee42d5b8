//! The table of layers that can be measured.

mod attention;
mod channel;
mod fft_conv;
mod h3;
mod hyena;
mod m2;
mod monarch;
mod s4;
mod s4d;

use std::fmt::Debug;

use burn::tensor::Device;

use super::{Layer, Sizes};
use crate::config::suggest;
use channel::{BlockDiagonal, BlockDiagonalLinear, Dense, DenseLinear, GATED, Monarch, MonarchLinear, PLAIN};

/// A layer that can be measured: how to make it, its definition, and what it needs.
#[derive(Debug, Clone, Copy)]
pub struct Subject {
    /// As on the command line, in configs and in results.
    pub name: &'static str,
    /// What exactly is measured.
    pub summary: &'static str,
    /// What it has between input and output.
    pub hidden: Hidden,
    /// Whether the layer can have these sizes.
    pub check: fn(&Sizes) -> Result<(), String>,
    /// The layer. Weights come from the device's generator.
    pub build: fn(&Sizes, &Device) -> Box<dyn Layer>,
    /// Shape of its input.
    pub input: fn(&Sizes) -> [usize; 3],
    /// The layer in f64.
    pub definition: Definition,
    /// Roughly how many floats are alive when memory is highest, as measured at a few thousand tokens.
    pub alive: fn(&Sizes) -> f64,
    /// Floating-point operations of forward and backward, where products of matrices are nearly all of the work.
    pub flops: Option<fn(&Sizes) -> f64>,
}

/// A layer by definition, on one sequence: from the parameter tensors, in field order, and the input.
pub type Definition = fn(&Sizes, &[Vec<f64>], &[f64]) -> Vec<f64>;

/// What of [`Sizes`] a layer has besides batch, length and width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hidden {
    /// Nothing.
    Nothing,
    /// A hidden width.
    Width,
    /// Blocks.
    Blocks,
    /// A hidden width in blocks.
    WidthInBlocks,
}

/// Layers along the sequence.
pub const SEQUENCE: &[Subject] = &[
    Subject {
        name: "attention",
        summary: "softmax attention: causal, 4 heads, no positions",
        hidden: Hidden::Nothing,
        check: attention::check,
        build: attention::build,
        input: tokens,
        definition: attention::definition,
        alive: attention::alive,
        flops: Some(attention::flops),
    },
    Subject {
        name: "s4d",
        summary: "diagonal state space: causal, d_state 64, GELU, gated linear output",
        hidden: Hidden::Nothing,
        check: s4d::check,
        build: s4d::build,
        input: tokens,
        definition: s4d::definition,
        alive: s4d::alive,
        flops: None,
    },
    Subject {
        name: "s4",
        summary: "state space, diagonal plus low rank: as s4d, init legs, l_max = seq",
        hidden: Hidden::Nothing,
        check: s4::check,
        build: s4::build,
        input: tokens,
        definition: s4::definition,
        alive: s4::alive,
        flops: None,
    },
    Subject {
        name: "h3",
        summary: "two state spaces and two products: causal, head_dim 1, d_state 64",
        hidden: Hidden::Nothing,
        check: h3::check,
        build: h3::build,
        input: tokens,
        definition: h3::definition,
        alive: h3::alive,
        flops: None,
    },
    Subject {
        name: "hyena",
        summary: "Hyena: causal, order 2, filter order 64, l_max = seq + 17",
        hidden: Hidden::Nothing,
        check: hyena::check,
        build: hyena::build,
        input: tokens,
        definition: hyena::definition,
        alive: hyena::alive,
        flops: None,
    },
    Subject {
        name: "m2",
        summary: "Monarch Mixer: bidirectional, residual filter, filter order 64, l_max = seq",
        hidden: Hidden::Nothing,
        check: m2::check,
        build: m2::build,
        input: tokens,
        definition: m2::definition,
        alive: m2::alive,
        flops: None,
    },
    Subject {
        name: "monarch",
        summary: "two learned Monarch matrices: bidirectional, gated, l_max = seq",
        hidden: Hidden::Nothing,
        check: monarch::check,
        build: monarch::build,
        input: tokens,
        definition: monarch::definition,
        alive: monarch::alive,
        flops: Some(monarch::flops),
    },
    Subject {
        name: "causal_monarch",
        summary: "learned Monarch matrix of triangular blocks: causal, gated, l_max = seq",
        hidden: Hidden::Nothing,
        check: monarch::check_causal,
        build: monarch::build_causal,
        input: tokens,
        definition: monarch::causal,
        alive: monarch::alive_causal,
        flops: Some(monarch::flops_causal),
    },
    Subject {
        name: "fft_conv",
        summary: "causal long convolution alone, with its kernel; input [batch, d_model, seq]",
        hidden: Hidden::Nothing,
        check: |_| Ok(()),
        build: fft_conv::build,
        input: |sizes| [sizes.batch, sizes.d_model, sizes.seq_len],
        definition: fft_conv::definition,
        alive: fft_conv::alive,
        flops: None,
    },
    Subject {
        name: "monarch_conv",
        summary: "the same convolution as fft_conv, by products with Monarch matrices",
        hidden: Hidden::Nothing,
        check: |_| Ok(()),
        build: fft_conv::build_monarch,
        input: |sizes| [sizes.batch, sizes.d_model, sizes.seq_len],
        definition: fft_conv::definition,
        alive: fft_conv::alive_monarch,
        flops: None,
    },
];

/// Layers along the width. Those of one hidden width and one thing in between differ in their matrices alone.
pub const CHANNEL: &[Subject] = &[
    channel::subject::<Dense<PLAIN>>("dense", "dense MLP with a GELU"),
    channel::subject::<Dense<GATED>>("dense_glu", "dense MLP with a GELU gate"),
    channel::subject::<BlockDiagonal<GATED>>(
        "block_diagonal",
        "block-diagonal (Monarch) MLP with a GELU gate",
    ),
    channel::subject::<BlockDiagonal<PLAIN>>("block_diagonal_mlp", "block-diagonal MLP with a GELU"),
    channel::subject::<Monarch<PLAIN>>(
        "monarch_mlp",
        "MLP of Monarch matrices, cut near the root, with a GELU",
    ),
    channel::subject::<Monarch<GATED>>(
        "monarch_glu",
        "MLP of Monarch matrices, cut near the root, with a GELU gate",
    ),
    channel::subject::<DenseLinear>("dense_linear", "dense linear layer alone, d_model to d_model"),
    channel::subject::<BlockDiagonalLinear>("block_diagonal_linear", "the same, block-diagonal"),
    channel::subject::<MonarchLinear>("monarch_linear", "the same, a Monarch matrix cut near the root"),
];

/// The names of [`SEQUENCE`].
pub const SEQUENCE_NAMES: &[&str] = &names::<{ SEQUENCE.len() }>(SEQUENCE);
/// The names of [`CHANNEL`].
pub const CHANNEL_NAMES: &[&str] = &names::<{ CHANNEL.len() }>(CHANNEL);

const fn names<const N: usize>(subjects: &[Subject]) -> [&'static str; N] {
    let mut names = [""; N];
    let mut i = 0;
    while i < N {
        names[i] = subjects[i].name;
        i += 1;
    }
    names
}

/// Operations of the products of a linear layer with so many weights: those that make its output, and the gradients of its
/// input and of its weights, are a multiply-add a weight and token each.
fn linear_flops(weights: usize, sizes: &Sizes) -> f64 {
    3.0 * 2.0 * weights as f64 * sizes.tokens() as f64
}

fn tokens(sizes: &Sizes) -> [usize; 3] {
    [sizes.batch, sizes.seq_len, sizes.d_model]
}

/// The layer of this name.
///
/// # Errors
/// If there is none.
pub fn find(name: &str) -> Result<&'static Subject, UnknownSubject> {
    let mut all = SEQUENCE.iter().chain(CHANNEL);
    all.find(|subject| subject.name == name).ok_or_else(|| UnknownSubject { name: name.into() })
}

/// A name that no layer has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown mixer `{name}`{} (known: {})", suggest::hint(self.nearest()), all_names().collect::<Vec<_>>().join(", "))]
pub struct UnknownSubject {
    /// The name as it was written.
    pub name: String,
}

impl UnknownSubject {
    fn nearest(&self) -> Option<&'static str> {
        suggest::nearest(&self.name, all_names())
    }
}

fn all_names() -> impl Iterator<Item = &'static str> + Clone {
    SEQUENCE_NAMES.iter().chain(CHANNEL_NAMES).copied()
}

/// `x W + bias`, row by row.
fn linear(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let (d_input, d_output) = (weight.len() / bias.len(), bias.len());
    let entry = |row: &[f64], o: usize| {
        bias[o] + row.iter().enumerate().map(|(i, x)| x * weight[i * d_output + o]).sum::<f64>()
    };
    x.chunks(d_input).flat_map(|row| (0..d_output).map(|o| entry(row, o)).collect::<Vec<_>>()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_and_a_slip_is_hinted_at() {
        assert_eq!(find("fft_conv").map(|subject| subject.name), Ok("fft_conv"));
        insta::assert_snapshot!(find("atention").expect_err("a slip"), @"unknown mixer `atention`; did you mean `attention`? (known: attention, s4d, s4, h3, hyena, m2, monarch, causal_monarch, fft_conv, monarch_conv, dense, dense_glu, block_diagonal, block_diagonal_mlp, monarch_mlp, monarch_glu, dense_linear, block_diagonal_linear, monarch_linear)");
        insta::assert_snapshot!(find("mamba").expect_err("not there"), @"unknown mixer `mamba` (known: attention, s4d, s4, h3, hyena, m2, monarch, causal_monarch, fft_conv, monarch_conv, dense, dense_glu, block_diagonal, block_diagonal_mlp, monarch_mlp, monarch_glu, dense_linear, block_diagonal_linear, monarch_linear)");
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = all_names().collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SEQUENCE.len() + CHANNEL.len());
    }
}
