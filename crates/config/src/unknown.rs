//! What to say about an entry that matches no key: which part is unknown, and what was probably meant.

use subquad_options::pattern_words;

use crate::entry::Entry;
use crate::error::Misplaced;
use crate::written::Written;
use crate::{ConfigError, Key, Problem, Schema, suggest, value};

/// The table in which a dotted key is looked up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Scope<'a> {
    File,
    Sweep,
    /// `[override]` itself, which holds only tables named after subjects.
    Override,
    OverrideOf(&'a str),
}

impl Scope<'_> {
    /// How many segments of an entry's path name the scope.
    pub(crate) fn depth(self) -> usize {
        match self {
            Self::File => 0,
            Self::Sweep | Self::Override => 1,
            Self::OverrideOf(_) => 2,
        }
    }

    /// The sections that it may contain.
    fn sections(self, schema: &Schema) -> Vec<&'static str> {
        let sections = schema.sections().into_iter();
        match self {
            Self::File if schema.axes().is_none() => sections.collect(),
            Self::File => sections.chain(["sweep", "override"]).collect(),
            Self::Sweep | Self::Override => sections.collect(),
            Self::OverrideOf(subject) => sections.filter(|section| schema.allows(subject, section)).collect(),
        }
    }
}

/// `path` is the entry's key inside `scope`.
pub(crate) fn diagnose(schema: &'static Schema, entry: &Entry, scope: Scope<'_>, path: &str) -> Misplaced {
    let (parent, leaf) = path.rsplit_once('.').unwrap_or(("", path));
    if let Some(key) = schema.find(parent) {
        return table_in_place_of(key, entry);
    }
    // A table such as `mixer` contains the sections of subjects.
    let holds_subjects = parent == schema.noun();
    match &entry.written {
        Written::Table if parent.is_empty() || holds_subjects => section(schema, entry, scope),
        _ if parent.is_empty() && scope == Scope::Sweep => axis(schema, entry, leaf),
        _ if parent.is_empty() || holds_subjects => outside_sections(schema, entry, scope, leaf),
        _ if scope.sections(schema).contains(&parent) => key(schema, entry, parent, leaf),
        _ => section(schema, entry, scope),
    }
}

/// The segment before `count` should be a subject.
pub(crate) fn subject(schema: &Schema, entry: &Entry, count: usize, name: &str) -> Misplaced {
    let (section, known) = (entry.names()[..count].join("."), schema.subjects());
    let meant = suggest::nearest_pattern(name, known);
    let problem =
        Problem::UnknownSubject { section, noun: schema.noun(), name: name.to_owned(), meant, known };
    ConfigError::new(entry.origin_of(count), problem).into()
}

fn table_in_place_of(key: &'static Key, entry: &Entry) -> Misplaced {
    let count = entry.path.len() - 1;
    let name = entry.names()[..count].join(".");
    let problem = Problem::Value { key: name, complaint: value::complaint(&key.kind, &Written::Table) };
    Misplaced { error: ConfigError::new(entry.origin_of(count), problem), meant: Some(key) }
}

fn key(schema: &'static Schema, entry: &Entry, section: &str, leaf: &str) -> Misplaced {
    let own: Vec<&'static Key> = schema.keys_in(section);
    let meant = nearest_key(leaf, own.iter().copied()).or_else(|| elsewhere(schema, leaf));
    let known = own.iter().map(|key| key.leaf()).collect();
    let shown = meant.map(|key| if key.section() == section { key.leaf() } else { key.name });
    let (key, section, shown) = (entry.key(), section.to_owned(), shown.map(str::to_owned));
    misplaced(entry, Problem::UnknownKey { key, section, known, meant: shown }, meant)
}

fn outside_sections(schema: &'static Schema, entry: &Entry, scope: Scope<'_>, leaf: &str) -> Misplaced {
    let meant = elsewhere(schema, leaf);
    let (key, known, shown) = (entry.key(), scope.sections(schema), meant.map(|key| key.name.to_owned()));
    misplaced(entry, Problem::KeyOutsideSections { key, known, meant: shown }, meant)
}

fn axis(schema: &'static Schema, entry: &Entry, leaf: &str) -> Misplaced {
    let own = nearest_key(leaf, schema.axis_keys().iter());
    let meant = own.or_else(|| elsewhere(schema, leaf));
    let shown = own.map(Key::leaf).or(meant.map(|key| key.name)).map(str::to_owned);
    let known = schema.axis_keys().iter().map(Key::leaf).collect();
    misplaced(entry, Problem::UnknownAxis { key: entry.key(), known, meant: shown }, meant)
}

fn section(schema: &'static Schema, entry: &Entry, scope: Scope<'_>) -> Misplaced {
    let depth = scope.depth();
    match entry.names()[depth..] {
        [first, name, ..] if first == schema.noun() && !schema.is_section(&format!("{first}.{name}")) => {
            match schema.subject_named(name) {
                Some(pattern) => section_of_pattern(entry, depth + 2, first, &pattern),
                None => subject(schema, entry, depth + 2, name),
            }
        }
        _ => unknown_section(schema, entry, scope),
    }
}

fn section_of_pattern(entry: &Entry, count: usize, table: &str, pattern: &str) -> Misplaced {
    let parts = pattern_words(pattern).map(|word| format!("[{table}.{word}]")).collect();
    let problem = Problem::SectionOfPattern { section: entry.names()[..count].join("."), parts };
    ConfigError::new(entry.origin_of(count), problem).into()
}

fn unknown_section(schema: &'static Schema, entry: &Entry, scope: Scope<'_>) -> Misplaced {
    let (names, known) = (entry.names(), scope.sections(schema));
    let own = |count: usize| names[scope.depth()..count].join(".");
    // The last name is the key's, unless it names an empty table.
    let most = names.len() - usize::from(entry.written != Written::Table);
    let count = (scope.depth() + 1..most).find(|count| !schema.is_section(&own(*count))).unwrap_or(most);
    let others = schema.sections_elsewhere().filter(|_| scope == Scope::File);
    let meant = suggest::nearest(&own(count), known.iter().copied().chain(others)).map(str::to_owned);
    let problem = Problem::UnknownSection { section: names[..count].join("."), known, meant };
    ConfigError::new(entry.origin_of(count), problem).into()
}

fn misplaced(entry: &Entry, problem: Problem, meant: Option<&'static Key>) -> Misplaced {
    Misplaced { error: ConfigError::new(entry.origin(), problem), meant }
}

fn nearest_key(leaf: &str, keys: impl Iterator<Item = &'static Key> + Clone) -> Option<&'static Key> {
    let nearest = suggest::nearest(leaf, keys.clone().map(Key::leaf))?;
    keys.clone().find(|key| key.leaf() == nearest)
}

/// A key with exactly this name in any section.
fn elsewhere(schema: &'static Schema, leaf: &str) -> Option<&'static Key> {
    schema.keys().iter().chain(schema.axis_keys()).find(|key| key.leaf() == leaf)
}
