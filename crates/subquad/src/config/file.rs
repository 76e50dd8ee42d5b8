//! A config file of either kind.

use std::path::Path;

use super::entry::file_entries;
use super::{Assignment, BenchConfig, CheckTask, ConfigErrors, StudyConfig, bench, find};

/// What a config file asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum ConfigFile {
    /// Runs that train.
    Training(StudyConfig),
    /// Layers that are measured.
    Bench(BenchConfig),
}

impl ConfigFile {
    /// Reads a file, lays the flags over it, and checks everything. A section `[bench]` makes it one that measures.
    ///
    /// # Errors
    /// Every mistake.
    pub fn load(
        path: &Path,
        assignments: &[Assignment],
        check_task: CheckTask<'_>,
    ) -> Result<Self, ConfigErrors> {
        let text = find::read(path)?;
        // A file that is no TOML measures nothing either; the first kind says what is wrong with it.
        let measures = file_entries(&text, path).is_ok_and(|entries| bench::is_bench(&entries));
        match measures {
            true => Ok(Self::Bench(BenchConfig::from_text(&text, path, assignments)?)),
            false => Ok(Self::Training(StudyConfig::from_text(&text, path, assignments, check_task)?)),
        }
    }
}
