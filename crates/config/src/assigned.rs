//! What one source (the file, or all flags together) assigns: values, overrides and axes, each checked on its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use subquad_options::Kind;

use crate::entry::Entry;
use crate::error::Problems;
use crate::quota::Length;
use crate::role::{Role, role};
use crate::value::Setting;
use crate::written::{Item, Written};
use crate::{ConfigError, Key, Origin, Problem, Schema, value};

/// Several values of one key, each to be run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    pub(crate) key: &'static Key,
    pub(crate) values: Vec<Setting>,
    pub(crate) origin: Origin,
}

impl Axis {
    pub(crate) fn length(&self) -> Length<'_> {
        Length { name: self.key.name, len: self.values.len(), origin: &self.origin }
    }
}

/// What is set: the subject, for an override, and the key.
type Place = (Option<Arc<str>>, &'static str);

/// What one source assigns.
#[derive(Debug, Default)]
pub(crate) struct Assigned {
    settings: BTreeMap<Place, (Setting, Origin)>,
    pub(crate) axes: Vec<Axis>,
}

impl Assigned {
    pub(crate) fn read(schema: &'static Schema, entries: Vec<Entry>, problems: &mut Problems) -> Self {
        let mut assigned = Self::default();
        for entry in entries {
            match role(schema, &entry) {
                Ok(role) => assigned.add(role, &entry, problems),
                Err(misplaced) => problems.misplaced(misplaced),
            }
        }
        assigned
    }

    /// The plain setting of a key, or, with a subject, that subject's override.
    pub(crate) fn get(&self, subject: Option<&Arc<str>>, key: &Key) -> Option<&Setting> {
        self.settings.get(&(subject.cloned(), key.name)).map(|(setting, _)| setting)
    }

    /// Every setting of a key: the plain one and the overrides.
    pub(crate) fn all_of(&self, key: &Key) -> impl Iterator<Item = (Option<&Arc<str>>, &Origin)> {
        let same = self.settings.iter().filter(|((_, name), _)| *name == key.name);
        same.map(|((subject, _), (_, origin))| (subject.as_ref(), origin))
    }

    fn add(&mut self, role: Role, entry: &Entry, problems: &mut Problems) {
        match role {
            Role::Setting(key) => self.add_setting(None, key, entry, problems),
            Role::Override(subject, key) => self.add_setting(Some(subject), key, entry, problems),
            Role::Axis(key) => self.add_axis(key, entry, problems),
            Role::EmptySection => {}
        }
    }

    fn add_setting(
        &mut self,
        subject: Option<Arc<str>>,
        key: &'static Key,
        entry: &Entry,
        problems: &mut Problems,
    ) {
        let place = (subject, key.name);
        match (value::read(key, entry), self.settings.get(&place)) {
            (Err(errors), _) => problems.extend_about(key, errors),
            (Ok(_), Some((_, first))) => problems.push_about(key, set_twice(entry, first)),
            (Ok(value), None) => {
                let setting = Setting { value, origin: Some(entry.origin()) };
                self.settings.insert(place, (setting, entry.origin()));
            }
        }
    }

    fn add_axis(&mut self, key: &'static Key, entry: &Entry, problems: &mut Problems) {
        let origin = entry.origin();
        if let Some(first) = self.axes.iter().find(|axis| axis.key == key) {
            return problems.push_about(key, set_twice(entry, &first.origin));
        }
        match items(key, entry) {
            Err(problem) => problems.push_about(key, ConfigError::new(origin, problem)),
            Ok(items) => {
                let values = axis_values(key, entry, items, problems);
                self.axes.push(Axis { key, values, origin });
            }
        }
    }
}

fn set_twice(entry: &Entry, first: &Origin) -> ConfigError {
    let problem = Problem::SetTwice { key: entry.key(), first: first.clone() };
    ConfigError::new(entry.origin(), problem)
}

fn items<'a>(key: &'static Key, entry: &'a Entry) -> Result<&'a [Item], Problem> {
    match &entry.written {
        _ if !key.numeric => Err(Problem::IdleAxis { key: key.name }),
        Written::List(items) if items.is_empty() => Err(Problem::EmptyAxis { key: entry.key() }),
        Written::List(items) => Ok(items),
        other => Err(Problem::NotAList { key: entry.key(), got: other.to_string() }),
    }
}

/// Each valid value once; what is wrong with the others is reported.
fn axis_values(key: &'static Key, entry: &Entry, items: &[Item], problems: &mut Problems) -> Vec<Setting> {
    // The axis of a key that holds a list is a list of lists, and the inner lists have no places of their own.
    let kind: &Kind = &key.kind;
    match value::list(&entry.key(), kind, items) {
        Ok(values) => values,
        Err(errors) => {
            problems.extend_about(key, errors);
            let right = |item: &Item| {
                let value = kind.accept(&item.written.value()?)?;
                Some(Setting { value, origin: Some(item.origin.clone()) })
            };
            items.iter().filter_map(right).collect()
        }
    }
}
