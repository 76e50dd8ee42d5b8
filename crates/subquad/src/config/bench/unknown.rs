//! What to say about an entry that means no key of `[bench]`.

use super::super::entry::Entry;
use super::super::found::Found;
use super::super::{ConfigError, Key, Problem, schema, suggest};
use super::read::{SECTION, all_keys, key_of};

/// Which part is unknown, and what was probably meant.
pub(super) fn diagnose(entry: &Entry) -> ConfigError {
    let names = entry.names();
    let (origin, known) = (entry.origin(), vec![SECTION]);
    match names[..] {
        [SECTION] => {
            let (section, got) = (SECTION.to_owned(), entry.found.to_string());
            ConfigError::new(origin, Problem::NotASection { section, got })
        }
        [SECTION, leaf] if entry.found != Found::Table => unknown_key(entry, leaf),
        [SECTION, name, ..] => match key_of(name) {
            Some(key) => {
                let problem =
                    Problem::Value { key: key.name.into(), complaint: key.kind.complaint(&Found::Table) };
                ConfigError::new(entry.origin_of(2), problem)
            }
            None => section(entry, 2, None),
        },
        [first, ..] if is_training(first) => {
            ConfigError::new(entry.origin_of(1), Problem::TrainingInBench { section: first.to_owned() })
        }
        [leaf] if entry.found != Found::Table => {
            let meant = key_of(leaf).map(|key| key.name.to_owned());
            ConfigError::new(origin, Problem::KeyOutsideSections { key: entry.key(), known, meant })
        }
        [first, ..] => section(entry, 1, suggest::nearest(first, [SECTION].into_iter())),
        [] => unreachable!("an entry has a name"),
    }
}

fn unknown_key(entry: &Entry, leaf: &str) -> ConfigError {
    let meant = suggest::nearest(leaf, all_keys().map(Key::leaf)).map(str::to_owned);
    let known = all_keys().map(Key::leaf).collect();
    let problem = Problem::UnknownKey { key: entry.key(), section: SECTION.into(), known, meant };
    ConfigError::new(entry.origin(), problem)
}

fn section(entry: &Entry, count: usize, meant: Option<&str>) -> ConfigError {
    let section = entry.names()[..count].join(".");
    let problem = Problem::UnknownSection { section, known: vec![SECTION], meant: meant.map(str::to_owned) };
    ConfigError::new(entry.origin_of(count), problem)
}

/// Whether this is the first name of a section in the other kind of config.
fn is_training(first: &str) -> bool {
    ["sweep", "override"].contains(&first) || schema::is_section(first)
}
