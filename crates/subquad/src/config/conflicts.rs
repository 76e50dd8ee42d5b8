//! Mistakes that show only with file and flags side by side: what is missing, and what is said twice.

use std::collections::HashMap;
use std::path::Path;

use super::error::Problems;
use super::keys::{KEYS, SWEEP_KEYS};
use super::layer::Axis;
use super::plan::Plan;
use super::{ConfigError, ConfigErrors, DefaultValue, Key, Origin, Problem, ResolvedRun};

/// Reports what is missing and what contradicts an axis.
pub(super) fn check(plan: &Plan, path: &Path, problems: &mut Problems) {
    let missing: Vec<_> = KEYS.iter().chain(SWEEP_KEYS).filter(|key| is_missing(key, plan)).collect();
    for key in missing.into_iter().filter(|key| !problems.doubts(key)).collect::<Vec<_>>() {
        problems.push_about(key, ConfigError::new(Origin::file(path), missing_key(key)));
    }
    for axis in plan.extra_axes() {
        problems.extend(flags_on(axis, plan).into_iter().chain(overrides_on(axis, plan)));
    }
}

fn is_missing(key: &'static Key, plan: &Plan) -> bool {
    let required = key.default == DefaultValue::Required && plan.axis(key.name).is_none();
    let mixers = plan.mixers();
    let set_by = |mixer| plan.file.get(mixer, key).or_else(|| plan.flags.get(mixer, key)).is_some();
    let overridden = !mixers.is_empty() && mixers.iter().all(|mixer| set_by(Some(*mixer)));
    required && !set_by(None) && !overridden
}

fn missing_key(key: &'static Key) -> Problem {
    let what = match key.section() {
        "sweep" => format!("a list, each value {}", key.kind),
        _ => key.kind.to_string(),
    };
    Problem::Missing { section: key.section(), leaf: key.leaf(), what }
}

fn flags_on(axis: &Axis, plan: &Plan) -> Vec<ConfigError> {
    let plain = plan.flags.all_of(axis.key).filter(|(mixer, _)| mixer.is_none());
    let problem = Problem::FlagOnAxis { key: axis.key.name, axis: axis.origin.clone() };
    plain.map(|(_, origin)| ConfigError::new(origin.clone(), problem.clone())).collect()
}

fn overrides_on(axis: &Axis, plan: &Plan) -> Vec<ConfigError> {
    let all = plan.file.all_of(axis.key).chain(plan.flags.all_of(axis.key));
    let overrides = all.filter_map(|(mixer, origin)| mixer.map(|mixer| (mixer, origin)));
    let error = |(mixer, origin): (_, &Origin)| {
        let problem = Problem::OverrideOnAxis { key: axis.key.name, mixer, axis: axis.origin.clone() };
        ConfigError::new(origin.clone(), problem)
    };
    overrides.map(error).collect()
}

/// Refuses values of an axis that come to the same run, such as "longest" and its number.
pub(super) fn check_same_runs(runs: &[ResolvedRun], plan: &Plan) -> Result<(), ConfigErrors> {
    let mut problems = Problems::default();
    let mut seen: HashMap<_, &ResolvedRun> = HashMap::with_capacity(runs.len());
    for run in runs {
        if let Some(earlier) = seen.insert(&run.hash_pairs, run) {
            problems.extend(same_run(earlier, run, plan));
        }
    }
    problems.into_result()
}

fn same_run(one: &ResolvedRun, other: &ResolvedRun, plan: &Plan) -> Option<ConfigError> {
    let mut pairs = one.axes.iter().zip(&other.axes);
    let ((key, one), (_, other)) = pairs.find(|(one, other)| one != other)?;
    let axis = plan.axis(key)?;
    let problem = Problem::SameRun { key: axis.key.name, one: one.clone(), other: other.clone() };
    Some(ConfigError::new(axis.origin.clone(), problem))
}
