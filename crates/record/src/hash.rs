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

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(pairs: &[(&str, &str)]) -> String {
        run_hash(&pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect())
    }

    #[test]
    fn the_hash_is_the_start_of_sha_256() {
        assert_eq!(hash(&[]), "e3b0c442"); // of the empty text, as published
        // printf 'batch=32\nmixer=s4d\nseed=0\n' | sha256sum
        assert_eq!(hash(&[("seed", "0"), ("mixer", "s4d"), ("batch", "32")]), "61c9cab3");
        assert_eq!(long_run_hash(&BTreeMap::new(), 16), "e3b0c44298fc1c14");
    }

    #[test]
    fn any_change_of_a_key_or_value_changes_the_hash() {
        let hashes = [
            hash(&[("a", "1")]),
            hash(&[("a", "2")]),
            hash(&[("b", "1")]),
            hash(&[("a", "1"), ("b", "2")]),
            hash(&[("a", "1\nb=2")]),
            hash(&[("a", "1\\nb=2")]),
        ];
        let different: std::collections::BTreeSet<_> = hashes.iter().collect();
        assert_eq!(different.len(), hashes.len());
    }
}
