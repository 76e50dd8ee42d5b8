//! The interface of subquad: what every sequence mixer and every channel mixer offers.
//!
//! A *sequence mixer* exchanges information between the tokens of a sequence; a *channel mixer* works on each token
//! separately. Both map `[batch, seq, d_model]` to the same shape, so a model can be built from any pair of them. The
//! layer crates implement these traits; models, tests and benchmarks are written against them.

mod config;
mod contract;
mod error;
mod flops;
mod groups;
mod measured;
mod origin;
pub mod published;
mod registry;
mod slice_stepper;
mod tensor_state;
mod traits;

pub use config::{Context, MixerModule, SequenceMixerConfig};
pub use contract::{Contract, Kept};
pub use error::MixerError;
pub use flops::Flops;
pub use groups::{LearningRate, ParameterGroup, WeightDecay};
pub use measured::{MeasuredMixer, Sizes};
pub use origin::{Origin, Setting};
#[doc(hidden)]
pub use registry::macro_support;
pub use registry::{Entry, Mixers, VisitMixers};
pub use slice_stepper::SliceStepper;
pub use subquad_options::{Choice, Options, Refusal};
pub use tensor_state::TensorState;
pub use traits::{ChannelMixer, MixerState, SequenceMixer};
