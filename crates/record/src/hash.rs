//! A short name for what changes a run's numbers.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::digest::Digest;

/// Eight hex digits for a set of settings: the start of the SHA-256 of the lines `key=value\n` in the order of the
/// keys, with `\` and line breaks inside them written as `\\` and `\n`.
///
/// The caller leaves out every key that is at its default. A key that is added later, with a default that keeps the old
/// behaviour, then changes no earlier run's hash.
///
/// ```
/// # use std::collections::BTreeMap;
/// let settings = BTreeMap::from([("seed".to_string(), "0".to_string())]);
/// assert_eq!(subquad_record::run_hash(&settings), "3a84aabd");
/// ```
pub fn run_hash(pairs: &BTreeMap<String, String>) -> String {
    long_run_hash(pairs, DIGITS)
}

/// Number of digits of a hash that collides with no other.
pub(crate) const DIGITS: usize = 8;

/// [`run_hash`] with this many digits, at most 64: very many runs may share their first digits by chance.
pub fn long_run_hash(pairs: &BTreeMap<String, String>, digits: usize) -> String {
    let mut text = String::new();
    for (key, value) in pairs {
        text.extend([&*escape(key), "=", &*escape(value), "\n"]);
    }
    Digest::of(text.as_bytes()).sha256[..digits].to_owned()
}

fn escape(text: &str) -> Cow<'_, str> {
    match text.contains(['\\', '\n']) {
        true => text.replace('\\', "\\\\").replace('\n', "\\n").into(),
        false => text.into(),
    }
}
