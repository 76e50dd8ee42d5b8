//! JSON without duplicate keys.
//!
//! serde_json keeps the last of two equal keys, so a file could show one thing to a reader and another to the program.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The value of a JSON text.
///
/// # Errors
/// If it is not JSON, or an object in it has a key twice.
pub fn parse(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str::<Strict>(text).map(|Strict(value)| value)
}

/// Checks that the header of a `.safetensors` file names no tensor twice and says nothing about one twice. Everything
/// else about a header is left to the library.
///
/// # Errors
/// If it does, with the name.
pub fn check_header(file: &[u8]) -> Result<(), String> {
    let header = || {
        let (length, rest) = file.split_first_chunk::<8>()?;
        rest.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?)
    };
    match header().map(serde_json::from_slice::<Strict>) {
        None | Some(Ok(_)) => Ok(()),
        Some(Err(error)) => Err(format!("the header of the .safetensors file: {error}")),
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(all.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if all.contains_key(&key) {
                return Err(A::Error::custom(format_args!("`{key}` appears twice")));
            }
            let Strict(value) = entries.next_value()?;
            all.insert(key, value);
        }
        Ok(all.into())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_text_without_doubles_reads_as_serde_json_reads_it() {
        for text in
            ["null", "[]", r#"{"a": [1, -2, 3.5, true, "x", null], "b": {"a": 18446744073709551615}}"#]
        {
            assert_eq!(parse(text).unwrap(), serde_json::from_str::<Value>(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_at_any_depth() {
        for text in [r#"{"a": 1, "a": 1}"#, r#"{"b": [{"a": 1, "c": 2, "\u0061": 3}]}"#] {
            assert!(parse(text).unwrap_err().to_string().starts_with("`a` appears twice"), "{text}");
        }
    }

    #[test]
    fn a_tensor_that_stands_twice_is_refused_and_what_is_no_header_is_not_judged() {
        let file = |header: &str| [&(header.len() as u64).to_le_bytes(), header.as_bytes(), b"data"].concat();
        assert_eq!(check_header(&file(r#"{"w": {"shape": []}, "v": {"shape": []}}"#)), Ok(()));
        assert!(check_header(&file(r#"{"w": {}, "w": {}}"#)).unwrap_err().contains("`w` appears twice"));
        for part in [&[][..], &[9, 0, 0, 0, 0, 0, 0, 0], &[255; 20]] {
            assert_eq!(check_header(part), Ok(()));
        }
    }
}
