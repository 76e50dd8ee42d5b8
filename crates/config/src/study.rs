//! A config file as the runs it asks for.

use std::path::{Path, PathBuf};

use subquad_options::Value;

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

/// Finds the value of a key that a config leaves to the program, and names the key that asks for it; nothing if it leaves none.
pub type Solve<'a> = &'a dyn Fn(&Combination<'_>) -> Result<Option<Solved>, Complaint>;

/// What only the program knows about combinations.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// What does not go together.
    pub check: Check<'a>,
    /// What is found for a combination, before it is checked.
    pub solve: Solve<'a>,
}

/// A value that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Solved {
    /// The key that has it.
    pub key: String,
    /// The value.
    pub value: Value,
    /// The key of the config that asks for it.
    pub asked_by: &'static str,
}

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
        rules: Rules<'_>,
    ) -> Result<Self, ConfigErrors> {
        let mut problems = Problems::default();
        let plan = read(schema, text, path, assignments, &mut problems)?;
        conflicts::check(&plan, path, &mut problems);
        let sweep = Sweep::new(&plan, schema.axes().expect("a study has a sweep"));
        let lists: Vec<_> = plan.axes.iter().map(Axis::length).collect();
        let runs = match quota.check(sweep.count(), "runs", &lists) {
            Ok(()) => runs(&sweep, rules, path, problems)?,
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
    rules: Rules<'_>,
    path: &Path,
    mut problems: Problems,
) -> Result<Vec<Run>, ConfigErrors> {
    let mut runs = vec![];
    sweep.for_each(&mut problems, |combination, problems| {
        let solved = solve(combination, rules.solve, path, problems);
        let combination = solved.as_ref().unwrap_or(combination);
        complain(combination, rules.check, path, problems);
        if problems.is_empty() {
            runs.extend(Run::of_seeds(combination, &sweep.seeds));
        }
    });
    problems.into_result()?;
    Ok(runs)
}

/// The combination with the value that the program finds, if it is asked for one; not while other values are in doubt.
fn solve<'a>(
    combination: &Combination<'a>,
    solve: Solve<'_>,
    path: &Path,
    problems: &mut Problems,
) -> Option<Combination<'a>> {
    if problems.has_doubts() {
        return None;
    }
    match solve(combination) {
        Ok(solved) => solved.and_then(|Solved { key, value, asked_by }| {
            Some(combination.with(combination.key(&key)?, value, asked_by))
        }),
        Err(complaint) => {
            refuse(combination, complaint, path, problems);
            None
        }
    }
}

/// Reports what the program refuses, unless a key to blame is in doubt.
pub(crate) fn complain(
    combination: &Combination<'_>,
    check: Check<'_>,
    path: &Path,
    problems: &mut Problems,
) {
    for complaint in check(combination) {
        refuse(combination, complaint, path, problems);
    }
}

fn refuse(combination: &Combination<'_>, complaint: Complaint, path: &Path, problems: &mut Problems) {
    let Complaint { reason, keys } = complaint;
    if !keys.iter().any(|key| problems.doubts(key)) {
        let origin = combination.origin(&keys).unwrap_or_else(|| Origin::file(path));
        problems.push(ConfigError::new(origin, Problem::Refused { reason }));
    }
}
