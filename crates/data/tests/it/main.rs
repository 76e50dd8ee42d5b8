//! The tasks and metrics as their users see them.

#![allow(clippy::unwrap_used)]

mod bytes;
mod delay;
mod digits;
mod masked_bytes;
mod metric;
mod mnist;
mod mqar;
mod parity;
mod random;
mod reconstruct;
mod registry;
