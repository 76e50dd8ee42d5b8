#![doc = include_str!("../README.md")]

mod block;
mod channel;
mod config;
mod dropout;
mod groups;
mod mixer;
mod mixer_state;
mod model;
mod norm;
mod state;

pub use block::Block;
pub use channel::{ChannelMixerConfig, ChannelMixerKind};
pub use config::{Encoder, Head, ModelConfig, ModelError};
pub use dropout::{Dropout, MixerSeed, Uniform};
pub use groups::{NamedParameter, named_parameters};
pub use mixer::{MixerConfig, MixerKind};
pub use mixer_state::MixerKindState;
pub use model::{Input, SequenceModel};
pub use norm::{Norm, NormKind};
pub use state::{ModelState, StateError};
