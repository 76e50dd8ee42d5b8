//! Dotted keys with their values as nested settings, for serde.
//!
//! ```text
//! model.d_model 64, task.mqar.vocab 512, task.name mqar   ->   { model: { d_model }, task: { mqar: { vocab }, name } }
//! ```
//! No table stands in between: a study may have very many runs, and this is done for each.

use serde::de::value::{Error, MapAccessDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};

use super::Value;

/// A dotted key and its value.
pub(super) type Entry<'a> = (&'a str, &'a Value);

/// The settings in entries that are sorted by key, without the first `from` letters of every key.
pub(super) fn typed<T: DeserializeOwned>(entries: &[Entry<'_>], from: usize) -> Result<T, Error> {
    T::deserialize(Level { entries, from })
}

/// Entries whose keys begin alike.
struct Level<'a> {
    entries: &'a [Entry<'a>],
    /// Letters of the keys that name the level.
    from: usize,
}

/// The entries of a level, name by name.
struct Names<'a> {
    left: Level<'a>,
    value: Option<Node<'a>>,
}

/// What a name of a level stands for.
enum Node<'a> {
    Value(&'a Value),
    Level(Level<'a>),
}

impl<'a> Level<'a> {
    fn names(self) -> Names<'a> {
        Names { left: self, value: None }
    }

    /// Takes the first name and what it stands for off the level.
    fn take_first(&mut self) -> Option<(&'a str, Node<'a>)> {
        let (key, value) = *self.entries.first()?;
        let rest = &key[self.from..];
        let name = rest.split('.').next().unwrap_or(rest);
        let inner = key.get(..self.from + name.len() + 1);
        let count = inner
            .map_or(1, |inner| self.entries.iter().take_while(|(key, _)| key.starts_with(inner)).count());
        let (own, left) = self.entries.split_at(count);
        self.entries = left;
        let node =
            inner.map_or(Node::Value(value), |inner| Node::Level(Level { entries: own, from: inner.len() }));
        Some((name, node))
    }
}

impl<'de> MapAccess<'de> for Names<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((name, value)) = self.left.take_first() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(name.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        match self.value.take().expect("serde asks for a value after its key") {
            Node::Value(value) => seed.deserialize(value),
            Node::Level(level) => seed.deserialize(level),
        }
    }
}

impl<'de> Deserializer<'de> for Level<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(self.names())
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        MapAccessDeserializer::new(self.names()).deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> Deserializer<'de> for &Value {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Value::Integer(value) => visitor.visit_i64(*value),
            Value::Real(value) => visitor.visit_f64(*value),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Text(value) => visitor.visit_str(value),
            Value::Sizes(sizes) => visitor.visit_seq(SeqDeserializer::new(super::value::size_texts(sizes))),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Value::Text(word) => {
                let word: serde::de::value::StrDeserializer<'_, Error> = word.as_str().into_deserializer();
                word.deserialize_enum(name, variants, visitor)
            }
            Value::Integer(_) | Value::Real(_) | Value::Bool(_) | Value::Sizes(_) => {
                self.deserialize_any(visitor)
            }
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
