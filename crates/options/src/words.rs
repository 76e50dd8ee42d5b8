//! The words of an enum, taken from its serde derive: there is no second list of them.

use serde::de::value::{Error, StrDeserializer};
use serde::de::{DeserializeOwned, Error as _, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};

/// The words of all variants, in their order.
pub fn words<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut found: &'static [&'static str] = &[];
    // The result is the list of names that an enum asks for; deserializing always ends with an error.
    let _ = T::deserialize(Names(&mut found));
    found
}

/// The word of a variant.
pub fn word<T: DeserializeOwned + PartialEq>(variant: &T) -> &'static str {
    let is_it = |word: &&&str| from_word::<T>(word).as_ref() == Some(variant);
    words::<T>().iter().find(is_it).copied().unwrap_or_default()
}

/// The variant of a word.
pub fn from_word<T: DeserializeOwned>(word: &str) -> Option<T> {
    T::deserialize(StrDeserializer::<Error>::new(word)).ok()
}

/// A deserializer that records the names of an enum's variants.
struct Names<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = Error;

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = variants;
        Err(Error::custom("the names are all that was wanted"))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("a choice is an enum"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
