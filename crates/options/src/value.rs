//! The value of an option.

use std::fmt;

/// What an option holds, as a config writes it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// A number.
    Real(f64),
    /// True or false.
    Bool(bool),
    /// A text; for most options one of a few words.
    Text(String),
    /// Values of one kind.
    List(Vec<Value>),
}

impl Value {
    /// The whole number.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            Self::Real(_) | Self::Bool(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    /// The number; a whole number counts as well.
    pub fn as_real(&self) -> Option<f64> {
        match self {
            Self::Real(value) => Some(*value),
            Self::Integer(value) => Some(*value as f64),
            Self::Bool(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    /// The text.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(value) => Some(value),
            Self::Integer(_) | Self::Real(_) | Self::Bool(_) | Self::List(_) => None,
        }
    }

    /// The values of the list.
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(values) => Some(values),
            Self::Integer(_) | Self::Real(_) | Self::Bool(_) | Self::Text(_) => None,
        }
    }

    /// As messages show it: words in quotes, as in a config.
    pub fn quoted(&self) -> String {
        self.as_text().map_or_else(|| self.to_string(), |text| format!("{text:?}"))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// The text is canonical: equal values have equal texts, whatever spelling a file used. Words have no quotes.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => write!(f, "{value}"),
            // Debug writes the shortest text that reads back to the same bits, and always a point or an exponent.
            Self::Real(value) => write!(f, "{value:?}"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "{value}"),
            Self::List(values) => {
                write!(f, "[{}]", values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
            }
        }
    }
}
