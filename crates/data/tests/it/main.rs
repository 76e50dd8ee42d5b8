//! The tasks and metrics as their users see them.

#![allow(clippy::unwrap_used)]

mod adding;
mod associative_recall;
mod bytes;
mod copying;
mod delay;
mod digits;
mod induction_heads;
mod lengths;
mod masked_bytes;
mod metric;
mod mnist;
mod mqar;
mod parity;
mod random;
mod reconstruct;
mod registry;
mod solved;
mod state_tracking;
