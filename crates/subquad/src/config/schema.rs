//! What a key is. The keys themselves are in [`KEYS`].

use std::collections::HashMap;
use std::sync::LazyLock;

use super::keys::{KEYS, SWEEP_KEYS};
use super::{Kind, MixerName, Value};

/// One key of a config.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Key {
    /// The dotted name, such as `mixer.s4d.d_state`.
    pub name: &'static str,
    /// What it may hold; for a key of `[sweep]`, what each value of its list may be.
    pub kind: Kind,
    /// What it holds when nothing sets it.
    pub default: DefaultValue,
    /// What it does, in which unit, and why the default is what it is.
    pub help: &'static str,
    /// Whether it changes a run's numbers, and so the run's name.
    pub numeric: bool,
}

/// What a key holds when nothing sets it.
///
/// A run is named by what differs from the defaults, so that a new key leaves old names alone. Changing a
/// default gives old and new runs the same name for different numbers: rename the key instead.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DefaultValue {
    /// Nothing: the config must set it.
    Required,
    /// A whole number.
    Integer(i64),
    /// A number.
    Real(f64),
    /// True or false.
    Bool(bool),
    /// A word or text.
    Text(&'static str),
    /// An empty list of sizes.
    NoSizes,
    /// A list of nothing.
    EmptyList,
}

impl DefaultValue {
    /// As a value; `None` if the config must set it, or it is a list.
    pub fn value(self) -> Option<Value> {
        match self {
            Self::Required | Self::EmptyList => None,
            Self::Integer(value) => Some(Value::Integer(value)),
            Self::Real(value) => Some(Value::Real(value)),
            Self::Bool(value) => Some(Value::Bool(value)),
            Self::Text(value) => Some(Value::Text(value.to_owned())),
            Self::NoSizes => Some(Value::Sizes(Vec::new())),
        }
    }
}

impl DefaultValue {
    /// Whether the value is the default.
    pub(super) fn is(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Integer(default), Value::Integer(value)) => default == *value,
            (Self::Real(default), Value::Real(value)) => default == *value,
            (Self::Bool(default), Value::Bool(value)) => default == *value,
            (Self::Text(default), Value::Text(value)) => default == value,
            (Self::NoSizes, Value::Sizes(sizes)) => sizes.is_empty(),
            _ => false,
        }
    }
}

impl Key {
    /// All of the name but its last part: `mixer.s4d`.
    pub fn section(&self) -> &'static str {
        self.name.rsplit_once('.').map_or("", |(section, _)| section)
    }

    /// The last part of the name: `d_state`.
    pub fn leaf(&self) -> &'static str {
        self.name.rsplit_once('.').map_or(self.name, |(_, leaf)| leaf)
    }

    /// The mixer whose section holds the key; `None` if every run has it.
    pub fn mixer(&self) -> Option<MixerName> {
        self.section().strip_prefix("mixer.").and_then(|name| name.parse().ok())
    }

    /// The task whose section holds the key; `None` if every run has it.
    pub fn task(&self) -> Option<&'static str> {
        self.section().strip_prefix("task.")
    }

    /// Whether a run on this task has the key.
    pub fn serves(&self, task: &str) -> bool {
        self.task().is_none_or(|own| own == task)
    }

    /// Whether a run with this mixer has the key.
    pub fn belongs_to(&self, mixer: MixerName) -> bool {
        self.mixer().is_none_or(|own| own == mixer)
    }
}

/// The key with this dotted name, outside `[sweep]`.
pub(super) fn find(name: &str) -> Option<&'static Key> {
    static BY_NAME: LazyLock<HashMap<&str, &Key>> =
        LazyLock::new(|| KEYS.iter().map(|key| (key.name, key)).collect());
    BY_NAME.get(name).copied()
}

/// The key `[sweep]` has of its own: `mixer`, `seq_len` or `seed`.
pub(super) fn find_sweep(leaf: &str) -> Option<&'static Key> {
    SWEEP_KEYS.iter().find(|key| key.leaf() == leaf)
}

/// The sections outside `[sweep]`, in schema order.
pub(super) fn sections() -> Vec<&'static str> {
    let mut sections: Vec<_> = KEYS.iter().map(Key::section).collect();
    sections.dedup();
    sections
}

/// The keys of one section, in schema order.
pub(super) fn keys_in(section: &str) -> impl Iterator<Item = &'static Key> + Clone {
    KEYS.iter().chain(SWEEP_KEYS).filter(move |key| key.section() == section)
}

/// Whether `path` is a section or holds sections.
pub(super) fn is_section(path: &str) -> bool {
    let inside = format!("{path}.");
    path.is_empty() || KEYS.iter().any(|key| key.name.starts_with(&inside))
}
