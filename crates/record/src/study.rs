//! A study's summary: all runs of one slug, as a table and as JSON. Both are committed, so that a figure can be
//! redrawn and believed without the runs' folders.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use subquad_data::Metric;

use crate::error::{read_json, to_json};
use crate::files::{RUNS, folder_name};
use crate::{Evaluation, RecordError, RunSummary, write_atomic};

const CSV: &str = "summary.csv";
const JSON: &str = "summary.json";

/// The content of a column on the line of a run and one of its evaluations; a run without any has one line.
type Cell = fn(&RunSummary, Option<&Evaluation>) -> String;

/// The columns that every table has. The metrics that are not among them follow, then a column for each swept
/// setting and [the last ones](LAST_COLUMNS).
const COLUMNS: [(&str, Cell); 26] = [
    ("mixer", |run, _| run.mixer.clone()),
    ("seq_len", |run, _| run.seq_len.to_string()),
    ("seed", |run, _| run.seed.to_string()),
    ("split", |_, evaluation| optional(evaluation.map(|e| &e.split))),
    // This has been the place of accuracy since before there were other metrics.
    ("accuracy", |_, evaluation| score(evaluation, Metric::Accuracy)),
    ("loss", |_, evaluation| optional(evaluation.map(|e| e.loss))),
    ("parameters", |run, _| run.parameters.to_string()),
    ("step_ms", |run, _| timing(run, Some(run.step_ms))),
    ("tokens_per_second", |run, _| timing(run, Some(run.tokens_per_second))),
    ("peak_bytes", |run, _| optional(run.peak_bytes)),
    ("state_floats", |run, _| optional(run.state_floats)),
    ("config", |run, _| run.config.clone()),
    ("run", |run, _| run.run.clone()),
    ("task", |run, _| run.task.clone()),
    ("steps", |run, _| run.steps.to_string()),
    ("batch", |run, _| run.batch.to_string()),
    ("d_model", |run, _| run.d_model.to_string()),
    ("n_layers", |run, _| run.n_layers.to_string()),
    ("form", |run, _| run.form.clone()),
    ("device", |run, _| run.device.clone()),
    ("threads", |run, _| run.threads.to_string()),
    ("condition", |_, evaluation| optional(evaluation.map(|e| &e.condition))),
    ("examples", |_, evaluation| optional(evaluation.map(|e| e.examples))),
    ("jobs", |run, _| run.jobs.to_string()),
    ("outcome", |run, _| run.outcome.to_string()),
    ("test_len", |_, evaluation| optional(evaluation.and_then(|e| e.seq_len))),
];

/// The content of a column that only those studies have in which some run has something there.
type RareCell = fn(&RunSummary) -> Option<String>;

/// The columns of how settings are chosen, before the last ones: the results on validation examples, and whether the run is compared.
const CHOOSING: [(&str, RareCell); 3] = [
    ("validation_loss", |run| Some(run.validation.as_ref()?.loss.to_string())),
    ("validation_score", |run| Some(run.validation.as_ref()?.score?.value.to_string())),
    ("chosen", |run| run.chosen.map(|chosen| if chosen { "yes" } else { "no" }.to_owned())),
];

/// The columns after those of the swept settings.
const LAST_COLUMNS: [(&str, Cell); 4] = [
    ("flops_per_step", |run, _| optional(run.utilisation.flops_per_step)),
    ("gflops", |run, _| timing(run, run.utilisation.gflops)),
    ("fma_peak_gflops", |run, _| timing(run, run.utilisation.fma_peak_gflops)),
    ("mfu", |run, _| timing(run, run.utilisation.mfu)),
];

/// The contents of a study's `summary.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Study {
    /// The study's name: that of its folder.
    pub slug: String,
    /// All runs, in the order in which they were given.
    pub runs: Vec<RunSummary>,
    /// What else a reader should know, for example the machine, by name next to `slug` and `runs`.
    #[serde(flatten)]
    pub facts: BTreeMap<String, Value>,
}

