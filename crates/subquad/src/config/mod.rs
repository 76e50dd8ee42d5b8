//! Experiment files: strict TOML in, complete single-run configs out.
//!
//! ```text
//! file, --set  ->  entries  ->  layers  ->  plan  ->  drafts  ->  runs
//!   text        dotted keys    checked     axes    one a run    typed
//! ```
//! [`KEYS`] says once which keys exist, what they may hold and what they mean; parsing, messages and the
//! table in `configs/README.md` all follow it. [`ConfigFile::load`] reports every mistake of a file at once.
//!
//! A file with a section `[bench]` is of another kind: it asks for measurements, [`BenchConfig`], and trains nothing.

mod assignment;
mod bench;
mod choices;
mod conflicts;
mod consistency;
mod docs;
mod draft;
mod entry;
mod error;
mod file;
mod find;
mod found;
mod gated;
mod keys;
mod kind;
mod layer;
mod mixer_name;
mod monarch;
pub(crate) mod number;
mod origin;
mod place;
mod plan;
mod problem;
mod resolved;
mod room;
mod run_config;
mod schema;
mod state_space;
mod study;
pub(crate) mod suggest;
mod sweep;
mod typed;
mod unknown;
mod value;

#[cfg(test)]
mod tests;

pub use assignment::Assignment;
pub use bench::{BENCH_KEYS, BENCH_LISTS, BenchConfig, BenchSettings};
pub use choices::{
    BlockOrder, ChannelGate, ChannelMixerKind, Conv, ModelInit, Norm, Permutation, Pool, Position,
};
pub use docs::markdown_table;
pub use error::{ConfigError, ConfigErrors};
pub use file::ConfigFile;
pub use find::{find_configs, slug};
pub use gated::{HyenaSettings, M2Settings};
pub use keys::{KEYS, SWEEP_KEYS};
pub use kind::{Kind, Word};
pub use mixer_name::{MixerName, UnknownMixer};
pub use monarch::{CausalMonarchSettings, MonarchSettings};
pub use origin::Origin;
pub use problem::Problem;
pub use resolved::ResolvedRun;
pub use room::MOST_RUNS;
pub(crate) use room::Room;
pub use run_config::{
    AttentionSettings, BytesSettings, DelaySettings, MaskedBytesSettings, MixerSettings, MnistSettings,
    ModelSettings, MqarSettings, OptimSettings, ReconstructSettings, RunConfig, TaskSettings, TrainSettings,
};
pub use schema::{DefaultValue, Key};
pub use state_space::{H3Settings, S4Settings, S4dSettings};
pub use study::{CheckTask, StudyConfig, TaskProblem};
pub use value::Value;
