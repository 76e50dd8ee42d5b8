#![doc = include_str!("../README.md")]

mod complex;
mod config;
mod discretization;
pub mod hippo;
pub mod init;
mod kernel;
mod layer;
mod number;
pub mod published;
#[doc(hidden)]
pub mod reference;
mod state;

pub use config::{S4dConfig, S4dConfigError};
pub use discretization::Discretization;
pub use init::{S4Init, S4dInit};
pub use layer::S4d;
pub use state::S4dState;
