//! Residual sequence models on burn: an encoder, blocks of a sequence mixer and a channel mixer, a head.
//!
//! ```text
//! h = encoder(x)
//! for each block:  h = h + mixer(norm(h));  h = h + channel_mixer(norm(h))        pre-norm
//! logits = linear(pool(norm(h)))
//! ```

mod block;
mod channel;
mod config;
mod dropout;
mod groups;
mod mixer;
mod model;
mod norm;

pub use block::{Block, BlockConfig};
pub use channel::{ChannelMixerConfig, ChannelMixerKind};
pub use config::{Encoder, Head, ModelConfig, ModelError};
pub use dropout::{Dropout, Uniform};
pub use groups::{NamedParameter, named_parameters, parameter_groups};
pub use mixer::{MixerConfig, MixerKind};
pub use model::{Input, SequenceModel};
pub use norm::Norm;
