//! `mqar`: multi-query associative recall. Which value came with this key?
//!
//! ```text
//! context: key value key value ..   2 n_pairs tokens          tail: the keys again, anywhere, each to be answered with its value
//! slot g of the tail, g = 1 .. space = (seq_len - 2 n_pairs) / 2, is queried with probability proportional to g^(power - 1)
//! ```
//! Arora, Eyuboglu, Timalsina, Johnson, Poli, Zou, Rudra, Re 2023, "Zoology: Measuring and Improving Recall in Efficient
//! Language Models", <https://arxiv.org/abs/2312.04927>, section 4 and appendix; the recipe is that of their code.

mod config;

use std::ops::Range;

use crate::epochs::Epochs;
use crate::{
    Batch, Condition, Draws, InputKind, Inputs, Stream, TargetKind, Targets, Task, TaskError, TaskOptions,
};

pub use config::{MqarConfig, MqarSize};

/// Test examples are part of the task: they are the same for every seed of a run.
const TEST_SEED: u64 = 0;
/// The token at positions without a query.
const BLANK: u32 = 0;

/// Pairs of a key and a value, then every key once again, to be answered with its value.
///
/// - Keys are distinct, from `1 .. vocab / 2`; values are distinct, from `vocab / 2 .. vocab`. Both are new in each example.
/// - The label is at the query itself, and the value is not shown after it. All other positions have no label.
/// - Score: the share of queries that are answered right. All examples have equally many queries. Guessing among the
///   values shown gives `1 / n_pairs`.
/// - Test: the same examples for every seed, and for every run that tests at this length with as many pairs.
///
/// One example by hand: the first test example with 10 tokens in the vocabulary and two pairs. `.` has no label.
/// ```text
///           k v k v | q   q .
/// inputs:   4 9 1 8 | 1 0 4 0
/// targets:  . . . . | 8 . 9 .
/// ```
/// ```
/// use subquad_data::{Inputs, Mqar, MqarConfig, Share, Targets, Task};
/// let config = MqarConfig { vocab: 10, n_pairs: Share::Count(2), ..MqarConfig::default() };
/// let example = Mqar::new(&config, 8, 0)?.test_batch(0, 0..1);
/// assert_eq!(example.inputs, Inputs::Tokens(vec![4, 9, 1, 8, 1, 0, 4, 0]));
/// assert_eq!(example.targets, Targets::Tokens(vec![None, None, None, None, Some(8), None, Some(9), None]));
/// # Ok::<(), subquad_data::TaskError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mqar {
    config: MqarConfig,
    training: Recipe,
    /// The recipes of the test conditions, that of training first.
    tests: Vec<Recipe>,
    examples: Stream,
    epochs: Option<Epochs>,
}

impl Mqar {
    /// The task with training examples of `seq_len` tokens; `seed` draws them.
    ///
    /// # Errors
    /// As [`check`](TaskOptions::check).
    pub fn new(config: &MqarConfig, seq_len: usize, seed: u64) -> Result<Self, TaskError> {
        config.check(seq_len)?;
        let own = config.size(seq_len);
        let others = config.test_conditions.iter().copied().filter(|&size| size != own);
        let tests: Vec<_> =
            std::iter::once(own).chain(others).map(|size| Recipe::new(config, size)).collect();
        let order = Stream::new(seed, "mqar/shuffle");
        Ok(Self {
            config: config.clone(),
            training: tests[0].clone(),
            tests,
            examples: Stream::new(seed, "mqar/train"),
            epochs: (config.train_examples > 0).then(|| Epochs::new(order, config.train_examples)),
        })
    }
}

