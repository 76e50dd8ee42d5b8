//! A config file as the runs it asks for.

use std::path::{Path, PathBuf};

use super::consistency::{Context, complaints, task_complaint};
use super::draft::Draft;
use super::entry::file_entries;
use super::error::Problems;
use super::layer::{Axis, Layer};
use super::plan::Plan;
use super::room::Room;
use super::sweep::Sweep;
use super::{Assignment, ConfigError, ConfigErrors, Origin, ResolvedRun, TaskSettings, conflicts, find};

/// Says whether a task can make sequences of a length with its options, and if not why.
pub type CheckTask<'a> = &'a dyn Fn(&TaskSettings, usize) -> Result<(), TaskProblem>;

/// Why it cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskProblem {
    /// What is wrong, what is allowed, and what to do.
    pub reason: String,
    /// The keys to blame, the first first; none where it is the length alone.
    pub keys: Vec<String>,
}

/// A config file, expanded.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyConfig {
    /// The file, as it was given.
    pub path: PathBuf,
    /// The keys of the axes beside mixer, seq_len and seed, in their order.
    pub axes: Vec<String>,
    /// Sequence length outermost, then mixer, then [`axes`](Self::axes), then seed.
    pub runs: Vec<ResolvedRun>,
}

impl StudyConfig {
    /// Reads a file, lays the flags over it, and checks everything; an error lists every mistake.
    pub fn load(
        path: &Path,
        assignments: &[Assignment],
        check_task: CheckTask<'_>,
    ) -> Result<Self, ConfigErrors> {
        Self::from_text(&find::read(path)?, path, assignments, check_task)
    }

    /// [`load`](Self::load) for text at hand; `path` is only named.
    pub fn from_text(
        text: &str,
        path: &Path,
        assignments: &[Assignment],
        check_task: CheckTask<'_>,
    ) -> Result<Self, ConfigErrors> {
        Self::within(Room::default(), text, path, assignments, check_task)
    }

    /// [`from_text`](Self::from_text) where other configs have taken some of the room.
    pub(super) fn within(
        room: Room,
        text: &str,
        path: &Path,
        assignments: &[Assignment],
        check_task: CheckTask<'_>,
    ) -> Result<Self, ConfigErrors> {
        let entries = file_entries(text, path).map_err(ConfigErrors)?;
        let mut problems = Problems::default();
        let file = Layer::read(entries, &mut problems);
        let flags = assignments.iter().flat_map(Assignment::entries).collect();
        let plan = Plan::new(file, Layer::read(flags, &mut problems));
        conflicts::check(&plan, path, &mut problems);
        let sweep = Sweep::new(&plan);
        let lists: Vec<_> = plan.axes.iter().map(Axis::as_list).collect();
        let runs = match room.check(sweep.count(), "runs", &lists) {
            Ok(()) => resolve(&sweep, check_task, path, problems)?,
            Err(too_many) => return Err(problems.and(too_many)),
        };
        conflicts::check_same_runs(&runs, &plan)?;
        let axes = plan.extra_axes().map(|axis| axis.key.name.to_owned()).collect();
        Ok(Self { path: path.to_owned(), axes, runs })
    }
}

/// Every run, checked. Seeds change nothing that could be wrong.
fn resolve(
    sweep: &Sweep<'_>,
    check_task: CheckTask<'_>,
    path: &Path,
    mut problems: Problems,
) -> Result<Vec<ResolvedRun>, ConfigErrors> {
    let context = Context { longest: sweep.longest(&problems).unwrap_or(0), check_task };
    let mut runs = vec![];
    sweep.for_each(&mut problems, |draft, problems| {
        check_draft(draft, &context, path, problems);
        if problems.is_empty() {
            runs.extend(ResolvedRun::of_seeds(draft, &sweep.seeds));
        }
    });
    problems.into_result()?;
    Ok(runs)
}

fn check_draft(draft: &Draft<'_>, context: &Context<'_>, path: &Path, problems: &mut Problems) {
    let found = complaints(draft, context).into_iter();
    for (problem, origin) in found.chain(task_complaint(draft, context)) {
        problems.push(ConfigError::new(origin.unwrap_or_else(|| Origin::file(path)), problem));
    }
}
