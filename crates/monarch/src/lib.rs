#![doc = include_str!("../README.md")]

mod block_diagonal;
mod causal;
mod channel;
mod drops;
mod filter;
mod gate;
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
mod row_factors;
mod sequence;
mod stepper;

pub use block_diagonal::{BlockDiagonalLinear, BlockDiagonalLinearConfig};
pub use causal::{CausalMonarch, CausalMonarchConfig, CausalMonarchForm, CausalMonarchState};
pub use channel::{
    BlockDiagonalMlp, BlockDiagonalMlpConfig, DenseMlp, DenseMlpConfig, Mlp, MlpLayer, MonarchMlp,
    MonarchMlpConfig, RowMlp, SwigluConfig,
};
pub use filter::{ConvAlgorithm, ImplicitFilter, ImplicitFilterConfig};
pub use history::LongConvState;
pub use hyena::{Hyena, HyenaConfig};
pub use learned::{LearnedMonarch, LearnedMonarchConfig};
pub use m2::{M2, M2Config};
pub use matrix::{ComplexMonarch, MonarchDft, MonarchInit, MonarchLinear, MonarchLinearConfig, Pair};
pub use sequence::SequenceInit;
