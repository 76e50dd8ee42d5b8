//! A study's summary: all runs of one slug, as a table and as JSON. Both are committed, so that a figure can be
//! redrawn and believed without the runs' folders.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{read_json, to_json};
use crate::run_dir::RUNS;
use crate::{Evaluation, RecordError, RunSummary, write_atomic};

pub(crate) const CSV: &str = "summary.csv";
pub(crate) const JSON: &str = "summary.json";

/// The columns that every table has. A column for each swept setting follows.
const COLUMNS: [&str; 28] = [
    "mixer",
    "seq_len",
    "seed",
    "split",
    "accuracy",
    "loss",
    "parameters",
    "step_ms",
    "tokens_per_second",
    "peak_bytes",
    "state_floats",
    "config",
    "run",
    "task",
    "steps",
    "batch",
    "d_model",
    "n_layers",
    "form",
    "device",
    "threads",
    "condition",
    "examples",
    "jobs",
    "outcome",
    "test_len",
    "bits_per_byte",
    "normalised_error",
];

/// The contents of a study's `summary.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Study {
    /// The study's name: that of its folder.
    pub slug: String,
    /// All runs, in the order in which they were given.
    pub runs: Vec<RunSummary>,
    /// What else a reader should know, for example the machine, by name beside `slug` and `runs`.
    #[serde(flatten)]
    pub facts: BTreeMap<String, Value>,
}

/// Writes `summary.csv` and `summary.json` of the study whose folder is `dir`, each in one piece.
///
/// The table has one line for each run and evaluation, ordered by config, mixer (as first seen), `seq_len`, seed and split;
/// an undefined number is an empty cell, a loss that is not finite `NaN` or `inf`. Timings that were
/// [shared](RunSummary::timings_are_shared) are left out. A run without evaluations, such as those in `unfinished`, has one
/// line, without a split, and the column `outcome` says why. `summary.json` lists `runs` alone.
///
/// # Errors
/// If a file cannot be written, or a fact is called `slug` or `runs`.
pub fn write_study(
    dir: &Path,
    runs: &[RunSummary],
    unfinished: &[RunSummary],
    facts: &BTreeMap<String, Value>,
) -> Result<(), RecordError> {
    if let Some(name) = ["slug", "runs"].into_iter().find(|name| facts.contains_key(*name)) {
        return Err(RecordError::FactName { name: name.into() });
    }
    let slug = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let study = Study { slug, runs: runs.to_vec(), facts: facts.clone() };
    fs_err::create_dir_all(dir)?;
    write_atomic(dir.join(CSV), &table(&[runs, unfinished].concat())?)?;
    Ok(write_atomic(dir.join(JSON), &to_json(&study)?)?)
}

/// The file to [lock](crate::Lock) while the summary and the figures of the study in `dir` are written. It is among the
/// runs, which nobody commits.
pub fn lock_path(dir: &Path) -> PathBuf {
    dir.join(RUNS).join(".lock")
}

/// Reads a study's `summary.json` back.
///
/// # Errors
/// If it cannot be read, or is not one.
pub fn read_study(dir: &Path) -> Result<Study, RecordError> {
    read_json(&dir.join(JSON))
}

/// What a `summary.json` of either kind says beside its runs or cells, by name.
///
/// # Errors
/// If it cannot be read, or is no JSON object.
pub fn read_facts(dir: &Path) -> Result<BTreeMap<String, Value>, RecordError> {
    read_json(&dir.join(JSON))
}

fn table(runs: &[RunSummary]) -> Result<Vec<u8>, RecordError> {
    let settings: BTreeSet<&str> =
        runs.iter().flat_map(|run| run.settings.keys()).map(String::as_str).collect();
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(COLUMNS.iter().chain(&settings))?;
    for (run, evaluation) in ordered(runs) {
        let own = settings.iter().map(|key| run.settings.get(*key).map(setting).unwrap_or_default());
        csv.write_record(cells(run, evaluation).into_iter().chain(own))?;
    }
    Ok(csv.into_inner().map_err(|error| error.into_error())?)
}

/// Every run with each of its evaluations, or with none, in the table's order.
fn ordered(runs: &[RunSummary]) -> Vec<(&RunSummary, Option<&Evaluation>)> {
    let first_seen = |mixer: &str| runs.iter().position(|run| run.mixer == mixer);
    let mut lines = Vec::new();
    for run in runs {
        lines.extend(run.evaluations.iter().map(|evaluation| (run, Some(evaluation))));
        if run.evaluations.is_empty() {
            lines.push((run, None));
        }
    }
    lines.sort_by_key(|(run, evaluation)| {
        let split = evaluation.map(|evaluation| &evaluation.split);
        (&run.config, first_seen(&run.mixer), run.seq_len, run.seed, split)
    });
    lines
}

/// One line, in the order of [`COLUMNS`].
fn cells(run: &RunSummary, evaluation: Option<&Evaluation>) -> [String; COLUMNS.len()] {
    [
        run.mixer.clone(),
        run.seq_len.to_string(),
        run.seed.to_string(),
        optional(evaluation.map(|e| &e.split)),
        optional(evaluation.and_then(|e| e.accuracy)),
        optional(evaluation.map(|e| e.loss)),
        run.parameters.to_string(),
        timing(run, run.step_ms),
        timing(run, run.tokens_per_second),
        optional(run.peak_bytes),
        optional(run.state_floats),
        run.config.clone(),
        run.run.clone(),
        run.task.clone(),
        run.steps.to_string(),
        run.batch.to_string(),
        run.d_model.to_string(),
        run.n_layers.to_string(),
        run.form.clone(),
        run.device.clone(),
        run.threads.to_string(),
        optional(evaluation.map(|e| &e.condition)),
        optional(evaluation.map(|e| e.examples)),
        run.jobs.to_string(),
        run.outcome.to_string(),
        optional(evaluation.and_then(|e| e.seq_len)),
        optional(evaluation.and_then(|e| e.bits_per_byte)),
        optional(evaluation.and_then(|e| e.normalised_error)),
    ]
}

/// Empty where nothing was measured, or other runs disturbed it.
fn timing(run: &RunSummary, value: f64) -> String {
    optional((value.is_finite() && !run.timings_are_shared()).then_some(value))
}

fn optional(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A text without its quotes, anything else as JSON.
fn setting(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}
