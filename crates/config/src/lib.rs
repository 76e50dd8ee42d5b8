//! Experiment files over any schema: strict TOML in, complete runs out.
//!
//! ```text
//! file, --set  ->  entries  ->  assignments  ->  plan  ->  combinations  ->  runs
//!   text        dotted keys    checked values   axes       of the sweep     complete
//! ```
//! A [`Schema`] says which keys exist; it consists of the [`Field`](subquad_options::Field)s of structs of options, so
//! that nothing about a key is written a second time. Reading reports every mistake of a file at once, with its line
//! and the nearest name. Only the program knows which values go together: it returns [`Complaint`]s, which get
//! their lines here.
//!
//! Nothing in this crate knows what the keys are about. It uses these words: the *subjects* of a sweep are compared
//! with each other, and each has a section and overrides of its own; a *tag* is a key whose value chooses a section;
//! the *size* is an axis that shares such as `seq_len/16` refer to.

mod assigned;
mod combination;
mod conflicts;
mod entry;
mod error;
mod find;
mod origin;
mod plan;
mod problem;
mod quota;
mod role;
mod run;
mod schema;
mod sheet;
mod study;
pub mod suggest;
mod sweep;
mod text;
mod unknown;
mod value;
mod written;

pub use combination::{Combination, Complaint};
pub use entry::{Assignment, has_section};
pub use error::{ConfigError, ConfigErrors};
pub use find::{find_configs, read, slug};
pub use origin::Origin;
pub use problem::Problem;
pub use quota::{MOST_RUNS, Quota};
pub use run::Run;
pub use schema::{Axes, Key, Schema, Variant, last_part};
pub use sheet::Sheet;
pub use study::{Check, Rules, Solve, Solved, Study};
