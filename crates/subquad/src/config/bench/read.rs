//! Entries of `[bench]`, each checked by itself.

use std::collections::{BTreeMap, HashSet};

use super::super::entry::Entry;
use super::super::error::Problems;
use super::super::found::{Found, Item};
use super::super::{ConfigError, Key, Origin, Problem, Value};
use super::{BENCH_KEYS, BENCH_LISTS, unknown};

pub(super) const SECTION: &str = "bench";

/// What a key holds, and where that was written. A single value is a list of one.
#[derive(Debug, Clone)]
pub(super) struct Set {
    pub(super) values: Vec<Value>,
    pub(super) origin: Origin,
}

/// By the name of the key.
pub(super) type Settings = BTreeMap<&'static str, Set>;

/// Whether a file with these entries measures rather than trains.
pub(in super::super) fn is_bench(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| entry.names()[0] == SECTION)
}

/// The settings of one source: the file, or all flags.
pub(super) fn read(entries: Vec<Entry>, problems: &mut Problems) -> Settings {
    let mut settings = Settings::new();
    for entry in entries {
        match entry.names()[..] {
            [SECTION] if entry.found == Found::Table => {}
            [SECTION, leaf] => match key_of(leaf) {
                Some(key) => add(key, &entry, &mut settings, problems),
                None => problems.misplaced(unknown::diagnose(&entry)),
            },
            _ => problems.misplaced(unknown::diagnose(&entry)),
        }
    }
    settings
}

pub(super) fn all_keys() -> impl Iterator<Item = &'static Key> + Clone {
    BENCH_LISTS.iter().chain(BENCH_KEYS)
}

pub(super) fn key_of(leaf: &str) -> Option<&'static Key> {
    all_keys().find(|key| key.leaf() == leaf)
}

fn is_list(key: &Key) -> bool {
    BENCH_LISTS.iter().any(|list| list.name == key.name)
}

fn add(key: &'static Key, entry: &Entry, settings: &mut Settings, problems: &mut Problems) {
    let origin = entry.origin();
    if let Some(first) = settings.get(key.name) {
        let problem = Problem::SetTwice { key: entry.key(), first: first.origin.clone() };
        return problems.push_about(key, ConfigError::new(origin, problem));
    }
    let values = if is_list(key) { list(key, entry, problems) } else { single(key, entry, problems) };
    settings.insert(key.name, Set { values, origin });
}

fn single(key: &'static Key, entry: &Entry, problems: &mut Problems) -> Vec<Value> {
    match key.kind.accept(&entry.found) {
        Some(value) => vec![value],
        None => {
            let problem = Problem::Value { key: entry.key(), complaint: key.kind.complaint(&entry.found) };
            problems.push_about(key, ConfigError::new(entry.origin(), problem));
            vec![]
        }
    }
}

fn list(key: &'static Key, entry: &Entry, problems: &mut Problems) -> Vec<Value> {
    let Found::List(items) = &entry.found else {
        let complaint = format!("must be a list of values, got {}", entry.found);
        let problem = Problem::Value { key: entry.key(), complaint };
        problems.push_about(key, ConfigError::new(entry.origin(), problem));
        return vec![];
    };
    let mut values = vec![];
    // Equal values have equal texts.
    let mut seen = HashSet::new();
    for Item { found, origin } in items {
        let problem = match key.kind.accept(found) {
            None => Problem::AxisValue { key: entry.key(), complaint: key.kind.complaint(found) },
            Some(value) if !seen.insert(value.to_string()) => {
                Problem::Value { key: entry.key(), complaint: format!("lists {value} twice") }
            }
            Some(value) => {
                values.push(value);
                continue;
            }
        };
        problems.push_about(key, ConfigError::new(origin.clone(), problem));
    }
    values
}
