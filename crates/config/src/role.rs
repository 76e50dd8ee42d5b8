//! Which key an entry refers to, and in which role: a plain setting, an override, or an axis.

use std::sync::Arc;

use crate::entry::Entry;
use crate::error::Misplaced;
use crate::unknown::{self, Scope};
use crate::written::Written;
use crate::{ConfigError, Key, Problem, Schema};

/// What an entry is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Role {
    Setting(&'static Key),
    Override(Arc<str>, &'static Key),
    Axis(&'static Key),
    /// The header of a section that sets nothing.
    EmptySection,
}

/// The role of an entry.
///
/// # Errors
/// What is wrong with an entry that refers to no key.
pub(crate) fn role(schema: &'static Schema, entry: &Entry) -> Result<Role, Misplaced> {
    let names = entry.names();
    match names[..] {
        [first, ..] if let Some(why) = schema.why_elsewhere(first) => {
            let problem = Problem::Elsewhere { section: first.to_owned(), why };
            Err(ConfigError::new(entry.origin_of(1), problem).into())
        }
        _ if schema.axes().is_none() => lookup(schema, entry, Scope::File, Role::Setting),
        ["sweep", leaf] => match schema.axis_key(leaf) {
            Some(key) => Ok(Role::Axis(key)),
            None => lookup(schema, entry, Scope::Sweep, Role::Axis),
        },
        ["sweep", ..] => lookup(schema, entry, Scope::Sweep, Role::Axis),
        ["override", name, ..] => override_of(schema, entry, name),
        ["override"] => lookup(schema, entry, Scope::Override, Role::Setting),
        _ => lookup(schema, entry, Scope::File, Role::Setting),
    }
}

fn override_of(schema: &'static Schema, entry: &Entry, name: &str) -> Result<Role, Misplaced> {
    let subject = schema.subject_named(name).ok_or_else(|| unknown::subject(schema, entry, 2, name))?;
    match lookup(schema, entry, Scope::OverrideOf(&subject), |key| Role::Override(subject.clone(), key))? {
        Role::Override(_, key) if !key.belongs_to(&subject) => {
            let allowed =
                schema.sections().into_iter().filter(|section| schema.allows(&subject, section)).collect();
            let (subject, noun) = (subject.to_string(), schema.noun());
            let problem = Problem::ForeignOverride { subject, noun, key: key.name, allowed };
            Err(ConfigError::new(entry.origin(), problem).into())
        }
        role => Ok(role),
    }
}

fn lookup(
    schema: &'static Schema,
    entry: &Entry,
    scope: Scope<'_>,
    role: impl Fn(&'static Key) -> Role,
) -> Result<Role, Misplaced> {
    let path = entry.names()[scope.depth()..].join(".");
    match (schema.find(&path), &entry.written) {
        (Some(key), _) => Ok(role(key)),
        (None, Written::Table) if schema.is_section(&path) => Ok(Role::EmptySection),
        (None, written) if schema.is_section(&path) => {
            let problem = Problem::NotASection { section: entry.key(), got: written.to_string() };
            Err(ConfigError::new(entry.origin(), problem).into())
        }
        (None, _) => Err(unknown::diagnose(schema, entry, scope, &path)),
    }
}
