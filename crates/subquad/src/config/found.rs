//! A value as it stands in a file or flag, before anything is known about its key.

use std::fmt;

use toml::de::DeValue;

use super::entry::Source;
use super::{Origin, number};

/// A TOML value of any type.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    Integer(i64),
    Real(f64),
    Bool(bool),
    Text(String),
    List(Vec<Item>),
    Table,
    /// What no key takes, described: a date, or a number that 64 bits cannot hold.
    Odd(String),
}

/// One value of a list.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) found: Found,
    pub(super) origin: Origin,
}

impl Found {
    pub(super) fn read(value: &DeValue<'_>, source: &Source) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
                Ok(value) => Self::Integer(value),
                Err(_) => {
                    Self::Odd(format!("{}, beyond what 64 bits hold", number::short(&integer.to_string())))
                }
            },
            DeValue::Float(real) => number::real(real.as_str()).map_or_else(Self::Odd, Self::Real),
            DeValue::Boolean(value) => Self::Bool(*value),
            DeValue::Datetime(date) => Self::Odd(format!("the date {date}")),
            DeValue::Array(items) => Self::List(items.iter().map(|item| Item::read(item, source)).collect()),
            DeValue::Table(_) => Self::Table,
        }
    }

    /// Whether it would be a text in quotes.
    pub(super) fn is_word(&self) -> bool {
        match self {
            Self::Integer(_) | Self::Real(_) | Self::Bool(_) | Self::Odd(_) => true,
            Self::Text(_) | Self::List(_) | Self::Table => false,
        }
    }
}

impl Item {
    fn read(item: &toml::Spanned<DeValue<'_>>, source: &Source) -> Self {
        Self { found: Found::read(item.get_ref(), source), origin: source.origin(item.span().start) }
    }
}

/// As it reads after "got".
impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => write!(f, "{value}"),
            Self::Real(value) => write!(f, "{value:?}"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "the string {value:?}"),
            Self::List(_) => write!(f, "a list"),
            Self::Table => write!(f, "a table"),
            Self::Odd(what) => write!(f, "{what}"),
        }
    }
}
