#![doc = include_str!("../README.md")]

mod block_diagonal;
mod channel;
mod drops;
mod filter;
mod history;
mod hyena;
mod init;
mod m2;
mod options;
pub mod published;
#[doc(hidden)]
pub mod reference;
mod short;

pub use block_diagonal::{BlockDiagonalLinear, BlockDiagonalLinearConfig, BlockDiagonalLinearConfigError};
pub use channel::{BlockDiagonalMlp, BlockDiagonalMlpConfig, DenseMlp, DenseMlpConfig, DenseMlpConfigError};
pub use filter::{ImplicitFilter, ImplicitFilterConfig, ImplicitFilterConfigError};
pub use hyena::{Hyena, HyenaConfig, HyenaConfigError, HyenaState};
pub use m2::{M2, M2Config, M2State};
pub use options::M2ConfigError;