/// Writes `summary.csv` and `summary.json` of the study whose folder is `dir`, each atomically.
///
/// The table has one line for each run and evaluation, ordered by config, mixer (as first seen), `seq_len`, seed and split;
/// an undefined number is an empty cell, a loss that is not finite `NaN` or `inf`. Timings that were
/// [shared](RunSummary::timings_are_shared) are left out. A run without evaluations, such as those in `unfinished`, has one
/// line, without a split, and the column `outcome` says why. `summary.json` lists only `runs`.
///
/// # Errors
/// If a file cannot be written, or a fact is called `slug` or `runs`.
pub fn write_study(
    dir: &Path,
    runs: &[RunSummary],
    unfinished: &[RunSummary],
    facts: &BTreeMap<String, Value>,
) -> Result<(), RecordError> {
    let table = table(&[runs, unfinished].concat())?;
    let study = |slug| Study { slug, runs: runs.to_vec(), facts: facts.clone() };
    write_summary(dir, table, study, ["slug", "runs"], facts)
}

/// Writes the files of a study under its own name, unless a fact is called like one of its entries.
pub(crate) fn write_summary<T: Serialize>(
    dir: &Path,
    table: Vec<u8>,
    study: impl FnOnce(String) -> T,
    entries: [&str; 2],
    facts: &BTreeMap<String, Value>,
) -> Result<(), RecordError> {
    if let Some(name) = entries.into_iter().find(|name| facts.contains_key(*name)) {
        return Err(RecordError::FactName { name: name.into() });
    }
    fs_err::create_dir_all(dir)?;
    write_atomic(dir.join(CSV), &table)?;
    Ok(write_atomic(dir.join(JSON), &to_json(&study(folder_name(dir)))?)?)
}

/// The file to [lock](crate::Lock) while the summary and the figures of the study in `dir` are written. It is among the
/// runs, which are not committed.
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

/// What a `summary.json` of either kind says besides its runs or cells, by name.
///
/// # Errors
/// If it cannot be read, or is not a JSON object.
pub fn read_facts(dir: &Path) -> Result<BTreeMap<String, Value>, RecordError> {
    read_json(&dir.join(JSON))
}

fn table(runs: &[RunSummary]) -> Result<Vec<u8>, RecordError> {
    let settings: BTreeSet<&str> =
        runs.iter().flat_map(|run| run.settings.keys()).map(String::as_str).collect();
    let mut header: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
    header.extend(other_metrics().map(|metric| metric.name()));
    header.extend(&settings);
    let choosing: Vec<_> =
        CHOOSING.iter().filter(|(_, cell)| runs.iter().any(|run| cell(run).is_some())).collect();
    header.extend(choosing.iter().map(|(name, _)| name));
    header.extend(LAST_COLUMNS.map(|(name, _)| name));
    let line = |(run, evaluation): (&RunSummary, Option<&Evaluation>)| {
        let fixed = COLUMNS.iter().map(|(_, cell)| cell(run, evaluation));
        let scores = other_metrics().map(|metric| score(evaluation, metric));
        let own = settings.iter().map(|key| text_of(run.settings.get(*key)));
        let choosing = choosing.iter().map(|(_, cell)| cell(run).unwrap_or_default());
        fixed
            .chain(scores)
            .chain(own)
            .chain(choosing)
            .chain(LAST_COLUMNS.map(|(_, cell)| cell(run, evaluation)))
            .collect()
    };
    to_csv(&header, ordered(runs).into_iter().map(line))
}

pub(crate) fn to_csv(
    header: &[impl AsRef<[u8]>],
    lines: impl Iterator<Item = Vec<String>>,
) -> Result<Vec<u8>, RecordError> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(header)?;
    for line in lines {
        csv.write_record(line)?;
    }
    Ok(csv.into_inner().map_err(|error| error.into_error())?)
}

/// The metrics without a fixed column.
fn other_metrics() -> impl Iterator<Item = Metric> {
    let fixed = |metric: &Metric| COLUMNS.iter().any(|(name, _)| *name == metric.name());
    Metric::ALL.iter().copied().filter(move |metric| !fixed(metric))
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

/// The score; empty if the evaluation is scored by another metric.
fn score(evaluation: Option<&Evaluation>, metric: Metric) -> String {
    optional(evaluation.and_then(|e| e.score?.value_of(metric)))
}

/// The timing; empty if nothing was measured, or other runs disturbed it.
fn timing(run: &RunSummary, value: Option<f64>) -> String {
    optional(value.filter(|value| value.is_finite() && !run.timings_are_shared()))
}

fn optional(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A text without its quotes, nothing for `null`, a number as JSON has it.
pub fn text_of(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}
