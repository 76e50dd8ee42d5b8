//! Options of [`Mqar`], and which sizes its examples can have.

use std::fmt;
use std::ops::Bound::{Excluded, Included};
use std::str::FromStr;

use subquad_options::range::{Ends, LONGEST_SEQ};
use subquad_options::{Kind, OptionType, Options, Refusal, Share, Value};

use super::Mqar;
use crate::config::wrong_length;
use crate::{InputKind, TargetKind, Task, TaskError, TaskInfo, TaskOptions};

/// The largest vocabulary. It must exceed the length, so no example is longer than this.
const MOST_TOKENS: usize = 1 << 20;
/// Allowed powers for the slots of queries.
const POWERS: Ends = (Excluded(0.0), Included(10.0));

/// Options of [`Mqar`].
#[derive(Options, Clone, Debug, PartialEq)]
pub struct MqarConfig {
    /// Size of the vocabulary, even: the blank and the keys are the lower half, the values the upper half. It must
    /// exceed every length. 8192 as published.
    #[config(default = 8192)]
    #[option(range = 6..=MOST_TOKENS)]
    pub vocab: usize,
    /// Number of key-value pairs, each queried once: at most seq_len / 4, because the queries take as much space as
    /// the pairs. "seq_len/16" is 4 at 64 tokens, 8 at 128, as published.
    #[config(default = "Share::OfLength(16)")]
    #[option(range = 1..=(MOST_TOKENS - 2) / 4)]
    pub n_pairs: Share,
    /// How early queries come: slot g of the tail is used with a probability proportional to g^(power - 1). 1 is
    /// uniform; with 0.01, as published, most queries come early.
    #[config(default = 0.01)]
    #[option(range = POWERS)]
    pub power: f64,
    /// Random tokens, instead of blanks, between the queries.
    #[config(default = false)]
    pub random_non_queries: bool,
    /// Training examples in an epoch; 0: every example is fresh.
    #[config(default = 0)]
    #[option(range = 0..=1 << 26)]
    pub train_examples: usize,
    /// Test examples of each condition.
    #[config(default = 1000)]
    #[option(range = 1..)]
    pub test_examples: usize,
    /// Further conditions to test at the end, besides seq_len and n_pairs themselves: length x pairs, such as
    /// ["128x8", "256x16"].
    #[config(default = "vec![]")]
    #[option(most = 100)]
    pub test_conditions: Vec<MqarSize>,
}

impl MqarConfig {
    /// The size of the training examples.
    pub(super) fn size(&self, seq_len: usize) -> MqarSize {
        MqarSize { seq_len, n_pairs: self.n_pairs.at(seq_len) }
    }

    fn odd_vocab(&self) -> Option<Refusal> {
        let vocab = self.vocab;
        Refusal::when(!vocab.is_multiple_of(2), &["vocab"], || {
            format!("vocab = {vocab} must be even: one half keys, one half values")
        })
    }

    /// Refuses a vocabulary that is not above the length. One above it has enough keys: nearly half as many as there
    /// are tokens, for a quarter as many pairs.
    fn small_vocab(&self, seq_len: usize) -> Option<Refusal> {
        let (vocab, longest) = (self.vocab, self.test_lengths().into_iter().fold(seq_len, usize::max));
        Refusal::when(vocab <= longest, &["vocab"], || {
            format!("vocab = {vocab} must exceed the longest length, {longest} tokens")
        })
    }
}

impl TaskOptions for MqarConfig {
    const INFO: TaskInfo = TaskInfo {
        name: "mqar",
        summary: "recall the values of keys seen before (multi-query associative recall)",
        lengths: "even, at least 4 tokens per pair",
        data: "generated",
        caption: "Multi-query associative recall: accuracy is the share of queries answered right.",
    };

    fn input(&self) -> InputKind {
        InputKind::Tokens { vocab: self.vocab }
    }

    fn target(&self, _: usize) -> TargetKind {
        TargetKind::Tokens { classes: self.vocab }
    }

