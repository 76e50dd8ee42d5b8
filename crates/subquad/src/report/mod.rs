//! How the runs of a study compare: a table for the terminal, files and figures for the record.

mod figures;
mod samples;
mod table;
mod test_length;

pub use figures::{redraw, write_study_files};
pub use table::{comparison, report};

use std::path::PathBuf;

use indicatif::HumanCount;
use serde_json::Value;
use subquad_bench::distinct;
use subquad_record::RunSummary;

/// A finished run: its label, its result, and where its rows are.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Its mixer and what else the sweep varies.
    pub label: String,
    /// Its result.
    pub summary: RunSummary,
    /// Its folder.
    pub dir: PathBuf,
}

/// A run that failed.
#[derive(Debug, Clone)]
pub struct Failed {
    /// Why.
    pub why: String,
    /// What is known about it without its numbers.
    pub summary: RunSummary,
}

impl Failed {
    /// Why it failed, after the run's name.
    pub fn line(&self) -> String {
        format!("{}: {}", self.summary.run, self.why)
    }
}

/// The results of a study: every run that the command was asked for is in one of these lists.
#[derive(Debug, Clone, Default)]
pub struct StudyResults {
    /// Runs with numbers.
    pub finished: Vec<Finished>,
    /// Runs that failed.
    pub failed: Vec<Failed>,
    /// Runs that Ctrl-C stopped or kept from starting, as summaries without numbers.
    pub interrupted: Vec<RunSummary>,
}

impl StudyResults {
    /// How many runs there are.
    pub fn count(&self) -> usize {
        self.finished.len() + self.failed.len() + self.interrupted.len()
    }
}

/// What a reader of the timings must know about these runs; `None` if each had the machine to itself.
fn timing_note(runs: &[Finished]) -> Option<String> {
    let shared = runs.iter().filter(|run| run.summary.timings_are_shared()).count();
    let note =
        |left_out: String| format!("Timings leave out {left_out}, because runs shared the machine (--jobs).");
    match shared {
        0 => None,
        _ if shared == runs.len() => Some(note("all runs".into())),
        1 => Some(note(format!("1 of {} runs", runs.len()))),
        _ => Some(note(format!("{shared} of {} runs", runs.len()))),
    }
}

/// What was held equal, in words, from the runs themselves.
fn budget(runs: &[Finished]) -> String {
    let of = |f: fn(&RunSummary) -> usize| distinct(runs.iter().map(|run| f(&run.summary)));
    let mut parts = vec![];
    let mut equal = |values: Vec<usize>, words: fn(usize) -> String| {
        if let [value] = values[..] {
            parts.push(words(value));
        }
    };
    equal(of(|s| s.steps), |n| format!("{n} optimiser steps"));
    equal(of(|s| s.batch), |n| format!("batch {n}"));
    equal(of(|s| s.d_model), |n| format!("width {n}"));
    equal(of(|s| s.n_layers), |n| format!("depth {n}"));
    parts.extend(budgets(runs));
    if parts.is_empty() { "nothing".into() } else { parts.join(", ") }
}

/// What a budget holds equal, and how far apart the runs are.
fn budgets(runs: &[Finished]) -> Vec<String> {
    let quantities: [(&str, &str, fn(&RunSummary) -> Option<f64>); 3] = [
        ("budget.parameters", "parameters", |run| Some(run.parameters as f64)),
        ("budget.state_floats", "state floats", |run| run.state_floats.map(|floats| floats as f64)),
        ("budget.flops", "FLOPs of a step", |run| run.utilisation.flops_per_step),
    ];
    let within = |(key, words, of): (&str, &str, fn(&RunSummary) -> Option<f64>)| {
        let targets = distinct(runs.iter().map(|run| run.summary.settings.get(key).and_then(Value::as_u64)));
        let [Some(1..)] = targets[..] else { return None };
        let reached: Vec<f64> = runs.iter().filter_map(|run| of(&run.summary)).collect();
        let (least, most) =
            (reached.iter().copied().reduce(f64::min)?, reached.into_iter().reduce(f64::max)?);
        Some(format!("{words} within {:.1} %", 100.0 * (most - least) / least))
    };
    quantities.into_iter().filter_map(within).collect()
}

/// How many parameters the runs have. This is a sentence of its own because runs of the same width rarely have the same number.
fn parameters(runs: &[Finished]) -> String {
    let counts = || runs.iter().map(|run| run.summary.parameters);
    let (Some(least), Some(most)) = (counts().min(), counts().max()) else { return String::new() };
    let count = |n: usize| HumanCount(n as u64);
    match (most - least) as f64 / least as f64 * 100.0 {
        0.0 => format!("Parameters: {}.", count(least)),
        percent => format!("Parameters: {} to {}, {percent:.1} % apart.", count(least), count(most)),
    }
}
