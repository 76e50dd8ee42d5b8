//! `mqar`: multi-query associative recall. Which value came with this key?
//!
//! ```text
//! context: key value key value ..   2 n_pairs tokens          tail: the keys again, anywhere, each to be answered with its value
//! slot g of the tail, g = 1 .. space = (seq_len - 2 n_pairs) / 2, is queried with probability proportional to g^(power - 1)
//! ```
//! Arora, Eyuboglu, Timalsina, Johnson, Poli, Zou, Rudra, Re 2023, "Zoology: Measuring and Improving Recall in Efficient
//! Language Models", <https://arxiv.org/abs/2312.04927>, section 4 and appendix; the recipe is that of their code.

mod recipe;

use std::ops::Bound::{Excluded, Included};
use std::ops::Range;

use subquad_options::range::Ends;
use subquad_options::{Options, Refusal, Share};

use crate::options::wrong_length;
use crate::rng::Examples;
use crate::{
    Batch, Condition, InputKind, Metric, TargetKind, Task, TaskError, TaskInfo, TaskOptions, TaskSpec,
};
use recipe::{Recipe, is_length};

pub use recipe::MqarSize;

/// The largest vocabulary. It must exceed the length, so no example is longer than this.
const MOST_TOKENS: usize = 1 << 20;
/// Allowed powers for the slots of queries.
const POWERS: Ends = (Excluded(0.0), Included(10.0));

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
/// use subquad_data::{Inputs, MqarConfig, Share, Targets, TaskOptions};
/// let config = MqarConfig { vocab: 10, n_pairs: Share::Count(2), ..MqarConfig::default() };
/// let example = config.open(8, 0)?.test_batch(0, 0..1);
/// assert_eq!(example.inputs, Inputs::Tokens(vec![4, 9, 1, 8, 1, 0, 4, 0]));
/// assert_eq!(example.targets, Targets::Tokens(vec![None, None, None, None, Some(8), None, Some(9), None]));
/// # Ok::<(), subquad_data::TaskError>(())
/// ```
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
    fn size(&self, seq_len: usize) -> MqarSize {
        MqarSize { seq_len, n_pairs: self.n_pairs.at(seq_len) }
    }

    /// The test condition of a size; it has a name unless the training examples have that size.
    fn condition(&self, size: MqarSize, of_training: MqarSize) -> Condition {
        let MqarSize { seq_len, n_pairs } = size;
        Condition {
            name: if size == of_training { String::new() } else { size.to_string() },
            seq_len,
            variant: format!("{n_pairs} pair{}", if n_pairs == 1 { "" } else { "s" }),
            examples: self.test_examples,
        }
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
    fn info() -> &'static TaskInfo {
        &TaskInfo {
            name: "mqar",
            summary: "recall the values of keys seen before (multi-query associative recall)",
            lengths: "even, at least 4 tokens per pair",
            data: "generated",
            caption: "Multi-query associative recall: accuracy is the share of queries answered right.",
            metric: Metric::Accuracy,
        }
    }

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
        self.check(seq_len)?;
        let own = self.size(seq_len);
        let others = self.test_conditions.iter().copied().filter(|&size| size != own);
        let tests: Vec<_> = std::iter::once(own).chain(others).map(|size| Recipe::new(self, size)).collect();
        let examples = Examples::new(Self::info().name, seed, self.train_examples);
        let spec = TaskSpec {
            train_len: examples.train_len(),
            conditions: tests.iter().map(|test| self.condition(test.size, own)).collect(),
            ..self.spec(seq_len, self.test_examples)
        };
        Ok(Box::new(Mqar { spec, tests, examples }))
    }
}

fn odd_length(seq_len: usize) -> Option<Refusal> {
    let nearest = || match seq_len {
        0..4 => "4".to_owned(),
        _ => format!("{} or {}", seq_len - 1, seq_len.saturating_add(1)),
    };
    let rule = "tokens come in twos, and a key-value pair with its query takes 4";
    (!is_length(seq_len)).then(|| wrong_length(rule, nearest()))
}

struct Mqar {
    spec: TaskSpec,
    /// The recipes of the test conditions; the first is that of training.
    tests: Vec<Recipe>,
    examples: Examples,
}

impl Task for Mqar {
    fn spec(&self) -> &TaskSpec {
        &self.spec
    }

    fn train_batch(&self, step: usize, batch: usize) -> Batch {
        self.tests[0].batch(self.examples.train(step, batch))
    }

    fn validation_batch(&self, range: Range<usize>) -> Batch {
        self.spec.assert_validates(&range);
        self.tests[0].batch(self.examples.validation(range))
    }

    fn test_batch(&self, condition: usize, range: Range<usize>) -> Batch {
        self.spec.assert_has(condition, &range);
        let recipe = &self.tests[condition];
        let place = (recipe.size.seq_len as u64) << 32 | recipe.size.n_pairs as u64;
        recipe.batch(self.examples.test_at(range, place))
    }
}
