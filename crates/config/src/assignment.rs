//! `--set KEY=VALUE`: a setting from the command line, checked like a line of the file.

use std::str::FromStr;

use crate::entry::{Entry, flag_entries};
use crate::{ConfigError, Origin, Problem};

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

    pub(crate) fn entries(&self) -> Vec<Entry> {
        flag_entries(&self.key, &self.value, &self.text)
    }
}

impl FromStr for Assignment {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        Self::parse(text)
    }
}
