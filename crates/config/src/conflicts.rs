//! Mistakes that show only when file and flags are seen together: what is missing, and what is set twice.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::assigned::Axis;
use crate::error::Problems;
use crate::plan::Plan;
use crate::{ConfigError, ConfigErrors, Key, Origin, Problem, Run};

/// Reports what is missing and what contradicts an axis.
pub(crate) fn check(plan: &Plan, path: &Path, problems: &mut Problems) {
    let keys = plan.schema.keys().iter().chain(plan.schema.axis_keys());
    for key in keys.filter(|key| is_missing(key, plan)) {
        if !problems.doubts(key.name) {
            problems.push_about(key, ConfigError::new(Origin::file(path), Problem::missing(key)));
        }
    }
    for axis in plan.extra_axes() {
        problems.extend(set_besides(axis, plan));
    }
}

fn is_missing(key: &'static Key, plan: &Plan) -> bool {
    let required = key.default.is_none() && plan.axis(key.name).is_none();
    let subjects = plan.subjects();
    let set_by = |subject: Option<&Arc<str>>| {
        plan.file.get(subject, key).or_else(|| plan.flags.get(subject, key)).is_some()
    };
    let overridden = !subjects.is_empty() && subjects.iter().all(|(subject, _)| set_by(Some(subject)));
    required && !set_by(None) && !overridden
}

/// Whatever else sets the key of an axis: flags, and overrides of either source.
fn set_besides(axis: &Axis, plan: &Plan) -> Vec<ConfigError> {
    let overrides = plan.file.all_of(axis.key).filter(|(subject, _)| subject.is_some());
    let error = |(subject, origin): (Option<&Arc<str>>, &Origin)| {
        let (key, axis) = (axis.key.name, axis.origin.clone());
        let problem = match subject {
            Some(subject) => Problem::OverrideOnAxis { key, subject: subject.to_string(), axis },
            None => Problem::FlagOnAxis { key, axis },
        };
        ConfigError::new(origin.clone(), problem)
    };
    overrides.chain(plan.flags.all_of(axis.key)).map(error).collect()
}

/// Refuses values of an axis that lead to the same run, such as "longest" and its number.
pub(crate) fn check_same_runs(runs: &[Run], plan: &Plan) -> Result<(), ConfigErrors> {
    let mut problems = Problems::default();
    let mut seen: HashMap<_, &Run> = HashMap::with_capacity(runs.len());
    for run in runs {
        if let Some(earlier) = seen.insert(&run.hash_pairs, run) {
            problems.extend(same_run(earlier, run, plan));
        }
    }
    problems.into_result()
}

fn same_run(one: &Run, other: &Run, plan: &Plan) -> Option<ConfigError> {
    let mut pairs = one.axes.iter().zip(other.axes.iter());
    let ((key, one), (_, other)) = pairs.find(|(one, other)| one != other)?;
    let axis = plan.axis(key)?;
    let problem = Problem::SameRun { key: axis.key.name, one: one.clone(), other: other.clone() };
    Some(ConfigError::new(axis.origin.clone(), problem))
}
