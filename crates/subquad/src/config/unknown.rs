//! What to say about an entry that means no key: which part is unknown, and what was probably meant.

use super::entry::Entry;
use super::found::Found;
use super::keys::{KEYS, SWEEP_KEYS};
use super::{ConfigError, Key, MixerName, Problem, UnknownMixer, place, schema, suggest};

/// The table in which a dotted key is looked up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scope {
    File,
    Sweep,
    /// `[override]` itself, which holds only tables named after mixers.
    Override,
    OverrideOf(MixerName),
}

impl Scope {
    /// How many segments of an entry's path name the scope.
    pub(super) fn depth(self) -> usize {
        match self {
            Self::File => 0,
            Self::Sweep | Self::Override => 1,
            Self::OverrideOf(_) => 2,
        }
    }

    /// The sections that may stand in it.
    fn sections(self) -> Vec<&'static str> {
        let sections = schema::sections().into_iter();
        match self {
            Self::File => sections.chain(["sweep", "override"]).collect(),
            Self::Sweep | Self::Override => sections.collect(),
            Self::OverrideOf(mixer) => sections.filter(|section| place::allows(mixer, section)).collect(),
        }
    }
}

/// An entry that means no key, and the key that was probably meant.
#[derive(Debug)]
pub(super) struct Misplaced {
    pub(super) error: ConfigError,
    pub(super) meant: Option<&'static Key>,
}

impl From<ConfigError> for Misplaced {
    fn from(error: ConfigError) -> Self {
        Self { error, meant: None }
    }
}

/// `path` is the entry's key inside `scope`.
pub(super) fn diagnose(entry: &Entry, scope: Scope, path: &str) -> Misplaced {
    if scope == Scope::File && entry.names()[0] == "bench" {
        return ConfigError::new(entry.origin_of(1), Problem::BenchInTraining).into();
    }
    let (parent, leaf) = path.rsplit_once('.').unwrap_or(("", path));
    if let Some(key) = schema::find(parent) {
        return table_in_place_of(key, entry);
    }
    match (parent, &entry.found) {
        ("" | "mixer", Found::Table) => section(entry, scope),
        ("", _) if scope == Scope::Sweep => axis(entry, leaf),
        ("" | "mixer", _) => outside_sections(entry, scope, leaf),
        (parent, _) if scope.sections().contains(&parent) => key(entry, parent, leaf),
        _ => section(entry, scope),
    }
}

/// The segment before `count` should be a mixer.
pub(super) fn mixer(entry: &Entry, count: usize, unknown: UnknownMixer) -> Misplaced {
    let section = entry.names()[..count].join(".");
    ConfigError::new(entry.origin_of(count), Problem::UnknownMixer { section, unknown }).into()
}

fn table_in_place_of(key: &'static Key, entry: &Entry) -> Misplaced {
    let count = entry.path.len() - 1;
    let name = entry.names()[..count].join(".");
    let problem = Problem::Value { key: name, complaint: key.kind.complaint(&Found::Table) };
    Misplaced { error: ConfigError::new(entry.origin_of(count), problem), meant: Some(key) }
}

fn key(entry: &Entry, section: &str, leaf: &str) -> Misplaced {
    let meant = nearest_key(leaf, schema::keys_in(section)).or_else(|| elsewhere(leaf));
    let known = schema::keys_in(section).map(|key| key.leaf()).collect();
    let shown = meant.map(|key| if key.section() == section { key.leaf() } else { key.name });
    let (key, section, shown) = (entry.key(), section.to_owned(), shown.map(str::to_owned));
    misplaced(entry, Problem::UnknownKey { key, section, known, meant: shown }, meant)
}

fn outside_sections(entry: &Entry, scope: Scope, leaf: &str) -> Misplaced {
    let meant = elsewhere(leaf);
    let (key, known, shown) = (entry.key(), scope.sections(), meant.map(|key| key.name.to_owned()));
    misplaced(entry, Problem::KeyOutsideSections { key, known, meant: shown }, meant)
}

fn axis(entry: &Entry, leaf: &str) -> Misplaced {
    let own = nearest_key(leaf, SWEEP_KEYS.iter());
    let meant = own.or_else(|| elsewhere(leaf));
    let shown = own.map(Key::leaf).or(meant.map(|key| key.name));
    misplaced(entry, Problem::UnknownAxis { key: entry.key(), meant: shown.map(str::to_owned) }, meant)
}

fn section(entry: &Entry, scope: Scope) -> Misplaced {
    let depth = scope.depth();
    match entry.names()[depth..] {
        ["mixer", name, ..] if !schema::is_section(&format!("mixer.{name}")) => {
            mixer(entry, depth + 2, UnknownMixer { name: name.to_owned() })
        }
        _ => unknown_section(entry, scope),
    }
}

fn unknown_section(entry: &Entry, scope: Scope) -> Misplaced {
    let (names, known) = (entry.names(), scope.sections());
    let own = |count: usize| names[scope.depth()..count].join(".");
    // The last name is the key's, unless it is that of an empty table.
    let most = names.len() - usize::from(entry.found != Found::Table);
    let count = (scope.depth() + 1..most).find(|count| !schema::is_section(&own(*count))).unwrap_or(most);
    let bench = ["bench"].into_iter().filter(|_| scope == Scope::File);
    let meant = suggest::nearest(&own(count), known.iter().copied().chain(bench)).map(str::to_owned);
    let problem = Problem::UnknownSection { section: names[..count].join("."), known, meant };
    ConfigError::new(entry.origin_of(count), problem).into()
}

fn misplaced(entry: &Entry, problem: Problem, meant: Option<&'static Key>) -> Misplaced {
    Misplaced { error: ConfigError::new(entry.origin(), problem), meant }
}

fn nearest_key(leaf: &str, keys: impl Iterator<Item = &'static Key> + Clone) -> Option<&'static Key> {
    let nearest = suggest::nearest(leaf, keys.clone().map(|key| key.leaf()))?;
    keys.clone().find(|key| key.leaf() == nearest)
}

/// A key of just this name in any section.
fn elsewhere(leaf: &str) -> Option<&'static Key> {
    KEYS.iter().chain(SWEEP_KEYS).find(|key| key.leaf() == leaf)
}
