//! A config file as the runs it asks for.

use std::path::{Path, PathBuf};

use crate::assigned::{Assigned, Axis};
use crate::entry::file_entries;
use crate::error::Problems;
use crate::plan::Plan;
use crate::sweep::Sweep;
use crate::{
    Assignment, Combination, Complaint, ConfigError, ConfigErrors, Origin, Problem, Quota, Run, Schema,
    conflicts,
};

/// Reports everything that is wrong with a combination.
pub type Check<'a> = &'a dyn Fn(&Combination<'_>) -> Vec<Complaint>;

/// A config file, expanded.
#[derive(Debug, Clone)]
pub struct Study {
    /// The file, as it was given.
    pub path: PathBuf,
    /// The keys of the axes besides those that every sweep has, in order.
    pub axes: Vec<String>,
    /// The runs: size outermost, then subject, then [`axes`](Self::axes), then seed.
    pub runs: Vec<Run>,
}

impl Study {
    /// Reads `text`, the contents of the file at `path`, applies the flags to it, and checks everything.
    ///
    /// # Errors
    /// Every mistake.
    ///
    /// # Panics
    /// If the schema has no sweep.
    pub fn read(
        schema: &'static Schema,
        text: &str,
        path: &Path,
        assignments: &[Assignment],
        quota: Quota,
        check: Check<'_>,
    ) -> Result<Self, ConfigErrors> {
        let mut problems = Problems::default();
        let plan = read(schema, text, path, assignments, &mut problems)?;
        conflicts::check(&plan, path, &mut problems);
        let sweep = Sweep::new(&plan, schema.axes().expect("a study has a sweep"));
        let lists: Vec<_> = plan.axes.iter().map(Axis::length).collect();
        let runs = match quota.check(sweep.count(), "runs", &lists) {
            Ok(()) => runs(&sweep, check, path, problems)?,
            Err(too_many) => return Err(problems.and(too_many)),
        };
        conflicts::check_same_runs(&runs, &plan)?;
        let axes = plan.extra_axes().map(|axis| axis.key.name.to_owned()).collect();
        Ok(Self { path: path.to_owned(), axes, runs })
    }
}

/// What file and flags assign.
///
/// # Errors
/// If the text is not TOML.
pub(crate) fn read(
    schema: &'static Schema,
    text: &str,
    path: &Path,
    assignments: &[Assignment],
    problems: &mut Problems,
) -> Result<Plan, ConfigErrors> {
    let file = Assigned::read(schema, file_entries(text, path).map_err(ConfigErrors)?, problems);
    let flags = assignments.iter().flat_map(Assignment::entries).collect();
    Ok(Plan::new(schema, file, Assigned::read(schema, flags, problems)))
}

/// Every run, checked. Seeds need no check.
fn runs(
    sweep: &Sweep<'_>,
    check: Check<'_>,
    path: &Path,
    mut problems: Problems,
) -> Result<Vec<Run>, ConfigErrors> {
    let mut runs = vec![];
    sweep.for_each(&mut problems, |combination, problems| {
        complain(combination, check, path, problems);
        if problems.is_empty() {
            runs.extend(Run::of_seeds(combination, &sweep.seeds));
        }
    });
    problems.into_result()?;
    Ok(runs)
}

/// Reports what the program refuses, unless a key to blame is in doubt.
pub(crate) fn complain(
    combination: &Combination<'_>,
    check: Check<'_>,
    path: &Path,
    problems: &mut Problems,
) {
    for Complaint { reason, keys } in check(combination) {
        if keys.iter().any(|key| problems.doubts(key)) {
            continue;
        }
        let origin = combination.origin(&keys).unwrap_or_else(|| Origin::file(path));
        problems.push(ConfigError::new(origin, Problem::Refused { reason }));
    }
}
