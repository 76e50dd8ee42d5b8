//! Measured cells, one layer each, and where they were measured.

use serde::{Deserialize, Serialize};

use crate::Machine;

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
    /// Floating-point operations of forward and backward, where a multiply-add is two, without what is computed a second time to save
    /// memory; `None` if they are not counted. Older programs counted only layers that consist of products of matrices, and
    /// attention's recomputed scores.
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

    /// Their share of the peak, if it was measured.
    pub fn mfu(&self) -> Option<f64> {
        self.gflops().zip(self.fma_peak_gflops).map(|(gflops, peak)| gflops / peak)
    }
}

/// What `subquad bench --decode` measures of one layer on one sequence after a context of one length, and where.
///
/// Times are medians over the steps; `_q1` and `_q3` are their quartiles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecodeCell {
    /// Name of the layer.
    pub mixer: String,
    /// What carries tokens and state: `"tensors"`, or `"slices"` without burn.
    pub path: String,
    /// Tokens before the first step.
    pub context: usize,
    /// Width of input and output.
    pub d_model: usize,
    /// Microseconds of one token.
    pub step_us: f64,
    /// Its first quartile.
    pub step_us_q1: f64,
    /// Its third quartile.
    pub step_us_q3: f64,
    /// Steps that were timed.
    pub steps: usize,
    /// One over the median.
    pub tokens_per_second: f64,
    /// Bytes of the state after the context, without room for more tokens.
    pub state_bytes: usize,
    /// Blocks of memory that a step requests, on average; `None` if they are not counted.
    pub step_allocations: Option<f64>,
    /// Most bytes alive in a step above the level before it, median over the steps; `None` if they are not counted.
    pub step_peak_bytes: Option<u64>,
    /// Largest error of a step at a small size, relative to the largest output of the whole sequence there.
    pub check_error: f64,
    /// Where it was measured.
    #[serde(flatten)]
    pub provenance: Provenance,
}

/// What ran a measured layer, on which machine, and when: the last fields of every measured cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The form of the operations that ran: `"fused"`, `"portable"`.
    pub form: String,
    /// The device that ran, for example `"cpu"`.
    pub device: String,
    /// Threads used.
    pub threads: usize,
    /// The instruction set that the fused kernels ran, for example `"avx2+fma"`.
    pub instruction_set: String,
    /// Version of the program.
    pub program_version: String,
    /// Commit the program was built from, where known.
    pub build_commit: Option<String>,
    /// When, as [`timestamp`](crate::timestamp) writes it. Cells that were measured together have the same time.
    pub measured: String,
    /// The machine.
    pub machine: Machine,
}
