#![doc = include_str!("../README.md")]

mod additions;
mod block;
mod channel;
mod config;
mod dropout;
mod flops;
mod groups;
mod head;
mod init;
mod mixer;
mod model;
mod norm;
mod options;
mod presets;
pub mod published;
mod slices;
mod state;
mod stepper;
mod structure;

pub use block::Block;
pub use channel::{ChannelMixerConfig, ChannelMixerKind};
pub use config::{Encoder, Head, ModelConfig, left_out};
pub use dropout::{Dropout, MixerSeed, Uniform};
pub use groups::{NamedParameter, named_parameters};
pub use mixer::{MixerConfig, MixerKind, MixerKindState};
pub use model::{Input, SequenceModel};
pub use norm::{Norm, NormKind};
pub use options::{ChannelGate, ChannelMixerName, ChannelOptions, ModelOptions, Pool};
pub use presets::{M2BertConfig, M2GptConfig, Preset, presets};
pub use published::{Checkpoint, CheckpointError, ClassifierNames, StateSpaceNames};
pub use slices::OneToken;
pub use state::{ModelState, StateError};
pub use stepper::{DecodingPath, ModelStepper};
pub use structure::{BlockOrder, DropoutSites, HeadTransform, Init, Structure};
pub use subquad_options::Pattern;
