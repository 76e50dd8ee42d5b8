//! From what is written to the value of a key, and what to say about what it does not take.

use std::collections::HashSet;

use subquad_options::{Kind, Value};
use toml::de::DeValue;

use crate::entry::Entry;
use crate::origin::Source;
use crate::written::{Item, Written};
use crate::{ConfigError, Key, Origin, Problem, suggest};

/// A checked value and where it was written; `None` for a default.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Setting {
    pub(crate) value: Value,
    pub(crate) origin: Option<Origin>,
}

/// The value of an entry for a key, in canonical form.
///
/// # Errors
/// Every mistake in it.
pub(crate) fn read(key: &Key, entry: &Entry) -> Result<Value, Vec<ConfigError>> {
    if let (Kind::List { item, most }, Written::List(items)) = (&key.kind, &entry.written)
        && items.len() <= *most
    {
        return list(&entry.key(), item, items)
            .map(|values| Value::List(values.into_iter().map(|s| s.value).collect()));
    }
    let value = entry.written.value().and_then(|value| key.kind.accept(&value));
    value.or_else(|| word(&key.kind, entry.word.as_deref()?)).ok_or_else(|| {
        let problem = Problem::Value { key: entry.key(), complaint: complaint(&key.kind, &entry.written) };
        vec![ConfigError::new(entry.origin(), problem)]
    })
}

/// A word of a flag that reads as a number or date, if the key takes a text.
fn word(kind: &Kind, word: &str) -> Option<Value> {
    matches!(kind, Kind::Text).then(|| kind.accept(&Value::from(word)))?
}

/// Different values of one kind, each with its place.
///
/// # Errors
/// Every item that is not of the kind, or occurs twice.
pub(crate) fn list(key: &str, kind: &Kind, items: &[Item]) -> Result<Vec<Setting>, Vec<ConfigError>> {
    let (mut values, mut errors): (Vec<Setting>, Vec<ConfigError>) = (vec![], vec![]);
    // Equal values have equal texts.
    let mut seen = HashSet::new();
    for Item { written, origin } in items {
        let problem = match written.value().and_then(|value| kind.accept(&value)) {
            None => Problem::ItemValue { key: key.to_owned(), complaint: complaint(kind, written) },
            Some(value) if !seen.insert(value.to_string()) => {
                Problem::RepeatedValue { key: key.to_owned(), value: value.to_string() }
            }
            Some(value) => {
                values.push(Setting { value, origin: Some(origin.clone()) });
                continue;
            }
        };
        errors.push(ConfigError::new(origin.clone(), problem));
    }
    if errors.is_empty() { Ok(values) } else { Err(errors) }
}

/// "must be .., got ..", for a value that is not allowed.
pub(crate) fn complaint(kind: &Kind, written: &Written) -> String {
    match (kind, written) {
        (_, Written::Scalar(Value::Text(text))) if !kind.words().is_empty() => {
            let nearest = nearest(kind, text);
            let hint = nearest.map(|word| format!("; did you mean \"{word}\"?")).unwrap_or_default();
            format!("must be {kind}; got {text:?}{hint}")
        }
        (Kind::Word(_) | Kind::Pattern(_), _) => format!("must be {kind}; got {written}"),
        (Kind::List { most, .. }, Written::List(items)) if items.len() > *most => {
            format!("must be {kind}, got {} of them", items.len())
        }
        _ => format!("must be {kind}, got {written}{}", quotes(kind, written)),
    }
}

fn nearest(kind: &Kind, text: &str) -> Option<String> {
    match kind {
        Kind::Pattern(words) => suggest::nearest_pattern(text, words),
        _ => suggest::nearest(text, kind.words().into_iter()).map(str::to_owned),
    }
}

/// What to do if only quotes are wrong.
fn quotes(kind: &Kind, written: &Written) -> &'static str {
    match written {
        Written::Scalar(Value::Text(text))
            if unquoted(text).is_some_and(|value| kind.accept(&value).is_some()) =>
        {
            "; remove its quotes"
        }
        written if matches!(kind, Kind::Text) && written.is_word() => "; put it in quotes",
        _ => "",
    }
}

/// The value of a text without its quotes.
fn unquoted(text: &str) -> Option<Value> {
    let value = DeValue::parse(text).ok()?;
    Written::read(value.get_ref(), &Source::Flag { text: "".into() }).value()
}
