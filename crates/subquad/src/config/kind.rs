//! What a key may hold, and the check of it.

use std::collections::HashSet;
use std::fmt;
use std::ops::{Bound, RangeBounds};

use toml::de::DeValue;

use super::entry::Source;
use super::found::{Found, Item};
use super::keys::LONGEST_SEQ;
use super::{Value, number, suggest};

/// The values that a key allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A whole number from `min` to `max`.
    Integer {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// A finite number between two ends; an integer is accepted too.
    Real {
        /// Lower end.
        min: Bound<f64>,
        /// Upper end.
        max: Bound<f64>,
    },
    /// 0, which stands for none, or a number from `min` to `max`; an integer is accepted too.
    RealOrZero {
        /// Smallest but 0.
        min: f64,
        /// Largest.
        max: f64,
    },
    /// True or false.
    Bool,
    /// One of a few words.
    OneOf(&'static [&'static str]),
    /// A whole number, or a word for a number that the rest of the config gives.
    IntegerOr {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
        /// The word.
        word: Word,
    },
    /// A whole number, or a share of the sequence length such as `seq_len/16`, rounded down.
    IntegerOrShare {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// A list of sizes such as `128x8`: a length in tokens, and how many of something. It may be empty.
    Sizes,
    /// Any text of one line, also none.
    Text,
}

/// A word that stands for a number known once the whole config is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// The run's `model.d_model`.
    DModel,
    /// The run's `mixer.attention.n_heads`.
    NHeads,
    /// The longest `seq_len` of the config.
    Longest,
}

impl Word {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DModel => "d_model",
            Self::NHeads => "n_heads",
            Self::Longest => "longest",
        }
    }

    /// The key of the run that holds the number; `None` where the whole config does.
    pub(super) const fn key(self) -> Option<&'static str> {
        match self {
            Self::DModel => Some("model.d_model"),
            Self::NHeads => Some("mixer.attention.n_heads"),
            Self::Longest => None,
        }
    }
}

impl Kind {
    /// The value, if it is allowed.
    pub(super) fn accept(&self, found: &Found) -> Option<Value> {
        match (self, found) {
            (
                Self::Integer { min, max }
                | Self::IntegerOr { min, max, .. }
                | Self::IntegerOrShare { min, max },
                Found::Integer(value),
            ) => (min..=max).contains(&value).then_some(Value::Integer(*value)),
            (Self::Real { .. } | Self::RealOrZero { .. }, Found::Real(value)) => self.accept_real(*value),
            (Self::Real { .. } | Self::RealOrZero { .. }, Found::Integer(value)) => {
                self.accept_real(*value as f64)
            }
            (Self::Bool, Found::Bool(value)) => Some(Value::Bool(*value)),
            (Self::OneOf(_) | Self::IntegerOr { .. }, Found::Text(text)) => {
                self.words().contains(&text.as_str()).then(|| Value::Text(text.clone()))
            }
            (Self::IntegerOrShare { .. }, Found::Text(text)) => {
                Some(Value::Text(Share::parse(text)?.to_string()))
            }
            (Self::Sizes, Found::List(items)) => sizes(items).ok().map(Value::Sizes),
            (Self::Text, Found::Text(text)) => {
                (!text.contains(char::is_control)).then(|| Value::Text(text.clone()))
            }
            _ => None,
        }
    }

    /// A word of a flag that reads as a number or date, where the key takes a text.
    pub(super) fn accept_word(&self, word: &str) -> Option<Value> {
        (*self == Self::Text).then(|| self.accept(&Found::Text(word.to_owned())))?
    }

    fn accept_real(&self, value: f64) -> Option<Value> {
        let is_allowed = match self {
            Self::Real { min, max } => value.is_finite() && (*min, *max).contains(&value),
            Self::RealOrZero { min, max } => value == 0.0 || (min..=max).contains(&&value),
            Self::Integer { .. }
            | Self::Bool
            | Self::OneOf(_)
            | Self::IntegerOr { .. }
            | Self::IntegerOrShare { .. }
            | Self::Sizes
            | Self::Text => false,
        };
        // Adding zero turns -0.0 into 0.0, so that equal numbers have equal texts.
        is_allowed.then_some(Value::Real(value + 0.0))
    }

    /// "must be .., got ..", for a value that is not allowed.
    pub(super) fn complaint(&self, found: &Found) -> String {
        match (self, found) {
            (Self::OneOf(_) | Self::IntegerOr { .. }, Found::Text(text)) => {
                let nearest = suggest::nearest(text, self.words().into_iter());
                let hint = nearest.map(|word| format!("; did you mean \"{word}\"?")).unwrap_or_default();
                format!("must be {self}; got {text:?}{hint}")
            }
            (Self::OneOf(_), _) => format!("must be {self}; got {found}"),
            (Self::Sizes, Found::List(items)) => {
                format!("must be {self}, got {}", sizes(items).err().unwrap_or_default())
            }
            _ => format!("must be {self}, got {found}{}", self.quotes(found)),
        }
    }

