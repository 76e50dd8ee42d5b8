#![doc = include_str!("../README.md")]

mod average;
mod checkpoint;
mod clip;
mod clock;
mod config;
mod evaluate;
mod loss;
mod optimiser;
mod schedule;
mod tensors;
mod trainer;
mod weights;

pub use checkpoint::ResumeError;
pub use config::{LoopConfig, OptimConfig, TrainConfig};
pub use evaluate::evaluate;
pub use schedule::{Decay, Schedule};
pub use trainer::{TrainError, Trained, Training, train};
pub use weights::{WeightsError, from_safetensors, to_safetensors};
