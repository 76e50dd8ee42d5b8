//! From config files to the studies that they ask for.

use std::path::{Path, PathBuf};

use subquad_bench::BenchConfig;
use subquad_config::{Assignment, ConfigErrors, Quota, Study as StudyConfig, find_configs};

use crate::Failure;
use crate::config::ConfigFile;
use crate::registry::Registry;
use crate::scaling::{self, BenchStudy};
use crate::study::{Study, group};

/// Everything that the configs ask for.
#[derive(Debug)]
pub struct Planned {
    /// Studies that train.
    pub training: Vec<Study>,
    /// Studies that measure.
    pub bench: Vec<BenchStudy>,
}

/// Reads configs (files, or folders of them) and groups what they ask for by folder.
///
/// # Errors
/// Every mistake of every file.
pub fn plan(
    registry: &dyn Registry,
    paths: &[PathBuf],
    assignments: &[Assignment],
) -> Result<Planned, Failure> {
    let (training, bench) = by_kind(load_all(registry, paths, assignments)?);
    let training = group(training)?;
    let bench = scaling::group(bench, &training)?;
    Ok(Planned { training, bench })
}

/// Configs that train, and configs that measure.
pub fn by_kind(files: Vec<ConfigFile>) -> (Vec<StudyConfig>, Vec<BenchConfig>) {
    let (mut training, mut bench) = (vec![], vec![]);
    for file in files {
        match file {
            ConfigFile::Training(config) => training.push(config),
            ConfigFile::Bench(config) => bench.push(config),
        }
    }
    (training, bench)
}

/// Reads and checks configs; one unreadable path does not hide the mistakes of another.
///
/// # Errors
/// Every mistake of every file, each once.
pub fn load_all(
    registry: &dyn Registry,
    paths: &[PathBuf],
    assignments: &[Assignment],
) -> Result<Vec<ConfigFile>, Failure> {
    let (mut configs, mut mistakes, mut quota) = (vec![], vec![], Quota::default());
    for file in paths.iter().flat_map(|path| files_of(path)) {
        match file.and_then(|file| ConfigFile::load(registry, quota, &file, assignments)) {
            Ok(config) => {
                quota.take(config.count());
                configs.push(config);
            }
            Err(errors) => mistakes.extend(errors.0.iter().map(ToString::to_string)),
        }
    }
    // A mistake in a flag is found once per file.
    let mut seen = std::collections::BTreeSet::new();
    mistakes.retain(|mistake| seen.insert(mistake.clone()));
    if mistakes.is_empty() { Ok(configs) } else { Err(Failure::Wrong(mistakes)) }
}

fn files_of(path: &Path) -> Vec<Result<PathBuf, ConfigErrors>> {
    match find_configs(path) {
        Ok(files) => files.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error.into())],
    }
}
