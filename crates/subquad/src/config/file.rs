//! A config file of either kind.

use std::path::Path;

use subquad_bench::{BenchConfig, SECTION};
use subquad_config::{Assignment, Combination, ConfigErrors, Quota, Rules, Study, has_section, read};

use crate::registry::Registry;

/// What a config file asks for.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "a command reads a few")]
pub enum ConfigFile {
    /// Runs that train.
    Training(Study),
    /// Layers that are measured.
    Bench(BenchConfig),
}

impl ConfigFile {
    /// Reads a file, applies the flags to it, and checks everything; `quota` says how much other configs have asked
    /// for. A section `[bench]` makes it a config that measures.
    ///
    /// # Errors
    /// Every mistake.
    pub fn load(
        registry: &dyn Registry,
        quota: Quota,
        path: &Path,
        assignments: &[Assignment],
    ) -> Result<Self, ConfigErrors> {
        let text = read(path)?;
        let schemas = registry.schemas();
        // A file that is not TOML measures nothing either; the first kind reports what is wrong with it.
        if has_section(&text, SECTION) {
            let subjects = registry.subjects();
            let config = BenchConfig::read(schemas.bench, subjects, &text, path, assignments, quota)?;
            return Ok(Self::Bench(config));
        }
        let check = |run: &Combination<'_>| registry.complaints(run);
        let solve = |run: &Combination<'_>| registry.solve(run);
        let rules = Rules { check: &check, solve: &solve };
        Ok(Self::Training(Study::read(schemas.study, &text, path, assignments, quota, rules)?))
    }

    /// How many runs, or measurements of layers, it asks for.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Training(config) => config.runs.len(),
            Self::Bench(config) => config.options.measurements(),
        }
    }
}
