//! The types that an option can have.

use std::ops::Bound::Unbounded;
use std::path::PathBuf;

use crate::{Kind, Value};

/// A type of an option.
pub trait OptionType: Sized {
    /// What it may hold if nothing narrows it.
    fn kind() -> Kind;

    /// As a config writes it.
    fn to_value(&self) -> Value;

    /// A value of [`kind`](Self::kind) as the type; `None` for any other.
    fn from_value(value: &Value) -> Option<Self>;
}

macro_rules! integer {
    ($($type:ty),*) => {$(
        impl OptionType for $type {
            fn kind() -> Kind {
                Kind::Integer { min: 0, max: i64::MAX }
            }

            /// A number too large for a config becomes the largest that fits.
            fn to_value(&self) -> Value {
                Value::Integer(i64::try_from(*self).unwrap_or(i64::MAX))
            }

            fn from_value(value: &Value) -> Option<Self> {
                value.as_integer()?.try_into().ok()
            }
        }
    )*};
}
integer!(usize, u64);

impl OptionType for f64 {
    fn kind() -> Kind {
        Kind::Real { min: Unbounded, max: Unbounded }
    }

    fn to_value(&self) -> Value {
        Value::Real(*self)
    }

    fn from_value(value: &Value) -> Option<Self> {
        value.as_real()
    }
}

impl OptionType for bool {
    fn kind() -> Kind {
        Kind::Bool
    }

    fn to_value(&self) -> Value {
        Value::Bool(*self)
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(*value),
            Value::Integer(_) | Value::Real(_) | Value::Text(_) | Value::List(_) => None,
        }
    }
}

macro_rules! text {
    ($($type:ty: $as_str:expr),*) => {$(
        impl OptionType for $type {
            fn kind() -> Kind {
                Kind::Text
            }

            fn to_value(&self) -> Value {
                let as_str: fn(&$type) -> String = $as_str;
                Value::Text(as_str(self))
            }

            fn from_value(value: &Value) -> Option<Self> {
                value.as_text().map(Into::into)
            }
        }
    )*};
}
text!(String: Clone::clone, PathBuf: |path| path.display().to_string());

/// The kind is that of the inner type; `none = ..` says which value stands for `None`.
impl<T: OptionType> OptionType for Option<T> {
    fn kind() -> Kind {
        T::kind()
    }

    fn to_value(&self) -> Value {
        self.as_ref().map_or_else(|| Value::from("none"), T::to_value)
    }

    fn from_value(value: &Value) -> Option<Self> {
        T::from_value(value).map(Some)
    }
}

impl<T: OptionType> OptionType for Vec<T> {
    fn kind() -> Kind {
        Kind::List { item: Box::new(T::kind()), most: usize::MAX }
    }

    fn to_value(&self) -> Value {
        Value::List(self.iter().map(T::to_value).collect())
    }

    fn from_value(value: &Value) -> Option<Self> {
        value.as_list()?.iter().map(T::from_value).collect()
    }
}
