//! What an option may hold, and the check of it.

use std::fmt;
use std::ops::{Bound, RangeBounds};

use crate::range::{Number, whole_ends};
use crate::{Share, Value, number, read_pattern, write_pattern};

/// The values that an option allows.
#[derive(Debug, Clone)]
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
    /// True or false.
    Bool,
    /// One of a few words.
    Word(&'static [&'static str]),
    /// One of a few words, or a pattern of them: see [`read_pattern`](crate::read_pattern).
    Pattern(&'static [&'static str]),
    /// Any text of one line; it may be empty.
    Text,
    /// A text of a certain form.
    Form {
        /// The words after "must be", such as `a size such as "128x8"`.
        what: &'static str,
        /// The text in canonical form; `None` if it does not have the form.
        canonical: fn(&str) -> Option<String>,
    },
    /// A whole number, or a share of the sequence length such as `seq_len/16`, rounded down.
    Share {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// A special value besides those of a kind: `0` for none, or a word for a number that is known from the rest of a config.
    Or {
        /// The value.
        or: Value,
        /// The kind of all other values.
        kind: Box<Kind>,
    },
    /// Different values of one kind, up to `most`. The list may be empty.
    List {
        /// The kind of each.
        item: Box<Kind>,
        /// The most values that it may hold.
        most: usize,
    },
}

impl Kind {
    /// The values of this kind within a range; the ends of an integer's range are whole numbers.
    pub fn within<T: Number>(self, range: impl RangeBounds<T>) -> Self {
        match self {
            Self::Integer { min, max } => {
                let (min, max) = whole_ends(&range, min, max);
                Self::Integer { min, max }
            }
            Self::Share { min, max } => {
                let (min, max) = whole_ends(&range, min, max);
                Self::Share { min, max }
            }
            Self::Real { .. } => {
                let real = |end: Bound<&T>| end.map(|end| end.real());
                Self::Real { min: real(range.start_bound()), max: real(range.end_bound()) }
            }
            Self::Or { or, kind } => Self::Or { or, kind: Box::new(kind.within(range)) },
            Self::List { item, most } => Self::List { item: Box::new(item.within(range)), most },
            Self::Bool | Self::Word(_) | Self::Pattern(_) | Self::Text | Self::Form { .. } => self,
        }
    }

    /// The same list, with at most this many values.
    pub fn at_most(self, most: usize) -> Self {
        match self {
            Self::List { item, .. } => Self::List { item, most },
            kind => kind,
        }
    }

    /// The same kind with one more value. A number just below the smallest extends the range.
    pub fn or(self, or: Value) -> Self {
        match (self, or) {
            (Self::Integer { min: 1, max }, Value::Integer(0)) => Self::Integer { min: 0, max },
            (Self::Real { min: Bound::Excluded(0.0), max }, Value::Real(0.0)) => {
                Self::Real { min: Bound::Included(0.0), max }
            }
            (kind, or) => Self::Or { or, kind: Box::new(kind) },
        }
    }

    /// The value in canonical form, if it is allowed.
    pub fn accept(&self, value: &Value) -> Option<Value> {
        match (self, value) {
            (Self::Or { or, kind }, value) => {
                kind.accept(value).or_else(|| is(or, value).then(|| or.clone()))
            }
            (Self::Integer { min, max } | Self::Share { min, max }, Value::Integer(value)) => {
                (min..=max).contains(&value).then_some(Value::Integer(*value))
            }
            (Self::Share { .. }, Value::Text(text)) => Some(Value::Text(Share::parse(text)?.to_string())),
            (Self::Real { min, max }, value) => {
                let value =
                    value.as_real().filter(|value| value.is_finite() && (*min, *max).contains(value))?;
                // Adding zero turns -0.0 into 0.0, so that equal numbers have equal texts.
                Some(Value::Real(value + 0.0))
            }
            (Self::Bool, Value::Bool(value)) => Some(Value::Bool(*value)),
            (Self::Word(words), Value::Text(text)) => {
                words.contains(&text.as_str()).then(|| Value::Text(text.clone()))
            }
            (Self::Pattern(words), Value::Text(text)) => {
                read_pattern(text, words).map(|parts| Value::Text(write_pattern(&parts)))
            }
            (Self::Text, Value::Text(text)) => {
                (!text.contains(char::is_control)).then(|| Value::Text(text.clone()))
            }
            (Self::Form { canonical, .. }, Value::Text(text)) => canonical(text).map(Value::Text),
            (Self::List { item, most }, Value::List(values)) if values.len() <= *most => {
                different(item, values)
            }
            _ => None,
        }
    }

    /// The words that are allowed.
    pub fn words(&self) -> Vec<&str> {
        match self {
            Self::Word(words) | Self::Pattern(words) => words.to_vec(),
            Self::Or { or: Value::Text(word), kind } => [vec![word.as_str()], kind.words()].concat(),
            Self::Or { kind, .. } => kind.words(),
            Self::Integer { .. }
            | Self::Real { .. }
            | Self::Bool
            | Self::Text
            | Self::Form { .. }
            | Self::Share { .. }
            | Self::List { .. } => vec![],
        }
    }
}

/// Whether `value` in a config means `or`.
fn is(or: &Value, value: &Value) -> bool {
    or == value || or.as_real().is_some_and(|number| value.as_real() == Some(number))
}

/// The values of a list; `None` if one is not allowed, or occurs twice.
fn different(item: &Kind, values: &[Value]) -> Option<Value> {
    let values: Vec<Value> = values.iter().map(|value| item.accept(value)).collect::<Option<_>>()?;
    let mut texts: Vec<String> = values.iter().map(ToString::to_string).collect();
    texts.sort_unstable();
    texts.dedup();
    (texts.len() == values.len()).then_some(Value::List(values))
}

/// The words after "must be".
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer { min, max: i64::MAX } => write!(f, "an integer >= {min}"),
            Self::Integer { min, max } => write!(f, "an integer from {min} to {max}"),
            Self::Real { min, max } => write!(f, "a finite number{}", ends(*min, *max)),
            Self::Bool => write!(f, "true or false"),
            Self::Word(words) | Self::Pattern(words @ [_]) => write!(f, "one of {}", words.join(", ")),
            Self::Pattern(words) => {
                write!(f, "one of {}, or a pattern of them such as \"{}\"", words.join(", "), example(words))
            }
            Self::Text => write!(f, "a text of one line"),
            Self::Form { what, .. } => write!(f, "{what}"),
            Self::Share { min, max } => {
                write!(f, "{} or a share such as \"seq_len/16\"", Self::Integer { min: *min, max: *max })
            }
            Self::Or { or: Value::Text(word), kind } => write!(f, "{kind} or \"{word}\""),
            Self::Or { or, kind } => write!(f, "{} or {kind}", brief(or)),
            Self::List { item, most: usize::MAX } => write!(f, "a list, each value {item}"),
            Self::List { item, most } => write!(f, "a list of at most {most} different values, each {item}"),
        }
    }
}

/// Three places with the second word and one with the first.
fn example(words: &[&str]) -> String {
    match words {
        [first, second, ..] => write_pattern(&[second, second, second, first]),
        [_] | [] => String::new(),
    }
}

fn brief(value: &Value) -> String {
    value.as_real().map_or_else(|| value.to_string(), number::brief)
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
