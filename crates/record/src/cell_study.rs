//! A study of measured cells: `summary.csv` and `summary.json`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::study::{text_of, to_csv, write_summary};
use crate::{Cell, RecordError};

/// The columns of the table: where each is in a cell's JSON.
const COLUMNS: [&str; 33] = [
    "mixer",
    "seq_len",
    "d_model",
    "forward_backward_ms",
    "forward_backward_ms_q1",
    "forward_backward_ms_q3",
    "forward_ms",
    "forward_ms_q1",
    "forward_ms_q3",
    "tokens_per_second",
    "flops",
    "fma_peak_gflops",
    "peak_bytes",
    "state_floats",
    "parameters",
    "batch",
    "d_hidden",
    "n_blocks",
    "repeats",
    "check_error",
    "check_value_error",
    "check_gradient_error",
    "check_against",
    "form",
    "device",
    "threads",
    "instruction_set",
    "program_version",
    "build_commit",
    "measured",
    "machine/cpu",
    "machine/cores",
    "machine/os",
];

/// A number that follows from others.
type Derived = fn(&Cell) -> Option<f64>;

/// The columns after them.
const LAST_COLUMNS: [(&str, Derived); 2] = [("gflops", Cell::gflops), ("mfu", Cell::mfu)];

/// The contents of `summary.json` of a study that measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellStudy {
    /// The study's name: that of its folder.
    pub slug: String,
    /// All cells, in the order in which they were given.
    pub cells: Vec<Cell>,
    /// What else a reader should know, for example fitted exponents, by name next to `slug` and `cells`.
    #[serde(flatten)]
    pub facts: BTreeMap<String, Value>,
}

/// Writes `summary.csv` (one line per cell) and `summary.json` of the study whose folder is `dir`, each atomically.
///
/// # Errors
/// If a file cannot be written, or a fact is called `slug` or `cells`.
pub fn write_cell_study(
    dir: &Path,
    cells: &[Cell],
    facts: &BTreeMap<String, Value>,
) -> Result<(), RecordError> {
    let line = |cell: &Cell| -> Result<Vec<String>, RecordError> {
        let json = serde_json::to_value(cell).map_err(std::io::Error::from)?;
        let known = COLUMNS.iter().map(|column| text_of(json.pointer(&format!("/{column}"))));
        let derived = LAST_COLUMNS.iter().map(|(_, of)| of(cell).map(|x| x.to_string()).unwrap_or_default());
        Ok(known.chain(derived).collect())
    };
    let lines: Vec<_> = cells.iter().map(line).collect::<Result<_, _>>()?;
    let last = LAST_COLUMNS.iter().map(|(name, _)| (*name).to_owned());
    let header: Vec<String> = COLUMNS.iter().map(|column| column.replace('/', "_")).chain(last).collect();
    let table = to_csv(&header, lines.into_iter())?;
    let study = |slug| CellStudy { slug, cells: cells.to_vec(), facts: facts.clone() };
    write_summary(dir, table, study, ["slug", "cells"], facts)
}
