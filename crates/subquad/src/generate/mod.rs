//! Text from a trained model, byte by byte.
//!
//! ```text
//! folder of a run -> find_run -> load -> Generator: prompt in one chunk, then step by step -> Sampler -> TextWriter
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod find;
mod generator;
mod load;
mod sampler;
mod text;

pub use find::find_run;
pub use generator::{GenerateError, Generator};
pub use load::{LanguageModel, load};
pub use sampler::{Sampler, Sampling};
pub use text::TextWriter;
