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
    /// Sequences in a batch.
    pub batch: usize,
    /// Width of input and output.
    pub d_model: usize,
    /// Hidden width; `None` if the layer has none.
    pub d_hidden: Option<usize>,
    /// Number of blocks of a block-diagonal layer; `None` for others.
    pub n_blocks: Option<usize>,
    /// Number of parameters of the layer.
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
    /// How often each of the two was repeated.
    pub repeats: usize,
    /// Tokens per second, forward and backward.
    pub tokens_per_second: f64,
    /// Floating-point operations of the matrix products of forward and backward, where a multiply-add is two; `None` if
    /// they are not counted.
    #[serde(default)]
    pub flops: Option<f64>,
    /// Billions of floating-point operations per second that multiply-adds in registers reached on all threads, the
    /// better of before and after the measurement; `None` if `flops` is not counted.
    #[serde(default)]
    pub fma_peak_gflops: Option<f64>,
    /// Most bytes alive in forward and backward above the level before layer and input were made, median over the
    /// repeats; `None` if they are not counted.
    pub peak_bytes: Option<u64>,
    /// Number of floats that one sequence keeps to decode one more token; `None` for a layer that cannot decode.
    pub state_floats: Option<usize>,
    /// The larger of the two errors below.
    pub check_error: f64,
    /// Error of the outputs at a small size, relative to the largest.
    pub check_value_error: f64,
    /// Error of the gradients there, along a random direction of each tensor, relative to the gradient's length.
    pub check_gradient_error: f64,
    /// What both errors are measured against.
    pub check_against: String,
    /// Where it was measured.
    #[serde(flatten)]
    pub provenance: Provenance,
}

impl Cell {
    /// Billions of floating-point operations per second of forward and backward, if they are counted.
    pub fn gflops(&self) -> Option<f64> {
        self.flops.map(|flops| flops / self.forward_backward_ms / 1e6)
    }
}
