//! One measured cell: a layer at one size.

use serde::{Deserialize, Serialize};

use crate::Provenance;

/// What `subquad bench` measures of one layer at one size, and where: one line of `cells.jsonl`.
///
/// Times are medians over the repeats; `_q1` and `_q3` are their quartiles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Name of the layer.
    pub mixer: String,
    /// Sequence length, in tokens.
    pub seq_len: usize,
    /// Sequences at once.
    pub batch: usize,
    /// Width of input and output.
    pub d_model: usize,
    /// Hidden width; `None` where the layer has none.
    pub d_hidden: Option<usize>,
    /// Blocks of a block-diagonal layer; `None` for others.
    pub n_blocks: Option<usize>,
    /// Numbers the layer learns.
    pub parameters: usize,
    /// One forward pass without autodiff.
    pub forward_ms: f64,
    /// Its first quartile.
    pub forward_ms_q1: f64,
    /// Its third quartile.
    pub forward_ms_q3: f64,
    /// Forward, mean of squares, and backward to every parameter and to the input.
    pub forward_backward_ms: f64,
    /// Its first quartile.
    pub forward_backward_ms_q1: f64,
    /// Its third quartile.
    pub forward_backward_ms_q3: f64,
    /// Times that each of both was repeated.
    pub repeats: usize,
    /// Tokens a second, forward and backward.
    pub tokens_per_second: f64,
    /// Floating-point operations of the matrix products of forward and backward, a multiply-add being two; `None` where
    /// nobody counts them.
    #[serde(default)]
    pub flops: Option<f64>,
    /// Billions of floating-point operations a second that multiply-adds in registers reached on all threads, the better of
    /// before and after the measurement; `None` where `flops` is not counted.
    #[serde(default)]
    pub fma_peak_gflops: Option<f64>,
    /// Most bytes alive in forward and backward above the level before layer and input were made, median over the
    /// repeats; `None` where nobody counts them.
    pub peak_bytes: Option<u64>,
    /// Floats that one sequence keeps to decode one more token; `None` for a layer that cannot.
    pub state_floats: Option<usize>,
    /// The larger of both errors below.
    pub check_error: f64,
    /// Error of the outputs at a small size, relative to the largest.
    pub check_value_error: f64,
    /// Error of the gradients there, along a random direction of each tensor, relative to the gradient's length.
    pub check_gradient_error: f64,
    /// What both are errors against.
    pub check_against: String,
    /// Where it was measured.
    #[serde(flatten)]
    pub provenance: Provenance,
}

impl Cell {
    /// Billions of floating-point operations a second of forward and backward, where they are counted.
    pub fn gflops(&self) -> Option<f64> {
        self.flops.map(|flops| flops / self.forward_backward_ms / 1e6)
    }
}
