//! What configs of this program hold: the schemas, one run's settings as types, and what does not go together.
//!
//! The engine that reads files is the crate `config`; the keys are those of the structs of options that use them.

mod check;
mod file;
mod run;
mod schema;

pub use check::complaints;
pub use file::ConfigFile;
pub use run::RunConfig;
pub use schema::Schemas;
