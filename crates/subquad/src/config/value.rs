//! A checked value of one key.

use std::fmt;

/// What a key holds once its kind is known to be right.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// A finite number; never minus zero.
    Real(f64),
    /// True or false.
    Bool(bool),
    /// A text, for most keys one of a few words.
    Text(String),
    /// Sizes: a length in tokens, and how many of something.
    Sizes(Vec<(i64, i64)>),
}

impl Value {
    /// As a TOML value.
    pub fn to_toml(&self) -> toml::Value {
        match self {
            Self::Integer(value) => toml::Value::Integer(*value),
            Self::Real(value) => toml::Value::Float(*value),
            Self::Bool(value) => toml::Value::Boolean(*value),
            Self::Text(value) => toml::Value::String(value.clone()),
            Self::Sizes(sizes) => toml::Value::Array(size_texts(sizes).map(toml::Value::String).collect()),
        }
    }

    /// A value that [`to_toml`](Self::to_toml) has written, or a typed setting.
    pub(super) fn of_toml(value: &toml::Value) -> Option<Self> {
        match value {
            toml::Value::Integer(value) => Some(Self::Integer(*value)),
            toml::Value::Float(value) => Some(Self::Real(*value)),
            toml::Value::Boolean(value) => Some(Self::Bool(*value)),
            toml::Value::String(value) => Some(Self::Text(value.clone())),
            toml::Value::Array(sizes) => {
                let sizes = sizes.iter().map(|size| super::kind::size(size.as_str()?));
                Some(Self::Sizes(sizes.collect::<Option<_>>()?))
            }
            toml::Value::Datetime(_) | toml::Value::Table(_) => None,
        }
    }

    pub(super) fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            Self::Real(_) | Self::Bool(_) | Self::Text(_) | Self::Sizes(_) => None,
        }
    }

    pub(super) fn as_real(&self) -> Option<f64> {
        match self {
            Self::Real(value) => Some(*value),
            Self::Integer(_) | Self::Bool(_) | Self::Text(_) | Self::Sizes(_) => None,
        }
    }

    /// As the right-hand side of a TOML line: the same text as `Display`, with words in quotes.
    pub(super) fn to_toml_text(&self) -> String {
        match self {
            Self::Integer(_) | Self::Real(_) | Self::Bool(_) => self.to_string(),
            Self::Text(_) | Self::Sizes(_) => self.to_toml().to_string(),
        }
    }
}

pub(super) fn size_texts(sizes: &[(i64, i64)]) -> impl Iterator<Item = String> {
    sizes.iter().map(|(length, count)| format!("{length}x{count}"))
}

/// Canonical: equal values have equal texts, whatever spelling the file used. Words stand without quotes.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => write!(f, "{value}"),
            // Debug writes the shortest text that reads back to the same bits, and always a point or an exponent.
            Self::Real(value) => write!(f, "{value:?}"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "{value}"),
            Self::Sizes(sizes) => write!(f, "[{}]", size_texts(sizes).collect::<Vec<_>>().join(", ")),
        }
    }
}
