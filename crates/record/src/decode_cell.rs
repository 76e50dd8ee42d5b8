//! One measured cell of decoding: a layer after a context.

use serde::{Deserialize, Serialize};

use crate::Provenance;

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
