//! Training and evaluation of sequence models, step by step, without files or prints.
//!
//! [`train`] runs a [`SequenceModel`](subquad_model::SequenceModel) on a [`Task`](subquad_data::Task) and hands what
//! happens to a [`Sink`](subquad_record::Sink): rows of numbers, checkpoints. Batches come from (seed, step), dropout
//! masks from (seed, step, site), so a step is the same whenever it is run.

mod clip;
mod evaluate;
mod optimiser;
mod schedule;
mod score;
mod tensors;
mod trainer;
mod weights;

pub use evaluate::evaluate;
pub use schedule::WarmupCosine;
pub use score::Score;
pub use trainer::{TrainConfig, TrainError, Trained, train};
pub use weights::to_safetensors;
