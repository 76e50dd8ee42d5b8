//! One declaration per option.
//!
//! An option (a key of a config, a knob of a layer or task) is a field of the struct that uses it: the field's name, type, default,
//! range and doc comment are all there is to say, and [`Options`] is derived from them. Config files, tables, error messages and
//! records follow.
//!
//! ```
//! use subquad_options::{Choice, Options, Value};
//!
//! #[derive(Choice, Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
//! #[serde(rename_all = "snake_case")]
//! enum Position { Rope, None }
//!
//! #[derive(Options, Debug, PartialEq)]
//! struct AttentionConfig {
//!     /// Width of input and output.
//!     #[option(given, range = 1..)]
//!     d_model: usize,
//!     /// Heads; must divide `d_model`.
//!     #[config(default = 4)]
//!     #[option(range = 1..=1024)]
//!     n_heads: usize,
//!     /// A token sees only tokens fewer than this many positions away; 0: no limit.
//!     #[option(range = 1.., none = 0)]
//!     window: Option<usize>,
//!     /// How attention knows positions.
//!     #[config(default = "Position::Rope")]
//!     position: Position,
//! }
//!
//! let written = [("n_heads", Value::Integer(8)), ("window", Value::Integer(0)), ("position", Value::from("none"))];
//! let value = |name: &str| written.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone());
//! let read = AttentionConfig::from_values(&value).unwrap();
//! assert_eq!(read, AttentionConfig { d_model: 0, n_heads: 8, window: None, position: Position::None });
//! assert_eq!(read.out_of_range()[0].to_string(), "d_model must be an integer >= 1, got 0");
//! ```
//!
//! What the words of `#[option(..)]` mean:
//!
//! | word | meaning |
//! | --- | --- |
//! | `range = 1..=1024` | what is allowed; [`range`] has ranges that Rust has no syntax for |
//! | `most = 100` | the most values that a list may hold |
//! | `none = 0` | the value that stands for `None` |
//! | `or = "longest"` | a word that a config may write, and the default; the rest of the config has its number |
//! | `name = "block"` | the key, if it is not the field's name |
//! | `before = 0.0` | what runs had before there was the option, if that is not the default: they keep their names |
//! | `given` | not a key: the code that builds the struct knows the value, such as the width of the model |
//! | `skip` | not an option: it starts at its default, and may be of any type |
//! | `required` | a key without a default |
//! | `bookkeeping` | changes what is recorded, not what is computed |
//! | `flatten` | the field is itself a struct of options, and its keys are among these |
//!
//! A default is written as burn's `Config` reads it, `#[config(default = ..)]`, so that both derives go together. An `Option`
//! without one is `None`.

mod field;
mod kind;
pub mod number;
mod pattern;
pub mod range;
mod refusal;
mod share;
mod types;
mod value;
mod words;

pub use field::{Field, Options};
pub use kind::Kind;
pub use pattern::{LONGEST_PATTERN, Pattern, pattern_words, read_pattern, write_pattern};
pub use refusal::Refusal;
pub use share::Share;
pub use subquad_options_derive::{Choice, Options};
pub use types::OptionType;
pub use value::Value;
#[doc(hidden)]
pub use words::{from_word, word, words};

// The derives name the crate by its own name, even in its own tests.
extern crate self as subquad_options;
