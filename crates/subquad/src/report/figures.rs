//! Files of a study: summary as CSV and JSON, figures with the CSV that each draws.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use serde_json::{Value, json};
use subquad_bench::{FIGURES, distinct, write_figures};
use subquad_data::Metric;
use subquad_plot::study::{self, Facts, Over, Standard};
use subquad_plot::summary::Sample;
use subquad_plot::{Figure, PlotError};
use subquad_record::{RunSummary, read_facts, write_atomic, write_study};

use super::rates::by_rate;
use super::samples::{Logs, by_length, by_state};
use super::selection::compared;
use super::test_length::by_test_length;
use super::text::whole_report;
use super::{Failed, Finished, REPORT, StudyResults, budget, parameters, timing_note};
use crate::Failure;

/// Logged points in the moving average of the training loss.
const SMOOTHING: usize = 5;

/// Writes `summary.csv`, `summary.json`, `summary.txt` and `figures/` into `dir`, the study's folder. Runs without numbers are in the summary
/// but not in the figures. Figures of an earlier summary that these runs do not have are removed.
///
/// # Errors
/// If a file cannot be read or written, or, once everything else has been written, if a figure cannot be drawn.
pub fn write_study_files(dir: &Path, results: &StudyResults) -> Result<(), Failure> {
    let all = &results.finished;
    let runs = &compared(all);
    let reasons: Vec<String> = results.failed.iter().map(Failed::line).collect();
    let interrupted: Vec<&str> = results.interrupted.iter().map(|run| run.run.as_str()).collect();
    let figures = if runs.is_empty() { vec![] } else { figures(runs, all, &left_out(results, &reasons))? };
    let (captions, undrawn) = write_figures(&dir.join(FIGURES), &figures)?;
    let facts = BTreeMap::from([
        ("captions".to_owned(), captions),
        ("held_equal".to_owned(), json!(budget(runs))),
        ("parameters".to_owned(), json!(parameters(runs))),
        ("failed".to_owned(), json!(reasons)),
        ("interrupted".to_owned(), json!(interrupted)),
    ]);
    let names: HashSet<&str> = runs.iter().map(|run| run.summary.run.as_str()).collect();
    let chosen = |run: &Finished| (!run.over.is_empty()).then(|| names.contains(run.summary.run.as_str()));
    let summary = |run: &Finished| RunSummary { chosen: chosen(run), ..run.summary.clone() };
    let summaries: Vec<RunSummary> = all.iter().map(summary).collect();
    let failed = results.failed.iter().map(|run| &run.summary);
    let unfinished: Vec<RunSummary> = failed.chain(&results.interrupted).cloned().collect();
    write_study(dir, &summaries, &unfinished, &facts)?;
    let study = dir.file_name().unwrap_or_default().to_string_lossy();
    write_atomic(dir.join(REPORT), whole_report(&study, results).as_bytes())?;
    Failure::unless_empty(undrawn)
}

/// Draws the figures of `dir` again from their CSV files and the captions in `summary.json`. Returns the name of each, or why
/// it was not drawn; a figure that cannot be drawn does not stop the others.
///
/// # Errors
/// If there are none, or the summary cannot be read.
pub fn redraw(dir: &Path) -> Result<Vec<Result<String, Failure>>, Failure> {
    let folder = dir.join(FIGURES);
    let has_table = |name: &String| folder.join(name).with_extension("csv").exists();
    let names: Vec<_> = study::names().into_iter().filter(has_table).collect();
    if names.is_empty() {
        let what = "no figures to draw again; name the folder of a study, such as results/00-quickstart";
        return Err(Failure::wrong(format!("{}: {what}", folder.display())));
    }
    let captions = read_facts(dir).map_err(Failure::wrong)?.remove("captions").unwrap_or_default();
    let one = |name: String| redraw_one(&folder, &name, caption(&captions, &name)).map(|()| name);
    Ok(names.into_iter().map(one).collect())
}

fn redraw_one(folder: &Path, name: &str, caption: Vec<String>) -> Result<(), Failure> {
    let table = folder.join(name).with_extension("csv");
    let panels = subquad_plot::read_panels(&table).map_err(Failure::wrong)?;
    let figure = study::by_name(name, panels, caption).expect("every name in the list of names has a figure");
    match figure.write(folder) {
        Ok(_) => Ok(()),
        Err(error @ PlotError::Io(_)) => Err(error.into()),
        Err(error) => Err(Failure::failed(format!("{}: {error}", table.display()))),
    }
}

