//! The seam of subquad: what every sequence mixer and every channel mixer offers.
//!
//! A *sequence mixer* exchanges information between the tokens of a sequence; a *channel mixer* works on each
//! token alone. Both map `[batch, seq, d_model]` to the same shape, so a model can be built from any pair of them.
//! The layer crates implement these traits; models, tests and benchmarks are written against them.

mod contract;
mod groups;
mod origin;
pub mod published;
mod slice_stepper;
mod traits;

pub use contract::{Contract, Kept};
pub use groups::{LearningRate, ParameterGroup, WeightDecay};
pub use origin::{Origin, Setting};
pub use slice_stepper::SliceStepper;
pub use traits::{ChannelMixer, MixerError, MixerState, SequenceMixer};
