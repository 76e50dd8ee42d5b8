//! The settings, overrides and axes of one source (the file, or all flags together), each checked by itself.

use std::collections::{BTreeMap, HashSet};

use super::entry::Entry;
use super::error::Problems;
use super::found::{Found, Item};
use super::place::{Place, place};
use super::room::List;
use super::{ConfigError, Key, MixerName, Origin, Problem, Value};

/// A checked value and where it was written; `None` for a default.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Setting {
    pub(super) value: Value,
    pub(super) origin: Option<Origin>,
}

/// Several values of one key, each to be run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub(super) key: &'static Key,
    pub(super) values: Vec<Setting>,
    pub(super) origin: Origin,
}

impl Axis {
    pub(super) fn as_list(&self) -> List<'_> {
        List { name: self.key.name, len: self.values.len(), origin: &self.origin }
    }
}

/// What one source says.
#[derive(Debug, Default)]
pub(super) struct Layer {
    settings: BTreeMap<(Option<MixerName>, &'static str), (Setting, Origin)>,
    pub(super) axes: Vec<Axis>,
}

impl Layer {
    pub(super) fn read(entries: Vec<Entry>, problems: &mut Problems) -> Self {
        let mut layer = Self::default();
        for entry in entries {
            match place(&entry) {
                Ok(place) => layer.add(place, &entry, problems),
                Err(misplaced) => problems.misplaced(misplaced),
            }
        }
        layer
    }

    /// The plain setting of a key, or with a mixer that mixer's override.
    pub(super) fn get(&self, mixer: Option<MixerName>, key: &Key) -> Option<&Setting> {
        self.settings.get(&(mixer, key.name)).map(|(setting, _)| setting)
    }

    /// Every setting of a key: the plain one and the overrides.
    pub(super) fn all_of(&self, key: &Key) -> impl Iterator<Item = (Option<MixerName>, &Origin)> {
        let same = self.settings.iter().filter(|((_, name), _)| *name == key.name);
        same.map(|((mixer, _), (_, origin))| (*mixer, origin))
    }

    fn add(&mut self, place: Place, entry: &Entry, problems: &mut Problems) {
        match place {
            Place::Setting(key) => self.add_setting(None, key, entry, problems),
            Place::Override(mixer, key) => self.add_setting(Some(mixer), key, entry, problems),
            Place::Axis(key) => self.add_axis(key, entry, problems),
            Place::EmptySection => {}
        }
    }

    fn add_setting(
        &mut self,
        mixer: Option<MixerName>,
        key: &'static Key,
        entry: &Entry,
        problems: &mut Problems,
    ) {
        let origin = entry.origin();
        let word = || key.kind.accept_word(entry.word.as_deref()?);
        let Some(value) = key.kind.accept(&entry.found).or_else(word) else {
            let problem = Problem::Value { key: entry.key(), complaint: key.kind.complaint(&entry.found) };
            return problems.push_about(key, ConfigError::new(origin, problem));
        };
        if let Some((_, first)) = self.settings.get(&(mixer, key.name)) {
            return problems.push_about(key, set_twice(entry, first));
        }
        let setting = Setting { value, origin: Some(origin.clone()) };
        self.settings.insert((mixer, key.name), (setting, origin));
    }

    fn add_axis(&mut self, key: &'static Key, entry: &Entry, problems: &mut Problems) {
        let origin = entry.origin();
        if let Some(first) = self.axes.iter().find(|axis| axis.key == key) {
            return problems.push_about(key, set_twice(entry, &first.origin));
        }
        match items(key, entry) {
            Ok(items) => {
                let values = axis_values(key, entry, items, problems);
                self.axes.push(Axis { key, values, origin });
            }
            Err(problem) => problems.push_about(key, ConfigError::new(origin, problem)),
        }
    }
}

fn set_twice(entry: &Entry, first: &Origin) -> ConfigError {
    let problem = Problem::SetTwice { key: entry.key(), first: first.clone() };
    ConfigError::new(entry.origin(), problem)
}

fn items<'a>(key: &'static Key, entry: &'a Entry) -> Result<&'a [Item], Problem> {
    match &entry.found {
        _ if !key.numeric => Err(Problem::IdleAxis { key: key.name }),
        Found::List(items) if items.is_empty() => Err(Problem::EmptyAxis { key: entry.key() }),
        Found::List(items) => Ok(items),
        found => Err(Problem::NotAList { key: entry.key(), got: found.to_string() }),
    }
}

fn axis_values(key: &'static Key, entry: &Entry, items: &[Item], problems: &mut Problems) -> Vec<Setting> {
    let mut values: Vec<Setting> = Vec::new();
    // Equal values have equal texts.
    let mut seen = HashSet::new();
    for Item { found, origin } in items {
        let problem = match key.kind.accept(found) {
            None => Problem::AxisValue { key: entry.key(), complaint: key.kind.complaint(found) },
            Some(value) if !seen.insert(value.to_string()) => {
                Problem::RepeatedValue { key: entry.key(), value: value.to_string() }
            }
            Some(value) => {
                values.push(Setting { value, origin: Some(origin.clone()) });
                continue;
            }
        };
        problems.push_about(key, ConfigError::new(origin.clone(), problem));
    }
    values
}