impl Task for Mqar {
    fn name(&self) -> &'static str {
        MqarConfig::INFO.name
    }

    fn seq_len(&self) -> usize {
        self.training.size.seq_len
    }

    fn input(&self) -> InputKind {
        InputKind::Tokens { vocab: self.config.vocab }
    }

    fn target(&self) -> TargetKind {
        TargetKind::Tokens { classes: self.config.vocab }
    }

    fn train_len(&self) -> Option<usize> {
        self.epochs.is_some().then_some(self.config.train_examples)
    }

    fn train_batch(&self, step: usize, batch: usize) -> Batch {
        let indices = match &self.epochs {
            Some(epochs) => epochs.batch(step, batch),
            None => (step * batch..(step + 1) * batch).collect(),
        };
        self.training.batch(indices.into_iter().map(|index| self.examples.at(index as u64, 0)))
    }

    fn conditions(&self) -> Vec<Condition> {
        let of_training = |index: usize| index == 0;
        let condition = |(index, Recipe { size, .. }): (usize, &Recipe)| Condition {
            name: if of_training(index) { String::new() } else { size.to_string() },
            seq_len: size.seq_len,
            variant: format!("{} pair{}", size.n_pairs, if size.n_pairs == 1 { "" } else { "s" }),
            examples: self.config.test_examples,
        };
        self.tests.iter().enumerate().map(condition).collect()
    }

    fn test_batch(&self, condition: usize, range: Range<usize>) -> Batch {
        assert!(
            range.end <= self.config.test_examples,
            "{range:?} of {} examples",
            self.config.test_examples
        );
        let (recipe, stream) = (&self.tests[condition], Stream::new(TEST_SEED, "mqar/test"));
        let place = (recipe.size.seq_len as u64) << 32 | recipe.size.n_pairs as u64;
        recipe.batch(range.map(|example| stream.at(example as u64, place)))
    }
}

/// How examples of one size are made.
#[derive(Clone, Debug)]
struct Recipe {
    size: MqarSize,
    vocab: usize,
    random_non_queries: bool,
    /// The probability of each slot of the tail.
    slots: Vec<f64>,
}

impl Recipe {
    fn new(config: &MqarConfig, size: MqarSize) -> Self {
        let slots = slot_probabilities((size.seq_len - 2 * size.n_pairs) / 2, config.power);
        Self { size, vocab: config.vocab, random_non_queries: config.random_non_queries, slots }
    }

    fn batch(&self, examples: impl ExactSizeIterator<Item = Draws>) -> Batch {
        let (batch, mut inputs, mut targets) = (examples.len(), Vec::new(), Vec::new());
        for mut draws in examples {
            let (tokens, labels) = self.example(&mut draws);
            inputs.extend(tokens);
            targets.extend(labels);
        }
        Batch {
            batch,
            seq_len: self.size.seq_len,
            inputs: Inputs::Tokens(inputs),
            targets: Targets::Tokens(targets),
        }
    }

    fn example(&self, draws: &mut Draws) -> (Vec<u32>, Vec<Option<u32>>) {
        let (MqarSize { seq_len, n_pairs }, half) = (self.size, self.vocab / 2);
        let keys: Vec<u32> = distinct(1, half, n_pairs, draws);
        let values: Vec<u32> = distinct(half, self.vocab, n_pairs, draws);
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

/// `count` different numbers of `from..to`, in random order (the start of a Fisher-Yates shuffle).
fn distinct(from: usize, to: usize, count: usize, draws: &mut Draws) -> Vec<u32> {
    let mut all: Vec<u32> = (from as u32..to as u32).collect();
    for i in 0..count {
        let other = i + draws.below(all.len() - i);
        all.swap(i, other);
    }
    all.truncate(count);
    all
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
    fn distinct_numbers_are_distinct_and_reach_both_ends() {
        let mut seen = std::collections::BTreeSet::new();
        for i in 0..200 {
            let numbers = distinct(3, 8, 4, &mut Stream::new(0, "test").at(i, 0));
            let set: std::collections::BTreeSet<u32> = numbers.iter().copied().collect();
            assert_eq!(set.len(), 4);
            seen.extend(set);
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [3, 4, 5, 6, 7]);
    }
}