fn caption(captions: &Value, name: &str) -> Vec<String> {
    let lines = captions[name].as_array().map(Vec::as_slice).unwrap_or_default();
    lines.iter().filter_map(|line| line.as_str().map(Into::into)).collect()
}

/// The figures of the runs that are compared, and of what was tried besides them.
fn figures(runs: &[Finished], all: &[Finished], left_out: &[String]) -> Result<Vec<Figure>, Failure> {
    let logs = Logs::read(runs)?;
    let facts = left_out.iter().fold(facts(runs), |facts, note| with_note(&facts, note.as_str()));
    let figures = Standard::all().map(|standard| match standard {
        Standard::Score(metric, Over::LearningRate) => by_rate(metric, all, &facts),
        standard => figure(standard, runs, &logs, &facts),
    });
    // A quantity that no run has, such as memory without the counting allocator, has no figure.
    Ok(figures.filter(|figure| !figure.panels.is_empty()).collect())
}

fn figure(standard: Standard, runs: &[Finished], logs: &Logs<'_>, facts: &Facts) -> Figure {
    let (samples, note) = match standard {
        Standard::Loss(loss) => return study::loss_by_step(loss, &logs.losses(loss), SMOOTHING, facts),
        Standard::Score(metric, over) => scores(metric, over, runs, logs),
        Standard::TimePerToken => (by_length(runs, microseconds_per_token), time_note(runs)),
        Standard::PeakMemory => (by_length(runs, peak_mebibytes), MEMORY_NOTE.into()),
    };
    standard.of(&samples, &with_note(facts, note))
}

/// Samples, and what a caption must say about them.
fn scores(metric: Metric, over: Over, runs: &[Finished], logs: &Logs<'_>) -> (Vec<Sample>, String) {
    let trained = |summary: &RunSummary| summary.score()?.value_of(metric);
    match over {
        Over::Step => logs.scores(metric),
        Over::Length => (by_length(runs, trained), String::new()),
        Over::TestLength => by_test_length(runs, metric),
        Over::DState => (by_state(runs, trained), String::new()),
        Over::LearningRate => (vec![], String::new()),
    }
}

fn facts(runs: &[Finished]) -> Facts {
    let commits = distinct(runs.iter().map(|run| run.summary.build_commit.as_deref().unwrap_or("unknown")));
    let tasks = distinct(runs.iter().map(|run| run.summary.task.as_str()));
    let notes = subquad_data::tasks()
        .into_iter()
        .filter(|task| tasks.contains(&task.info.name))
        .map(|task| task.info.caption.into());
    let notes = std::iter::once(parameters(runs)).chain(notes).collect();
    Facts { budget: budget(runs), commit: commits.join(", "), notes }
}

/// A run without numbers is not drawn, but a reader must know that it existed.
fn left_out(results: &StudyResults, reasons: &[String]) -> Vec<String> {
    let (interrupted, all) = (results.interrupted.len(), results.count());
    let failed =
        (!reasons.is_empty()).then(|| format!("Left out, because they failed: {}.", reasons.join("; ")));
    let others = (interrupted > 0)
        .then(|| format!("Left out, because they were interrupted: {interrupted} of {all} runs."));
    failed.into_iter().chain(others).collect()
}

/// The facts unchanged if the note is empty.
pub(super) fn with_note(facts: &Facts, note: impl Into<String>) -> Facts {
    let mut facts = facts.clone();
    facts.notes.extend(Some(note.into()).filter(|note| !note.is_empty()));
    facts
}

const MEMORY_NOTE: &str = "The most bytes alive in these training runs, above the level after the data were loaded and a step was tried.";

fn time_note(runs: &[Finished]) -> String {
    let summary = &runs[0].summary;
    let threads = distinct(runs.iter().map(|run| run.summary.threads.to_string()));
    let note = timing_note(runs).map_or(String::new(), |note| format!(" {note}"));
    format!(
        "Median step of these training runs ({} form, {} threads, {}, {} build).{note}",
        summary.form,
        threads.join(" and "),
        summary.device,
        if cfg!(debug_assertions) { "debug" } else { "release" },
    )
}

/// Nothing if runs shared the machine: such timings cannot be compared with others.
fn microseconds_per_token(summary: &RunSummary) -> Option<f64> {
    (!summary.timings_are_shared()).then(|| 1e6 / summary.tokens_per_second)
}

fn peak_mebibytes(summary: &RunSummary) -> Option<f64> {
    Some(summary.peak_bytes? as f64 / f64::from(1 << 20))
}
