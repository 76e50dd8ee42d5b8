//! S4D against its f64 reference, the published implementation, and its own other forms.

#![allow(clippy::unwrap_used)]

mod config;
mod dplr;
mod gradients;
mod hippo;
mod inits;
mod kernel;
mod layer;
mod low_rank;
mod low_rank_oracle;
mod measures;
mod options;
mod oracle;
mod published;
mod stepper;