    fn refusals(&self, seq_len: usize) -> Vec<Refusal> {
        self.refused_by(|| {
            let own = odd_length(seq_len).or_else(|| self.size(seq_len).wrong_pairs("n_pairs"));
            let tests = self.test_conditions.iter().filter_map(|size| size.wrong());
            let vocab = [self.odd_vocab(), self.small_vocab(seq_len)];
            own.into_iter().chain(vocab.into_iter().flatten()).chain(tests).collect()
        })
    }

    fn test_lengths(&self) -> Vec<usize> {
        self.test_conditions.iter().map(|size| size.seq_len).collect()
    }

    fn labels(&self, seq_len: usize) -> usize {
        self.n_pairs.at(seq_len)
    }

    fn open(&self, seq_len: usize, seed: u64) -> Result<Box<dyn Task>, TaskError> {
        Ok(Box::new(Mqar::new(self, seq_len, seed)?))
    }
}

fn is_length(seq_len: usize) -> bool {
    seq_len >= 4 && seq_len.is_multiple_of(2)
}

fn odd_length(seq_len: usize) -> Option<Refusal> {
    let nearest = || match seq_len {
        0..4 => "4".to_owned(),
        _ => format!("{} or {}", seq_len - 1, seq_len.saturating_add(1)),
    };
    let rule = "tokens come in twos, and a key-value pair with its query takes 4";
    (!is_length(seq_len)).then(|| wrong_length(rule, nearest()))
}

/// A length and a number of pairs, written `128x8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MqarSize {
    /// Tokens in each example.
    pub seq_len: usize,
    /// Pairs of key and value in each example.
    pub n_pairs: usize,
}

impl MqarSize {
    /// What keeps a test condition from having this size.
    fn wrong(self) -> Option<Refusal> {
        match is_length(self.seq_len) {
            true => self.wrong_pairs("test_conditions"),
            false => {
                let reason = format!("{self}: the length must be even, and at least 4");
                Some(Refusal::new(reason, &["test_conditions"]))
            }
        }
    }

    /// What keeps an example of this length from having so many pairs; `field` has their number.
    fn wrong_pairs(self, field: &'static str) -> Option<Refusal> {
        let (Self { seq_len, n_pairs }, most) = (self, self.seq_len / 4);
        let reason = match n_pairs {
            0 => format!("n_pairs = 0 at {seq_len} tokens, but there must be 1 to {most}"),
            n_pairs if n_pairs <= most => return None,
            _ => format!("n_pairs = {n_pairs} at {seq_len} tokens, but a pair takes 4: at most {most}"),
        };
        Some(Refusal::new(reason, &[field]))
    }
}

impl fmt::Display for MqarSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.seq_len, self.n_pairs)
    }
}

impl FromStr for MqarSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number =
            |text: &str| text.trim().parse().ok().filter(|number| (1..=LONGEST_SEQ).contains(number));
        let numbers = text.split_once('x').and_then(|(a, b)| Some((number(a)?, number(b)?)));
        let (seq_len, n_pairs) = numbers.ok_or_else(|| format!("`{text}` is not a size such as 128x8"))?;
        Ok(Self { seq_len, n_pairs })
    }
}

impl OptionType for MqarSize {
    fn kind() -> Kind {
        let canonical = |text: &str| Some(text.parse::<Self>().ok()?.to_string());
        Kind::Form { what: "a size such as \"128x8\"", canonical }
    }

    fn to_value(&self) -> Value {
        Value::Text(self.to_string())
    }

    fn from_value(value: &Value) -> Option<Self> {
        value.as_text()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_reads_back_as_it_is_written() {
        let size = MqarSize { seq_len: 128, n_pairs: 8 };
        assert_eq!(size.to_string(), "128x8");
        for text in ["128x8", "0128x8", "128 x 8"] {
            assert_eq!(text.parse(), Ok(size), "{text}");
        }
        for text in ["128", "x8", "128x", "128x8x1", "0x8", "128x0", "16777217x8", ""] {
            assert!(text.parse::<MqarSize>().is_err(), "{text}");
        }
    }
}
