#![doc = include_str!("../README.md")]

mod block_diagonal;
mod causal;
mod channel;
mod drops;
mod filter;
mod history;
mod hyena;
mod init;
mod learned;
mod m2;
mod matrix;
pub mod monarch_conv;
mod options;
pub mod projection;
pub mod published;
#[doc(hidden)]
pub mod reference;
mod sequence;
mod short;

pub use block_diagonal::{BlockDiagonalLinear, BlockDiagonalLinearConfig, BlockDiagonalLinearConfigError};
pub use causal::{CausalMonarch, CausalMonarchConfig, CausalMonarchForm, CausalMonarchState};
pub use channel::{
    BlockDiagonalMlp, BlockDiagonalMlpConfig, DenseMlp, DenseMlpConfig, DenseMlpConfigError, Mlp, MlpLayer,
    MonarchMlp, MonarchMlpConfig,
};
pub use filter::{ConvAlgorithm, ImplicitFilter, ImplicitFilterConfig, ImplicitFilterConfigError};
pub use hyena::{Hyena, HyenaConfig, HyenaConfigError, HyenaState};
pub use learned::{LearnedMonarch, LearnedMonarchConfig, NoState};
pub use m2::{M2, M2Config, M2State};
pub use matrix::{
    ComplexMonarch, MonarchDft, MonarchInit, MonarchLinear, MonarchLinearConfig, MonarchLinearConfigError,
    Pair,
};
pub use options::M2ConfigError;
pub use sequence::{MonarchSequenceConfigError, SequenceInit};
