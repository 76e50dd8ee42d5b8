#![doc = include_str!("../README.md")]

mod complex;
mod config;
mod diagonal;
mod dplr;
mod ema;
mod h3;
pub mod hippo;
pub mod init;
mod layer;
mod lines;
mod modes;
mod number;
mod output;
mod precision;
pub mod published;
#[doc(hidden)]
pub mod reference;
mod state;
mod state_space;
mod stepper;
mod taps;
mod transform;

pub use config::{H3Config, S4Config, S4dConfig};
pub use diagonal::{Diagonal, Discretization};
pub use dplr::Dplr;
pub use ema::{Ema, EmaConfig};
pub use h3::{H3, H3State, Shift};
pub use init::{S4Init, S4dInit};
pub use layer::{S4, S4d, SsmLayer};
pub use lines::Lines;
pub use modes::Modes;
pub use output::OutputMix;
pub use state::S4State;
pub use state_space::StateSpace;
pub use stepper::S4Stepper;
pub use transform::{RealTransform, StepTransform};
