//! A value as it is written in a file or flag, before anything is known about its key.

use std::fmt;

use toml::de::DeValue;

use subquad_options::{Value, number};

use crate::Origin;
use crate::entry::Source;

/// A TOML value of any type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Written {
    Integer(i64),
    Real(f64),
    Bool(bool),
    Text(String),
    List(Vec<Item>),
    Table,
    /// A description of what no key takes: a date, or a number that does not fit into 64 bits.
    Unusable(String),
}

/// One value of a list.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    pub(crate) written: Written,
    pub(crate) origin: Origin,
}

impl Written {
    pub(crate) fn read(value: &DeValue<'_>, source: &Source) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.to_string()),
            DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
                Ok(value) => Self::Integer(value),
                Err(_) => Self::Unusable(format!(
                    "{}, beyond what 64 bits hold",
                    number::short(&integer.to_string())
                )),
            },
            DeValue::Float(real) => number::real(real.as_str()).map_or_else(Self::Unusable, Self::Real),
            DeValue::Boolean(value) => Self::Bool(*value),
            DeValue::Datetime(date) => Self::Unusable(format!("the date {date}")),
            DeValue::Array(items) => Self::List(items.iter().map(|item| Item::read(item, source)).collect()),
            DeValue::Table(_) => Self::Table,
        }
    }

    /// As the value of an option; `None` if no option can hold it.
    pub(crate) fn value(&self) -> Option<Value> {
        match self {
            Self::Integer(value) => Some(Value::Integer(*value)),
            Self::Real(value) => Some(Value::Real(*value)),
            Self::Bool(value) => Some(Value::Bool(*value)),
            Self::Text(text) => Some(Value::Text(text.clone())),
            Self::List(items) => {
                items.iter().map(|item| item.written.value()).collect::<Option<_>>().map(Value::List)
            }
            Self::Table | Self::Unusable(_) => None,
        }
    }

    /// Whether it would be a text in quotes.
    pub(crate) fn is_word(&self) -> bool {
        match self {
            Self::Integer(_) | Self::Real(_) | Self::Bool(_) | Self::Unusable(_) => true,
            Self::Text(_) | Self::List(_) | Self::Table => false,
        }
    }
}

impl Item {
    fn read(item: &toml::Spanned<DeValue<'_>>, source: &Source) -> Self {
        Self { written: Written::read(item.get_ref(), source), origin: source.origin(item.span().start) }
    }
}

/// As it reads after "got".
impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => write!(f, "{value}"),
            Self::Real(value) => write!(f, "{value:?}"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "the string {value:?}"),
            Self::List(_) => write!(f, "a list"),
            Self::Table => write!(f, "a table"),
            Self::Unusable(what) => write!(f, "{what}"),
        }
    }
}
