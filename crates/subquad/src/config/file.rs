//! A config file of either kind.

use std::path::Path;

use super::entry::file_entries;
use super::{Assignment, BenchConfig, CheckTask, ConfigErrors, Room, StudyConfig, bench, find};

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
        Self::load_within(Room::default(), path, assignments, check_task)
    }

    /// [`load`](Self::load) where other configs have taken some of the room.
    pub(crate) fn load_within(
        room: Room,
        path: &Path,
        assignments: &[Assignment],
        check_task: CheckTask<'_>,
    ) -> Result<Self, ConfigErrors> {
        let text = find::read(path)?;
        // A file that is no TOML measures nothing either; the first kind says what is wrong with it.
        let measures = file_entries(&text, path).is_ok_and(|entries| bench::is_bench(&entries));
        match measures {
            true => Ok(Self::Bench(BenchConfig::within(room, &text, path, assignments)?)),
            false => Ok(Self::Training(StudyConfig::within(room, &text, path, assignments, check_task)?)),
        }
    }

    /// How many runs, or measurements of layers, it asks for.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Training(config) => config.runs.len(),
            Self::Bench(config) => config.settings.measurements(),
        }
    }
}
