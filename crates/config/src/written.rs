//! A value as it is written in a file or flag, before anything is known about its key.

use std::fmt;

use toml::de::DeValue;

use subquad_options::{Value, number};

use crate::Origin;
use crate::origin::Source;

/// A TOML value of any type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Written {
    /// A value of an option, except a list: the values of a list have places of their own.
    Scalar(Value),
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
            DeValue::String(text) => Self::Scalar(Value::Text(text.to_string())),
            DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
                Ok(value) => Self::Scalar(Value::Integer(value)),
                Err(_) => Self::Unusable(format!(
                    "{}, beyond what 64 bits hold",
                    number::short(&integer.to_string())
                )),
            },
            DeValue::Float(real) => match number::real(real.as_str()) {
                Ok(value) => Self::Scalar(Value::Real(value)),
                Err(what) => Self::Unusable(what),
            },
            DeValue::Boolean(value) => Self::Scalar(Value::Bool(*value)),
            DeValue::Datetime(date) => Self::Unusable(format!("the date {date}")),
            DeValue::Array(items) => Self::List(items.iter().map(|item| Item::read(item, source)).collect()),
            DeValue::Table(_) => Self::Table,
        }
    }

    /// As the value of an option; `None` if no option can hold it.
    pub(crate) fn value(&self) -> Option<Value> {
        match self {
            Self::Scalar(value) => Some(value.clone()),
            Self::List(items) => {
                items.iter().map(|item| item.written.value()).collect::<Option<_>>().map(Value::List)
            }
            Self::Table | Self::Unusable(_) => None,
        }
    }

    /// Whether it would be a text in quotes.
    pub(crate) fn is_word(&self) -> bool {
        match self {
            Self::Scalar(value) => value.as_text().is_none(),
            Self::Unusable(_) => true,
            Self::List(_) | Self::Table => false,
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
            Self::Scalar(Value::Text(value)) => write!(f, "the string {value:?}"),
            Self::Scalar(value) => write!(f, "{value}"),
            Self::List(_) => write!(f, "a list"),
            Self::Table => write!(f, "a table"),
            Self::Unusable(what) => write!(f, "{what}"),
        }
    }
}
