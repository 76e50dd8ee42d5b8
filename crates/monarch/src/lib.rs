#![doc = include_str!("../README.md")]

mod block_diagonal;
mod causal;
mod channel;
mod filter;
mod init;
mod learned;
mod m2;
mod matrix;
pub mod monarch_conv;
pub mod projection;
pub mod published;
#[doc(hidden)]
pub mod reference;
mod sequence;

pub use block_diagonal::{BlockDiagonalLinear, BlockDiagonalLinearConfig, BlockDiagonalLinearConfigError};
pub use causal::{CausalMonarch, CausalMonarchConfig, CausalMonarchForm, CausalMonarchState};
pub use channel::{BlockDiagonalMlp, BlockDiagonalMlpConfig, DenseMlp, DenseMlpConfig, DenseMlpConfigError};
pub use filter::{ConvAlgorithm, ImplicitFilter, ImplicitFilterConfig, ImplicitFilterConfigError};
pub use learned::{LearnedMonarch, LearnedMonarchConfig, NoState};
pub use m2::{M2, M2Config, M2ConfigError, M2State};
pub use matrix::{
    ComplexMonarch, MonarchDft, MonarchInit, MonarchLinear, MonarchLinearConfig, MonarchLinearConfigError,
    Pair,
};
pub use sequence::{MonarchSequenceConfigError, SequenceInit};
