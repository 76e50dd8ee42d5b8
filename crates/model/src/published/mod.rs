//! Published checkpoints: named tensors of a file become a model, and a model's tensors get published names.

mod checkpoint;
mod m2_bert;

pub use checkpoint::CheckpointError;
