//! Whole layers timed side by side: forward, forward and backward, decoding, memory, state; each checked against its definition first.
//!
//! ```text
//! subjects  ->  check  ->  trials, interleaved  ->  cells  ->  tables, scaling studies
//!  layers        once per    one per layer, at      one row per layer
//!  by name       layer       one size               and size
//! ```
//! A sequence mixer declares what is measured ([`MeasuredMixer`](subquad_mixer::MeasuredMixer)); [`Subjects::of`] lists
//! those of a registry, the layers along the width, and whole models that decode ([`ModelSubject`]). [`memory`] counts bytes, [`available`] says how many there are.
//! [`BenchConfig`] asks for lengths, widths and contexts, [`scaling`] measures them, fits how costs grow, and draws it.

pub mod available;
mod cell_tables;
mod check;
mod config;
mod decode;
mod figures;
mod layer;
mod limits;
mod measure;
pub mod memory;
mod quartiles;
pub mod scaling;
mod site;
mod subjects;
mod table;
mod trial;

pub use cell_tables::{cells_table, decode_table, models_table, spread_warning, utilisation};
pub use check::{Check, Checked, check, check_all};
pub use config::{Along, BenchConfig, BenchOptions, SECTION, schema};
pub use decode::{
    Decoder, ModelCell, ModelSizes, ModelSubject, STEPS, VOCAB, accepts_model, can_decode, measure_decoding,
    measure_models,
};
pub use figures::{FIGURES, write_figures};
pub use layer::Layer;
pub use limits::{accepts, available_at, check_sizes, fits_in_memory};
pub use measure::measure_cells;
pub use site::Site;
pub use subjects::{Definition, Subject, Subjects, UnknownSubject};
pub use subquad_mixer::Sizes;
pub use table::{distinct, table};
pub use trial::BenchError;

/// States per channel of a state space in all timings.
pub const D_STATE: usize = 64;
