//! The sizes of examples of `mqar`, and how the examples of one size are made.

use std::fmt;
use std::str::FromStr;

use subquad_options::{Kind, OptionType, Refusal, Value};

use super::MqarConfig;
use crate::lengths::two_sizes;
use crate::{Batch, Draws};

/// The token at positions without a query.
const BLANK: u32 = 0;

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
    pub(super) fn wrong(self) -> Option<Refusal> {
        match is_length(self.seq_len) {
            true => self.wrong_pairs("test_conditions"),
            false => {
                let reason = format!("{self}: the length must be even, and at least 4");
                Some(Refusal::new(reason, &["test_conditions"]))
            }
        }
    }

    /// What keeps an example of this length from having so many pairs; `field` has their number.
    pub(super) fn wrong_pairs(self, field: &'static str) -> Option<Refusal> {
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
        let [seq_len, n_pairs] =
            two_sizes(text).ok_or_else(|| format!("`{text}` is not a size such as 128x8"))?;
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

pub(super) fn is_length(seq_len: usize) -> bool {
    seq_len >= 4 && seq_len.is_multiple_of(2)
}

/// How examples of one size are made.
pub(super) struct Recipe {
    pub(super) size: MqarSize,
    vocab: usize,
    random_non_queries: bool,
    /// The probability of each slot of the tail.
    slots: Vec<f64>,
}

impl Recipe {
    pub(super) fn new(config: &MqarConfig, size: MqarSize) -> Self {
        let slots = slot_probabilities((size.seq_len - 2 * size.n_pairs) / 2, config.power);
        Self { size, vocab: config.vocab, random_non_queries: config.random_non_queries, slots }
    }

    pub(super) fn batch(&self, examples: impl ExactSizeIterator<Item = Draws>) -> Batch {
        Batch::of_tokens(self.size.seq_len, examples.map(|mut draws| self.example(&mut draws)))
    }

    fn example(&self, draws: &mut Draws) -> (Vec<u32>, Vec<Option<u32>>) {
        let (MqarSize { seq_len, n_pairs }, half) = (self.size, self.vocab / 2);
        let mut distinct = |from: usize, to: usize| -> Vec<u32> {
            draws.distinct(n_pairs, to - from).into_iter().map(|number| (from + number) as u32).collect()
        };
        let (keys, values) = (distinct(1, half), distinct(half, self.vocab));
        let slots = successive_sample(&self.slots, n_pairs, draws);
        let mut tokens: Vec<u32> = keys.iter().zip(&values).flat_map(|(&key, &value)| [key, value]).collect();
        tokens.extend((2 * n_pairs..seq_len).map(|_| self.filler(draws)));
        let mut labels = vec![None; seq_len];
        for ((slot, key), value) in slots.into_iter().zip(keys).zip(values) {
            let position = 2 * n_pairs + 2 * slot;
            tokens[position] = key;
            labels[position] = Some(value);
        }
        (tokens, labels)
    }

    fn filler(&self, draws: &mut Draws) -> u32 {
        if self.random_non_queries { draws.below(self.vocab) as u32 } else { BLANK }
    }
}

/// Probabilities in proportion to g^(power - 1), g = 1 .. space.
fn slot_probabilities(space: usize, power: f64) -> Vec<f64> {
    let weights: Vec<f64> = (1..=space).map(|g| (g as f64).powf(power - 1.0)).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// `count` different slots, drawn one after the other, each among the remaining ones in proportion to its probability.
///
/// The slots with the largest u^(1/p) for uniform u are such a sample, in this order (Efraimidis and Spirakis 2006, "Weighted
/// random sampling with a reservoir"); their logarithms are compared, because the powers underflow.
fn successive_sample(probabilities: &[f64], count: usize, draws: &mut Draws) -> Vec<usize> {
    let key = |p: &f64| open_unit(draws).ln() / p;
    let keys: Vec<f64> = probabilities.iter().map(key).collect();
    let mut slots: Vec<usize> = (0..keys.len()).collect();
    slots.sort_by(|&a, &b| keys[b].total_cmp(&keys[a]));
    slots.truncate(count);
    slots
}

/// Uniform in (0, 1), with 53 bits: neither end, so that the logarithm is finite and not zero.
fn open_unit(draws: &mut Draws) -> f64 {
    ((draws.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stream;

    #[test]
    fn slots_have_the_published_probabilities() {
        let wanted = [0.2510553918, 0.1264008101, 0.0846095744, 0.0636399986];
        let got = slot_probabilities(28, 0.01);
        assert_eq!(got.len(), 28);
        for (got, wanted) in got.iter().zip(wanted) {
            assert!((got - wanted).abs() < 1e-10, "{got} for {wanted}"); // ten digits are given
        }
        assert!((got.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }

    /// The probability of every ordered pair without replacement is p_i p_j / (1 - p_i).
    #[test]
    fn slots_are_drawn_one_after_the_other_among_those_left() {
        const DRAWS: usize = 60_000;
        let p = [0.5, 0.3, 0.2];
        let mut counts = [[0_usize; 3]; 3];
        for i in 0..DRAWS {
            let slots = successive_sample(&p, 2, &mut Stream::new(0, "test").at(i as u64, 0));
            counts[slots[0]][slots[1]] += 1;
        }
        for (i, j) in (0..9).map(|k| (k / 3, k % 3)) {
            let wanted = if i == j { 0.0 } else { p[i] * p[j] / (1.0 - p[i]) };
            let got = counts[i][j] as f64 / DRAWS as f64;
            // Five standard errors of a share of one half.
            assert!((got - wanted).abs() < 0.01, "({i}, {j}): {got} for {wanted}");
        }
    }

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
