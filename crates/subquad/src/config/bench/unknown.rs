//! What to say about an entry that means no key of `[bench]`.

use super::super::entry::Entry;
use super::super::found::Found;
use super::super::unknown::Misplaced;
use super::super::{ConfigError, Key, Problem, schema, suggest};
use super::read::{SECTION, all_keys, key_of};

/// Which part is unknown, and what was probably meant.
pub(super) fn diagnose(entry: &Entry) -> Misplaced {
    let names = entry.names();
    let (origin, known) = (entry.origin(), vec![SECTION]);
    match names[..] {
        [SECTION] => {
            let (section, got) = (SECTION.to_owned(), entry.found.to_string());
            ConfigError::new(origin, Problem::NotASection { section, got }).into()
        }
        [SECTION, leaf] if entry.found != Found::Table => unknown_key(entry, leaf),
        [SECTION, name, ..] => match key_of(name) {
            Some(key) => {
                let problem =
                    Problem::Value { key: key.name.into(), complaint: key.kind.complaint(&Found::Table) };
                Misplaced { error: ConfigError::new(entry.origin_of(2), problem), meant: Some(key) }
            }
            None => section(entry, 2, None).into(),
        },
        [first, ..] if is_training(first) => {
            let problem = Problem::TrainingInBench { section: first.to_owned() };
            ConfigError::new(entry.origin_of(1), problem).into()
        }
        [leaf] if entry.found != Found::Table => {
            let meant = key_of(leaf);
            let shown = meant.map(|key| key.name.to_owned());
            let problem = Problem::KeyOutsideSections { key: entry.key(), known, meant: shown };
            Misplaced { error: ConfigError::new(origin, problem), meant }
        }
        [first, ..] => section(entry, 1, suggest::nearest(first, [SECTION].into_iter())).into(),
        [] => unreachable!("an entry has a name"),
    }
}

fn unknown_key(entry: &Entry, leaf: &str) -> Misplaced {
    let near = suggest::nearest(leaf, all_keys().map(Key::leaf));
    let (meant, known) = (near.map(str::to_owned), all_keys().map(Key::leaf).collect());
    let problem = Problem::UnknownKey { key: entry.key(), section: SECTION.into(), known, meant };
    Misplaced { error: ConfigError::new(entry.origin(), problem), meant: near.and_then(key_of) }
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
