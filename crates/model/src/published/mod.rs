//! Published checkpoints: named tensors of a file become a model, and a model's tensors get published names.

mod checkpoint;
mod m2_bert;
mod pickle;
mod source;

pub use checkpoint::CheckpointError;
pub use m2_bert::{ReplayError, replay_m2_bert};
pub use source::Checkpoint;
