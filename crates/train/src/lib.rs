#![doc = include_str!("../README.md")]

mod clip;
mod config;
mod evaluate;
mod optimiser;
mod schedule;
mod score;
mod tensors;
mod trainer;
mod weights;

pub use config::{TrainConfig, TrainConfigError};
pub use evaluate::evaluate;
pub use schedule::WarmupCosine;
pub use score::Score;
pub use trainer::{TrainError, Trained, train};
pub use weights::{WeightsError, from_safetensors, to_safetensors};
