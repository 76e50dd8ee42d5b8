//! Decoding over plain slices: one sequence, one thread, no allocation.
//!
//! It uses one thread, because handing work to a pool allocates, and because a token's work is mostly reading the weights and
//! the past once. Clones share the weights.

mod causal;
mod filter;
mod gates;
mod long_conv;
mod matrix;
mod sandwich;
mod short;

pub(crate) use causal::{CausalMonarchStepper, Held, RowMatrix};
pub(crate) use gates::RowGates;
pub(crate) use long_conv::{LongConvParts, LongConvStepper};
pub(crate) use matrix::{Factor, RowBlocks};
pub(crate) use sandwich::RowSandwich;
pub(crate) use short::ShortTaps;
