//! A study of measured cells: `summary.csv` and `summary.json`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::to_json;
use crate::study::{CSV, JSON};
use crate::{Cell, RecordError, write_atomic};

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
    if let Some(name) = ["slug", "cells"].into_iter().find(|name| facts.contains_key(*name)) {
        return Err(RecordError::FactName { name: name.into() });
    }
    let slug = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let study = CellStudy { slug, cells: cells.to_vec(), facts: facts.clone() };
    fs_err::create_dir_all(dir)?;
    write_atomic(dir.join(CSV), &table(cells)?)?;
    Ok(write_atomic(dir.join(JSON), &to_json(&study)?)?)
}

fn table(cells: &[Cell]) -> Result<Vec<u8>, RecordError> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(COLUMNS.map(|column| column.replace('/', "_")))?;
    for cell in cells {
        let json = serde_json::to_value(cell).map_err(std::io::Error::from)?;
        csv.write_record(COLUMNS.map(|column| text(json.pointer(&format!("/{column}")))))?;
    }
    Ok(csv.into_inner().map_err(|error| error.into_error())?)
}

/// A text without its quotes, nothing for `null`, a number as JSON has it.
fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}
