//! Run folders of subquad: manifest, metrics, summary, reading back.
//!
//! ```text
//! results/<slug>/summary.csv, summary.json          a study: write_study, read_study
//! results/<slug>/runs/<RunName>/                    one run: RunDir
//!     config.toml         what was asked for, complete
//!     manifest.json       Manifest: which program, where, when, and how it ended
//!     metrics.jsonl       one Row per line, written when it happens
//!     checkpoint/step-<n>/    until the run is done: a Checkpoint to continue from, and one before it
//!     model.safetensors   the weights at the end
//!     summary.json        RunSummary, at the end
//!     proof.json          the run's name, size and SHA-256 of the files above except checkpoints; written last: the run is done
//!     damaged/            what was there when a run that was done no longer had its own files, and ran again
//!     lock                locked while a process works on the run: Lock
//! results/<slug>/runs/<name>/cells.jsonl            measurements: one Cell per line, with <name> and a SHA-256 of the line;
//!                                                   their study: write_cell_study
//! ```
//! Training writes through a [`Sink`] and never opens a file; [`RunWriter`] is the sink that writes the above.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod atomic;
mod cell;
mod cell_log;
mod cell_study;
mod checkpoint;
mod digest;
mod error;
mod files;
mod hash;
mod lock;
mod manifest;
mod metrics;
mod number;
mod proof;
mod resume;
mod row;
mod run_dir;
mod run_name;
mod sink;
mod study;
mod summary;
mod utilisation;
mod writer;

pub use atomic::write_atomic;
pub use cell::{Cell, DecodeCell, Provenance};
pub use cell_log::{CellLog, read_cells, set_cells_aside, write_cells};
pub use cell_study::{CellStudy, write_cell_study};
pub use checkpoint::Checkpoint;
pub use error::RecordError;
pub use hash::{long_run_hash, run_hash};
pub use lock::{Attempt, Held, Holder, Lock};
pub use manifest::{Machine, Manifest, Outcome, Repository, Resumption, timestamp};
pub use proof::RunStatus;
pub use resume::ResumePoint;
pub use row::{Row, read_rows};
pub use run_dir::RunDir;
pub use run_name::RunName;
pub use sink::{MakeFiles, Memory, Sink};
pub use study::{Study, lock_path, read_facts, read_study, text_of, write_study};
pub use summary::{Evaluation, RunSummary};
pub use utilisation::Utilisation;
pub use writer::RunWriter;
