//! What is wrong with a config, and where: one line per error, all errors of a file together.

use std::collections::{BTreeSet, HashSet};
use std::fmt;

use thiserror::Error;

use crate::{Key, Origin, Problem};

/// One mistake and its place.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{origin}: {problem}")]
pub struct ConfigError {
    /// The file and line, or the flag.
    pub origin: Origin,
    /// What is wrong, what is allowed, and what to do.
    pub problem: Box<Problem>,
}

impl ConfigError {
    pub(crate) fn new(origin: Origin, problem: Problem) -> Self {
        Self { origin, problem: Box::new(problem) }
    }
}

/// Every mistake of one config file, in the order of its lines; flags come last.
#[derive(Debug, Clone, PartialEq, Error)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        write!(f, "{}", lines.join("\n"))
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}

/// An entry that matches no key, and the key that was probably meant.
#[derive(Debug)]
pub(crate) struct Misplaced {
    pub(crate) error: ConfigError,
    pub(crate) meant: Option<&'static Key>,
}

impl From<ConfigError> for Misplaced {
    fn from(error: ConfigError) -> Self {
        Self { error, meant: None }
    }
}

/// Collects mistakes while reading continues.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    errors: Vec<ConfigError>,
    /// The texts of the mistakes.
    seen: HashSet<String>,
    /// Keys whose value is in doubt; later checks must not complain about them.
    doubted: BTreeSet<&'static str>,
}

impl Problems {
    /// Adds a mistake, but only once: many runs may repeat it.
    pub(crate) fn push(&mut self, error: ConfigError) {
        if self.seen.insert(error.to_string()) {
            self.errors.push(error);
        }
    }

    pub(crate) fn extend(&mut self, errors: impl IntoIterator<Item = ConfigError>) {
        errors.into_iter().for_each(|error| self.push(error));
    }

    /// Adds a mistake that leaves the value of `key` unknown.
    pub(crate) fn push_about(&mut self, key: &Key, error: ConfigError) {
        self.doubted.insert(key.name);
        self.push(error);
    }

    /// Adds mistakes that leave the value of `key` unknown.
    pub(crate) fn extend_about(&mut self, key: &Key, errors: Vec<ConfigError>) {
        errors.into_iter().for_each(|error| self.push_about(key, error));
    }

    /// Adds an entry that matches no key; the key that was probably meant is in doubt.
    pub(crate) fn misplaced(&mut self, Misplaced { error, meant }: Misplaced) {
        match meant {
            Some(key) => self.push_about(key, error),
            None => self.push(error),
        }
    }

    pub(crate) fn doubts(&self, key: &str) -> bool {
        self.doubted.contains(key)
    }

    /// Whether the value of any key is in doubt.
    pub(crate) fn has_doubts(&self) -> bool {
        !self.doubted.is_empty()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// `Ok` if there were none.
    pub(crate) fn into_result(self) -> Result<(), ConfigErrors> {
        if self.is_empty() { Ok(()) } else { Err(self.sorted()) }
    }

    /// All mistakes, this one among them.
    pub(crate) fn and(mut self, error: ConfigError) -> ConfigErrors {
        self.push(error);
        self.sorted()
    }

    fn sorted(mut self) -> ConfigErrors {
        self.errors.sort_by_key(|error| error.origin.rank());
        ConfigErrors(self.errors)
    }
}
