//! S4D, S4 and H3 against their f64 reference, the published implementation, and its own other forms.

#![allow(clippy::unwrap_used)]

mod config;
mod diagonal_precision;
mod dplr;
mod ema;
mod flops;
mod gradients;
mod h3;
mod hippo;
mod inits;
mod kernel;
mod layer;
mod long;
mod low_rank;
mod low_rank_oracle;
mod low_rank_precision;
mod low_rank_slopes;
mod max_taps;
mod measured;
mod measures;
mod options;
mod oracle;
mod published;
mod published_h3;
mod published_minimal;
mod stepper;
mod truncation;
