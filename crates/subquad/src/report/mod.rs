//! How the runs of a study compare: a table for the terminal, files and figures for the record.

mod figures;
mod held_equal;
mod paired;
mod rates;
mod samples;
mod selection;
mod table;
mod test_length;
mod text;

pub use figures::{redraw, write_study_files};
use held_equal::{budget, parameters};
pub(crate) use selection::{edges, unjudged};
pub use table::{comparison, report};

use std::path::PathBuf;

use subquad_record::RunSummary;

/// The file of a study that holds its whole comparison as text.
pub(crate) const REPORT: &str = "summary.txt";

/// A finished run: its label, its result, and where its rows are.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Its mixer and what else the sweep varies, without what is tuned.
    pub label: String,
    /// The keys that are tuned: only their best value is compared.
    pub over: Vec<String>,
    /// Its result.
    pub summary: RunSummary,
    /// Its folder.
    pub dir: PathBuf,
}

/// A run that failed.
#[derive(Debug, Clone)]
pub struct Failed {
    /// Its mixer and what else the sweep varies, without what is tuned.
    pub label: String,
    /// The keys that are tuned.
    pub over: Vec<String>,
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
