#![doc = include_str!("../README.md")]

mod config;
mod dot_product;
mod head_norm;
mod layer;
#[doc(hidden)]
pub mod reference;
mod rotary;
mod score_row;
mod segments;
mod state;
mod stepper;

pub use config::{AttentionConfig, Position};
pub use dot_product::{Rules, WeightDropout, alibi_slopes, scaled_dot_product};
pub use layer::Attention;
pub use rotary::Rotary;
pub use segments::Segments;
pub use state::AttentionState;
pub use stepper::AttentionStepper;
