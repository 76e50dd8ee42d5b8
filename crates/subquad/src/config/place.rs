//! Which key an entry means, and in which role: a plain setting, an override, or an axis.

use super::entry::Entry;
use super::found::Found;
use super::unknown::{self, Misplaced, Scope};
use super::{ConfigError, Key, MixerName, Problem, schema};

/// The role of an entry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Place {
    Setting(&'static Key),
    Override(MixerName, &'static Key),
    Axis(&'static Key),
    /// The header of a section that sets nothing.
    EmptySection,
}

pub(super) fn place(entry: &Entry) -> Result<Place, Misplaced> {
    match entry.names()[..] {
        ["sweep", leaf] => match schema::find_sweep(leaf) {
            Some(key) => Ok(Place::Axis(key)),
            None => lookup(entry, Scope::Sweep, Place::Axis),
        },
        ["sweep", ..] => lookup(entry, Scope::Sweep, Place::Axis),
        ["override", name, ..] => override_of(entry, name),
        ["override"] => lookup(entry, Scope::Override, Place::Setting),
        _ => lookup(entry, Scope::File, Place::Setting),
    }
}

fn override_of(entry: &Entry, name: &str) -> Result<Place, Misplaced> {
    let mixer = name.parse::<MixerName>().map_err(|error| unknown::mixer(entry, 2, error))?;
    let place = lookup(entry, Scope::OverrideOf(mixer), |key| Place::Override(mixer, key))?;
    match place {
        Place::Override(mixer, key) if !key.belongs_to(mixer) => {
            let allowed = schema::sections().into_iter().filter(|section| allows(mixer, section)).collect();
            let problem = Problem::ForeignOverride { mixer, key: key.name, allowed };
            Err(ConfigError::new(entry.origin(), problem).into())
        }
        place => Ok(place),
    }
}

/// Whether `[override.<mixer>]` may set keys of this section.
pub(super) fn allows(mixer: MixerName, section: &str) -> bool {
    schema::keys_in(section).all(|key| key.belongs_to(mixer))
}

fn lookup(entry: &Entry, scope: Scope, role: impl Fn(&'static Key) -> Place) -> Result<Place, Misplaced> {
    let path = entry.names()[scope.depth()..].join(".");
    match (schema::find(&path), &entry.found) {
        (Some(key), _) => Ok(role(key)),
        (None, Found::Table) if schema::is_section(&path) => Ok(Place::EmptySection),
        (None, found) if schema::is_section(&path) => {
            let problem = Problem::NotASection { section: entry.key(), got: found.to_string() };
            Err(ConfigError::new(entry.origin(), problem).into())
        }
        (None, _) => Err(unknown::diagnose(entry, scope, &path)),
    }
}
