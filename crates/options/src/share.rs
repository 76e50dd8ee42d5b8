//! A number, or a share of the sequence length.

use std::fmt;

use crate::{Kind, OptionType, Value};

/// A whole number, or the sequence length divided by one and rounded down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// This many.
    Count(usize),
    /// `seq_len/16`: one sixteenth.
    OfLength(usize),
}

impl Share {
    /// The number, for sequences of `seq_len` tokens.
    pub fn at(self, seq_len: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::OfLength(divisor) => seq_len / divisor.max(1),
        }
    }

    /// Reads `seq_len/16`, with or without spaces around the slash.
    pub fn parse(text: &str) -> Option<Self> {
        let divisor = text.strip_prefix("seq_len")?.trim_start().strip_prefix('/')?.trim_start();
        let divisor: i64 = divisor.parse().ok()?;
        (divisor >= 1).then_some(Self::OfLength(divisor.try_into().ok()?))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::OfLength(divisor) => write!(f, "seq_len/{divisor}"),
        }
    }
}

impl OptionType for Share {
    fn kind() -> Kind {
        Kind::Share { min: 0, max: i64::MAX }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Count(count) => count.to_value(),
            Self::OfLength(_) => Value::Text(self.to_string()),
        }
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value.as_text() {
            Some(text) => Self::parse(text),
            None => usize::from_value(value).map(Self::Count),
        }
    }
}
