//! Values that alternate, and their texts, such as `s4d*3+attention`.

use serde::de::DeserializeOwned;

use crate::words::{from_word, word, words};
use crate::{Kind, OptionType, Value};

/// Values that alternate from place to place, such as the mixers of a model's blocks: at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern<T>(Vec<T>);

impl<T> Pattern<T> {
    /// One value after the other, and again from the first; `None` without values.
    pub fn new(parts: Vec<T>) -> Option<Self> {
        (!parts.is_empty()).then_some(Self(parts))
    }

    /// The values of one repetition.
    pub fn parts(&self) -> &[T] {
        &self.0
    }

    /// The value at a place.
    pub fn at(&self, place: usize) -> &T {
        &self.0[place % self.0.len()]
    }

    /// The values of the first `count` places.
    pub fn first(&self, count: usize) -> impl Iterator<Item = &T> {
        self.0.iter().cycle().take(count)
    }

    /// The same pattern of what `f` makes of every value.
    pub fn map<U>(&self, f: impl FnMut(&T) -> U) -> Pattern<U> {
        Pattern(self.0.iter().map(f).collect())
    }
}

/// The same value everywhere.
impl<T> From<T> for Pattern<T> {
    fn from(part: T) -> Self {
        Self(vec![part])
    }
}

/// A text of words.
impl<T: DeserializeOwned + PartialEq> OptionType for Pattern<T> {
    fn kind() -> Kind {
        Kind::Pattern(words::<T>())
    }

    fn to_value(&self) -> Value {
        let parts: Vec<&str> = self.0.iter().map(word).collect();
        Value::Text(write_pattern(&parts))
    }

    fn from_value(value: &Value) -> Option<Self> {
        let parts = read_pattern(value.as_text()?, words::<T>())?;
        Self::new(parts.into_iter().map(from_word).collect::<Option<_>>()?)
    }
}

/// The most places of one repetition.
pub const LONGEST_PATTERN: usize = 64;

/// The words of one repetition of a pattern such as `s4d*3+attention`, a word for each place. `None` if the text is no pattern of
/// these words, or longer than [`LONGEST_PATTERN`].
pub fn read_pattern(text: &str, words: &[&'static str]) -> Option<Vec<&'static str>> {
    let mut parts = vec![];
    for part in text.split('+') {
        let (word, count) =
            part.split_once('*').map_or((part, Some(1)), |(word, n)| (word, n.trim().parse().ok()));
        let word = words.iter().find(|known| **known == word.trim())?;
        let count = count.filter(|count| (1..=LONGEST_PATTERN).contains(count))?;
        parts.extend(std::iter::repeat_n(*word, count));
    }
    (parts.len() <= LONGEST_PATTERN).then_some(parts)
}

/// The one text of all patterns that repeat to the same: the shortest repetition, and a factor for a word that follows itself.
pub fn write_pattern(parts: &[&str]) -> String {
    let runs = parts[..period(parts)].chunk_by(|one, next| one == next);
    let part = |run: &[&str]| match run.len() {
        1 => run[0].to_owned(),
        count => format!("{}*{count}", run[0]),
    };
    runs.map(part).collect::<Vec<_>>().join("+")
}

/// After how many places a pattern begins again.
fn period(parts: &[&str]) -> usize {
    let repeats = |period: &usize| parts.chunks(*period).all(|chunk| chunk == &parts[..*period]);
    (1..parts.len()).find(repeats).unwrap_or(parts.len())
}

/// The words in the text of a pattern, as [`write_pattern`] writes it, in their order: each as often as it is named.
pub fn pattern_words(text: &str) -> impl Iterator<Item = &str> {
    text.split('+').map(|part| part.split_once('*').map_or(part, |(word, _)| word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 3] = ["attention", "m2", "s4d"];

    fn canonical(text: &str) -> Option<String> {
        read_pattern(text, &WORDS).map(|parts| write_pattern(&parts))
    }

    #[test]
    fn every_spelling_of_a_pattern_has_one_text() {
        for (text, expected) in [
            ("s4d", "s4d"),
            ("s4d+s4d", "s4d"),
            ("s4d*64", "s4d"),
            ("m2+m2+m2+attention", "m2*3+attention"),
            ("m2*2 + m2 * 1 + attention", "m2*3+attention"),
            ("s4d+attention+s4d+attention", "s4d+attention"),
            ("s4d+attention+s4d", "s4d+attention+s4d"),
            ("m2*2+s4d+m2*2+s4d", "m2*2+s4d"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(expected), "{text}");
            assert_eq!(canonical(expected).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in [
            "",
            "+",
            "s4d+",
            "+s4d",
            "s4",
            "s4d*0",
            "s4d*",
            "*2",
            "s4d*-1",
            "s4d*1.5",
            "s4d**2",
            "s4d*65",
            "m2*64+s4d",
        ] {
            assert_eq!(canonical(text), None, "{text}");
        }
        assert_eq!(canonical("s4d*99999999999999999999"), None);
    }

    #[test]
    fn a_pattern_repeats_and_names_its_words() {
        let pattern = Pattern::new(vec!['a', 'a', 'b']).expect("it has parts");
        assert_eq!(pattern.first(7).collect::<String>(), "aabaaba");
        assert!((0..7).all(|place| pattern.at(place) == pattern.first(7).nth(place).expect("seven places")));
        assert_eq!(pattern.map(|c| c.to_ascii_uppercase()).parts(), ['A', 'A', 'B']);
        assert_eq!(Pattern::from(3).first(2).copied().collect::<Vec<_>>(), [3, 3]);
        assert!(Pattern::<char>::new(vec![]).is_none());
        assert_eq!(pattern_words("m2*3+attention+m2").collect::<Vec<_>>(), ["m2", "attention", "m2"]);
    }
}
