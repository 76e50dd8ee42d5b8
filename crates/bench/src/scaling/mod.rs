//! Scaling studies: layers at every length and width, and models after every context, that a `[bench]` config asks for, kept size by
//! size; then exponents, crossovers, figures, and the files that hold them.
//!
//! ```text
//! config  ->  points  ->  measurements  ->  report, summary.csv, summary.json, figures/
//!              a size      cells.jsonl,       models.csv
//!              each        models.jsonl
//! ```
//!
//! ```
//! use std::path::Path;
//! use std::sync::atomic::AtomicBool;
//!
//! use subquad_backend::open_device;
//! use subquad_bench::scaling::{MeasuredConfig, Measurements, Point, scaling_report, write_scaling_files};
//! use subquad_bench::{BenchConfig, Site, Subjects, schema};
//! use subquad_config::Quota;
//! use subquad_model::MixerConfig;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let subjects: &Subjects = Box::leak(Box::new(Subjects::of::<MixerConfig>()));
//! let keys = Box::leak(Box::new(schema(subjects)));
//! let text = "bench = { mixers = ['attention', 's4d'], lengths = [4, 8, 16], d_model = 8, seconds = 0.001 }";
//! let config = BenchConfig::read(keys, subjects, text, Path::new("layers.toml"), &[], Quota::default())?;
//! let (site, study) = (Site::new(open_device("cpu")?, None), tempfile::tempdir()?);
//! let mut measurements = Measurements::open(config.run_folder(study.path(), &site), &config)?;
//! measurements.prepare()?;
//! let points = Point::all(&config.options, subjects);
//! for point in &points {
//!     measurements.measure(point, &site, &AtomicBool::new(false))?;
//! }
//! let (cells, models) = (measurements.of(&points), measurements.models_of(&points));
//! let measured = [MeasuredConfig { config: &config, cells, models }];
//! write_scaling_files(study.path(), &measured, &measurements.failed)?;
//! assert!(study.path().join("figures/time_by_length.svg").exists());
//! assert!(scaling_report(&measured, &measurements.failed).contains("In forward+backward time:"));
//! # Ok(())
//! # }
//! ```

mod curves;
mod figures;
mod growth;
mod measurements;
mod models;
mod points;
mod text;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use subquad_record::{Cell, RecordError, write_cell_study};

use crate::figures::{FIGURES, write_figures};
use crate::{BenchConfig, ModelCell};

pub use measurements::{Measured, Measurements};
pub use points::Point;
pub use text::scaling_report;

/// A config and what was measured for it.
#[derive(Debug)]
pub struct MeasuredConfig<'a> {
    /// The config.
    pub config: &'a BenchConfig,
    /// The cells of its points, in their order.
    pub cells: Vec<Cell>,
    /// The decoding of its models.
    pub models: Vec<ModelCell>,
}

/// The cells of all configs.
pub fn all_cells(measured: &[MeasuredConfig<'_>]) -> Vec<Cell> {
    measured.iter().flat_map(|config| config.cells.clone()).collect()
}

/// The decoding of the models of all configs.
pub fn all_models(measured: &[MeasuredConfig<'_>]) -> Vec<ModelCell> {
    models::all(measured)
}

/// Writes `summary.csv`, `summary.json` and `figures/` into `dir`, the study's folder; `models.csv` too if it has models. What could not be measured, and why, is in
/// `summary.json`. Figures of an earlier summary that these cells do not have are removed. Returns why figures could not be drawn.
///
/// # Errors
/// If a file cannot be written.
pub fn write_scaling_files(
    dir: &Path,
    measured: &[MeasuredConfig<'_>],
    failed: &[String],
) -> Result<Vec<String>, RecordError> {
    let (captions, undrawn) = write_figures(&dir.join(FIGURES), &figures::figures(measured))?;
    models::write_table(dir, measured)?;
    let models: Vec<_> = all_models(measured).iter().map(ModelCell::to_json).collect();
    let exponents: Vec<_> = growth::exponents(measured).iter().map(growth::Exponent::json).collect();
    let crossovers: Vec<_> = growth::crossings(measured).iter().map(growth::Crossing::json).collect();
    let mut facts = BTreeMap::from([
        ("captions".to_owned(), captions),
        ("exponents".to_owned(), json!(exponents)),
        ("crossovers".to_owned(), json!(crossovers)),
        ("failed".to_owned(), json!(failed)),
    ]);
    if !models.is_empty() {
        facts.insert("models".to_owned(), json!(models));
    }
    write_cell_study(dir, &all_cells(measured), &facts)?;
    Ok(undrawn)
}
