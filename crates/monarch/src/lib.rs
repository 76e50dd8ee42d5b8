#![doc = include_str!("../README.md")]

mod block_diagonal;
mod channel;
mod filter;
mod init;
mod m2;
mod matrix;
pub mod monarch_conv;
pub mod projection;
pub mod published;
#[doc(hidden)]
pub mod reference;

pub use block_diagonal::{BlockDiagonalLinear, BlockDiagonalLinearConfig, BlockDiagonalLinearConfigError};
pub use channel::{BlockDiagonalMlp, BlockDiagonalMlpConfig, DenseMlp, DenseMlpConfig, DenseMlpConfigError};
pub use filter::{ConvAlgorithm, ImplicitFilter, ImplicitFilterConfig, ImplicitFilterConfigError};
pub use m2::{M2, M2Config, M2ConfigError, M2State};
pub use matrix::{
    ComplexMonarch, MonarchDft, MonarchInit, MonarchLinear, MonarchLinearConfig, MonarchLinearConfigError,
    Pair,
};
