#![doc = include_str!("../README.md")]

mod block;
mod channel;
mod config;
mod dropout;
mod groups;
mod mixer;
mod model;
mod norm;

pub use block::Block;
pub use channel::{ChannelMixerConfig, ChannelMixerKind};
pub use config::{Encoder, Head, ModelConfig, ModelError};
pub use dropout::{Dropout, Uniform};
pub use groups::{NamedParameter, named_parameters};
pub use mixer::{MixerConfig, MixerKind};
pub use model::{Input, SequenceModel};
pub use norm::Norm;