    /// What to do where quotes make the difference.
    fn quotes(&self, found: &Found) -> &'static str {
        match found {
            Found::Text(text) if unquoted(text).is_some_and(|found| self.accept(&found).is_some()) => {
                "; take its quotes away"
            }
            found if *self == Self::Text && found.is_word() => "; put it in quotes",
            _ => "",
        }
    }

    /// The words that are allowed.
    pub(super) fn words(&self) -> Vec<&'static str> {
        match self {
            Self::OneOf(words) => words.to_vec(),
            Self::IntegerOr { word, .. } => vec![word.as_str()],
            Self::Integer { .. }
            | Self::Real { .. }
            | Self::RealOrZero { .. }
            | Self::Bool
            | Self::IntegerOrShare { .. }
            | Self::Sizes
            | Self::Text => Vec::new(),
        }
    }
}

/// What a text would be without its quotes.
fn unquoted(text: &str) -> Option<Found> {
    let value = DeValue::parse(text).ok()?;
    Some(Found::read(value.get_ref(), &Source::Flag { text: "".into() }))
}

/// `seq_len/16`: the length divided by a whole number, rounded down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Share(i64);

impl Share {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let divisor = text.strip_prefix("seq_len")?.trim_start().strip_prefix('/')?.trim_start();
        let divisor: i64 = divisor.parse().ok()?;
        (divisor >= 1).then_some(Self(divisor))
    }

    pub(super) fn of(self, seq_len: i64) -> i64 {
        seq_len / self.0
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seq_len/{}", self.0)
    }
}

/// Sizes that one list holds at most. Every run of a study has them all.
const MOST_SIZES: usize = 100;

/// The sizes of a list, or the item that is none or comes twice.
fn sizes(items: &[Item]) -> Result<Vec<(i64, i64)>, String> {
    if items.len() > MOST_SIZES {
        return Err(format!("{} of them", items.len()));
    }
    let (mut sizes, mut seen) = (Vec::new(), HashSet::new());
    for item in items {
        let size = match &item.found {
            Found::Text(text) => size(text).ok_or_else(|| item.found.to_string())?,
            found => return Err(found.to_string()),
        };
        if !seen.insert(size) {
            return Err(format!("{} twice", item.found));
        }
        sizes.push(size);
    }
    Ok(sizes)
}

pub(super) fn size(text: &str) -> Option<(i64, i64)> {
    let (length, count) = text.split_once('x')?;
    let positive = |text: &str| text.trim().parse().ok().filter(|n| (1..=LONGEST_SEQ).contains(n));
    Some((positive(length)?, positive(count)?))
}

/// As it reads after "must be".
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer { min, max } => write_integer(f, *min, *max),
            Self::Real { min, max } => write!(f, "a finite number{}", ends(*min, *max)),
            Self::RealOrZero { min, max } => {
                write!(f, "0 or a number from {} to {}", number::brief(*min), number::brief(*max))
            }
            Self::Bool => write!(f, "true or false"),
            Self::OneOf(words) => write!(f, "one of {}", words.join(", ")),
            Self::IntegerOr { min, max, word } => {
                write_integer(f, *min, *max)?;
                write!(f, " or \"{}\"", word.as_str())
            }
            Self::IntegerOrShare { min, max } => {
                write_integer(f, *min, *max)?;
                write!(f, " or a share such as \"seq_len/16\"")
            }
            Self::Sizes => write!(f, "a list of at most {MOST_SIZES} different sizes such as \"128x8\""),
            Self::Text => write!(f, "a text of one line"),
        }
    }
}

fn write_integer(f: &mut fmt::Formatter<'_>, min: i64, max: i64) -> fmt::Result {
    match max {
        i64::MAX => write!(f, "an integer >= {min}"),
        max => write!(f, "an integer from {min} to {max}"),
    }
}

fn ends(min: Bound<f64>, max: Bound<f64>) -> String {
    let low = match min {
        Bound::Included(min) => Some(format!(" >= {}", number::brief(min))),
        Bound::Excluded(min) => Some(format!(" > {}", number::brief(min))),
        Bound::Unbounded => None,
    };
    let high = match max {
        Bound::Included(max) => Some(format!(" <= {}", number::brief(max))),
        Bound::Excluded(max) => Some(format!(" < {}", number::brief(max))),
        Bound::Unbounded => None,
    };
    [low, high].into_iter().flatten().collect::<Vec<_>>().join(" and")
}
