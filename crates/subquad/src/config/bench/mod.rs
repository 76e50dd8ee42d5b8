//! The other kind of config: a `[bench]` section. Layers are measured, nothing is trained.
//!
//! One section, no axes, no overrides; entries, values, places and messages are those of the first kind.

mod check;
mod keys;
mod read;
mod unknown;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::entry::file_entries;
use super::error::Problems;
use super::room::{List, Room};
use super::{Assignment, ConfigErrors, Value, find};

pub use keys::{BENCH_KEYS, BENCH_LISTS};
pub(super) use read::is_bench;

/// A config file that asks for measurements.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchConfig {
    /// The file, as it was given.
    pub path: PathBuf,
    /// What it asks for.
    pub settings: BenchSettings,
    /// What changes every number it asks for, as far as it differs from its default.
    pub hash_pairs: BTreeMap<String, String>,
}

/// Section `[bench]`. No defaults here: every field comes from the schema.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BenchSettings {
    /// Layers along the sequence.
    pub mixers: Vec<String>,
    /// Sequence lengths they are measured at.
    pub lengths: Vec<usize>,
    /// Sequences at once.
    pub batch: usize,
    /// Width, over lengths.
    pub d_model: usize,
    /// Layers along the width.
    pub channel_mixers: Vec<String>,
    /// Widths they are measured at.
    pub widths: Vec<usize>,
    /// Tokens, over widths.
    pub tokens: usize,
    /// Hidden width of a channel mixer over its width.
    pub hidden_factor: usize,
    /// Blocks of a block-diagonal layer.
    pub n_blocks: usize,
    /// Time for the repeats of a layer at one size.
    pub seconds: f64,
}

impl BenchConfig {
    /// Reads a file, lays the flags over it, and checks everything; an error lists every mistake.
    ///
    /// # Errors
    /// Every mistake.
    pub fn load(path: &Path, assignments: &[Assignment]) -> Result<Self, ConfigErrors> {
        Self::from_text(&find::read(path)?, path, assignments)
    }

    /// [`load`](Self::load) for text at hand; `path` is only named.
    ///
    /// # Errors
    /// Every mistake.
    pub fn from_text(text: &str, path: &Path, assignments: &[Assignment]) -> Result<Self, ConfigErrors> {
        Self::within(Room::default(), text, path, assignments)
    }

    /// [`from_text`](Self::from_text) where other configs have taken some of the room.
    pub(super) fn within(
        room: Room,
        text: &str,
        path: &Path,
        assignments: &[Assignment],
    ) -> Result<Self, ConfigErrors> {
        let entries = file_entries(text, path).map_err(ConfigErrors)?;
        let mut problems = Problems::default();
        let file = read::read(entries, &mut problems);
        let flags = read::read(assignments.iter().flat_map(Assignment::entries).collect(), &mut problems);
        let all: read::Settings = file.into_iter().chain(flags).collect();
        if let Err(too_many) = room.check(Some(measurements(&all)), "measurements", &lists(&all)) {
            return Err(problems.and(too_many));
        }
        check::check(&all, path, &mut problems);
        problems.into_result()?;
        Ok(Self { path: path.to_owned(), settings: typed(&all), hash_pairs: hash_pairs(&all) })
    }

    /// A complete config that asks for the same: every key written out.
    pub fn to_toml(&self) -> String {
        let settings = toml::Value::try_from(&self.settings).expect("settings are what TOML can hold");
        toml::Table::from_iter([("bench".to_owned(), settings)]).to_string()
    }
}

impl BenchSettings {
    /// Layers at sizes that are measured.
    pub(super) fn measurements(&self) -> usize {
        self.mixers.len() * self.lengths.len() + self.channel_mixers.len() * self.widths.len()
    }
}

fn lists(all: &read::Settings) -> Vec<List<'_>> {
    let set = BENCH_LISTS.iter().filter_map(|key| Some((key.name, all.get(key.name)?)));
    set.map(|(name, set)| List { name, len: set.values.len(), origin: &set.origin }).collect()
}

fn measurements(all: &read::Settings) -> u128 {
    let len = |name: &str| all.get(name).map_or(0, |set| set.values.len() as u128);
    len("bench.mixers") * len("bench.lengths") + len("bench.channel_mixers") * len("bench.widths")
}

fn typed(all: &read::Settings) -> BenchSettings {
    let list = |values: &[Value]| values.iter().map(Value::to_toml).collect::<Vec<_>>();
    let mut table = toml::Table::new();
    for key in BENCH_LISTS {
        let values = all.get(key.name).map(|set| list(&set.values)).unwrap_or_default();
        table.insert(key.leaf().into(), values.into());
    }
    for key in BENCH_KEYS {
        let set = all.get(key.name).and_then(|set| set.values.first().cloned());
        let value = set.or_else(|| key.default.value()).expect("every single key has a default");
        table.insert(key.leaf().into(), value.to_toml());
    }
    table.try_into().unwrap_or_else(|error| panic!("the schema and the settings' types differ: {error}"))
}

/// Which layers, lengths and widths are asked for changes no number of the others.
fn hash_pairs(all: &read::Settings) -> BTreeMap<String, String> {
    let set = BENCH_KEYS.iter().filter_map(|key| Some((key, all.get(key.name)?.values.first()?)));
    let changed = set.filter(|(key, value)| key.default.value().as_ref() != Some(*value));
    changed.map(|(key, value)| (key.name.to_owned(), value.to_string())).collect()
}
