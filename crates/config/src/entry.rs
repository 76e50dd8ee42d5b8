//! The TOML text of files and flags as a flat list of dotted keys, each with its value and the place where it was written.

use std::path::Path;
use std::str::FromStr;

use subquad_options::Value;
use toml::de::{DeTable, DeValue};

use crate::origin::{Lines, Source};
use crate::written::Written;
use crate::{ConfigError, Origin, Problem};

/// One part of a dotted key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Segment {
    pub(crate) name: String,
    pub(crate) origin: Origin,
}

/// `a.b.c = value`, however it was spelled: nested, dotted, or dotted inside quotes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) path: Vec<Segment>,
    /// The value. It is a table only if that is empty: the contents of other tables are entries of their own.
    pub(crate) written: Written,
    /// The value of a flag as it was written, if that is one word; flags need no quotes.
    pub(crate) word: Option<String>,
    offset: usize,
}

impl Entry {
    pub(crate) fn names(&self) -> Vec<&str> {
        self.path.iter().map(|segment| segment.name.as_str()).collect()
    }

    /// The dotted key.
    pub(crate) fn key(&self) -> String {
        self.names().join(".")
    }

    /// Where the first `count` segments end: the place to name when that prefix is at fault.
    pub(crate) fn origin_of(&self, count: usize) -> Origin {
        self.path[count.clamp(1, self.path.len()) - 1].origin.clone()
    }

    pub(crate) fn origin(&self) -> Origin {
        self.origin_of(self.path.len())
    }
}

/// The entries of a file, in the order in which they are written.
pub(crate) fn file_entries(text: &str, path: &Path) -> Result<Vec<Entry>, Vec<ConfigError>> {
    let source = Source::File { path: path.into(), lines: Lines::new(text) };
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(errors.iter().map(|error| syntax_error(error, text, &source)).collect());
    }
    let mut entries = Vec::new();
    add_table(&[], table.get_ref(), &source, &mut entries);
    entries.sort_by_key(|entry| entry.offset);
    Ok(entries)
}

/// Whether a text is TOML with this section.
pub fn has_section(text: &str, section: &str) -> bool {
    let entries = file_entries(text, Path::new("")).unwrap_or_default();
    entries.iter().any(|entry| entry.names()[0] == section)
}

/// One `--set` flag. It applies to every config that is loaded with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    key: String,
    value: String,
    text: String,
}

impl Assignment {
    /// Splits `KEY=VALUE`. The value is TOML, or otherwise a string: `model.channel_mixer=dense` needs no quotes, and
    /// an empty value is the empty string.
    ///
    /// Whether the key exists and takes the value is checked when a config is loaded.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let parts = text.split_once('=').map(|(key, value)| (key.trim(), value.trim()));
        match parts {
            Some((key, value)) if !key.is_empty() => {
                Ok(Self { key: key.to_owned(), value: value.to_owned(), text: text.to_owned() })
            }
            _ => Err(ConfigError::new(Origin::Flag { text: text.into() }, Problem::NotAnAssignment)),
        }
    }

    /// What it sets: the value read as TOML, or else as a string.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let source = Source::Flag { text: self.text.as_str().into() };
        // A dotted key may be quoted, as in a file; no key contains a quote.
        let path = segments(&self.key.replace('"', ""), &source.origin(0));
        let mut entries = Vec::new();
        match DeValue::parse(&self.value) {
            Ok(value) => add(path, 0, value.get_ref(), &source, &mut entries),
            Err(_) => {
                let written = Written::Scalar(Value::Text(self.value.clone()));
                entries.push(Entry { path, written, word: None, offset: 0 });
            }
        }
        if let [entry] = &mut entries[..] {
            entry.word = entry.written.is_word().then(|| self.value.clone());
        }
        entries
    }
}

impl FromStr for Assignment {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        Self::parse(text)
    }
}

fn add_table(prefix: &[Segment], table: &DeTable<'_>, source: &Source, entries: &mut Vec<Entry>) {
    for (key, value) in table {
        let offset = key.span().start;
        let path = [prefix, &segments(key.get_ref(), &source.origin(offset))].concat();
        add(path, offset, value.get_ref(), source, entries);
    }
}

fn add(path: Vec<Segment>, offset: usize, value: &DeValue<'_>, source: &Source, entries: &mut Vec<Entry>) {
    match value {
        DeValue::Table(table) if !table.is_empty() => add_table(&path, table, source, entries),
        value => entries.push(Entry { path, written: Written::read(value, source), word: None, offset }),
    }
}

fn segments(key: &str, origin: &Origin) -> Vec<Segment> {
    key.split('.').map(|name| Segment { name: name.trim().to_owned(), origin: origin.clone() }).collect()
}

fn syntax_error(error: &toml::de::Error, text: &str, source: &Source) -> ConfigError {
    let span = error.span().unwrap_or_default();
    let at = text.get(span.clone()).and_then(|text| text.lines().next()).filter(|text| !text.is_empty());
    let at = at.map(|text| format!(", at `{text}`")).unwrap_or_default();
    ConfigError::new(
        source.origin(span.start),
        Problem::Syntax { message: format!("{}{at}", error.message()) },
    )
}
