//! How measured costs grow: exponents, crossovers, figures, and the files that hold them.

mod curves;
mod figures;
mod growth;
mod text;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use subquad_record::{Cell, write_cell_study};

use super::FIGURES;
use super::figures::write_figures;
use crate::Failure;
use crate::config::BenchConfig;
use crate::scaling::Point;

pub use text::scaling_report;

/// A config and what was measured for it.
#[derive(Debug)]
pub struct MeasuredConfig<'a> {
    /// The config.
    pub config: &'a BenchConfig,
    /// Its points.
    pub points: Vec<Point>,
    /// The cells of its points, in their order.
    pub cells: Vec<Cell>,
}

impl MeasuredConfig<'_> {
    /// What to call it if there are several.
    fn name(&self) -> String {
        self.config.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Writes `summary.csv`, `summary.json` and `figures/` into `dir`, the study's folder. What could not be measured, and why, is in
/// `summary.json`. Figures of an earlier summary that these cells do not have are removed.
///
/// # Errors
/// If a file cannot be written, or, once everything else has been written, if a figure cannot be drawn.
pub fn write_scaling_files(
    dir: &Path,
    measured: &[MeasuredConfig<'_>],
    failed: &[String],
) -> Result<(), Failure> {
    let (captions, undrawn) = write_figures(&dir.join(FIGURES), &figures::figures(measured))?;
    let facts = BTreeMap::from([
        ("captions".to_owned(), captions),
        ("exponents".to_owned(), json!(growth::exponents(measured))),
        ("crossovers".to_owned(), json!(growth::crossings(measured))),
        ("failed".to_owned(), json!(failed)),
    ]);
    let cells: Vec<Cell> = measured.iter().flat_map(|config| config.cells.clone()).collect();
    write_cell_study(dir, &cells, &facts)?;
    undrawn
}
