//! `associative_recall`: which value does this key have?

use std::collections::BTreeSet;

use subquad_options::{Options, Refusal};

use crate::drawn::{Draw, DrawnOptions, ExampleOptions, Purpose, TokenExample};
use crate::options::wrong_length;
use crate::{Draws, Metric, TaskInfo};

/// Keys with their values, then a mark and one of the keys, to be answered with its value.
///
/// - Of `vocab` tokens, the last two are marks: `vocab - 2` asks, and `vocab - 1` is not used, as published. The first half of the others are keys, the
///   second half values.
/// - Every example draws a value for every key. Then come (seq_len - 2) / 2 pairs of a key, which may come again, and its value; then the mark; then one of
///   the keys that were shown.
/// - Label: in training the next token at every position, and the answer at the last one, as published; in validation and tests only the answer.
/// - Score: accuracy at the last token. Guessing among all values scores 1 / (number of keys); a model that counts how often each value was shown
///   scores more. Looking up the key scores 1.
/// - Published: vocabulary 20, with 40 tokens of pairs (seq_len = 42 here), 5,000 fixed training examples, 500 test examples.
///
/// Fu, Dao, Saab, Thomas, Rudra, Ré 2023, "Hungry Hungry Hippos", <https://arxiv.org/abs/2212.14052>, section 3; the recipe is that of their code.
///
/// One example by hand: the first test example with eight tokens in the vocabulary, keys 0 to 2, values 3 to 5.
/// ```text
///           k v k v | ask k
/// inputs:   2 5 1 5 |  6  2
/// targets:  . . . . |  .  5
/// ```
/// ```
/// use subquad_data::{AssociativeRecallConfig, Inputs, Targets, TaskOptions};
/// let config = AssociativeRecallConfig { vocab: 8, ..AssociativeRecallConfig::default() };
/// let example = config.open(6, 0)?.test_batch(0, 0..1);
/// assert_eq!(example.inputs, Inputs::Tokens(vec![2, 5, 1, 5, 6, 2]));
/// assert_eq!(example.targets, Targets::Tokens(vec![None, None, None, None, None, Some(5)]));
/// # Ok::<(), subquad_data::TaskError>(())
/// ```
#[derive(Options, Clone, Debug, PartialEq)]
pub struct AssociativeRecallConfig {
    /// Size of the vocabulary, even: two marks, and as many keys as values.
    #[config(default = 20)]
    #[option(range = 4..=1 << 20)]
    pub vocab: usize,
    /// How many examples there are, and at which lengths it is tested.
    #[option(flatten)]
    pub examples: ExampleOptions,
}

impl DrawnOptions for AssociativeRecallConfig {
    const INFO: TaskInfo = TaskInfo {
        name: "associative_recall",
        summary: "recall the value of one key at the end",
        lengths: "even, at least 4",
        data: "generated",
        caption: "Associative recall: accuracy at the last token, which asks for the value of one key.",
        metric: Metric::Accuracy,
    };

    fn examples(&self) -> &ExampleOptions {
        &self.examples
    }

    fn vocab(&self) -> usize {
        self.vocab
    }

    fn conflicts(&self) -> Vec<Refusal> {
        let odd = Refusal::when(!self.vocab.is_multiple_of(2), &["vocab"], || {
            format!("vocab = {} must be even: two marks, and as many keys as values", self.vocab)
        });
        odd.into_iter().collect()
    }

    fn wrong_length(&self, seq_len: usize) -> Option<Refusal> {
        let nearest = if seq_len < 4 { 4 } else { seq_len - 1 };
        let is_wrong = seq_len < 4 || !seq_len.is_multiple_of(2);
        is_wrong.then(|| wrong_length("pairs of a key and its value, then a mark and a key", nearest))
    }

    fn drawing(&self) -> Box<dyn Draw> {
        Box::new(Pairs { keys: (self.vocab - 2) / 2 })
    }
}

/// One of the keys that were shown, each with the same probability however often it was.
fn asked(shown: &[usize], draws: &mut Draws) -> usize {
    let different: BTreeSet<usize> = shown.iter().copied().collect();
    let different: Vec<usize> = different.into_iter().collect();
    different[draws.below(different.len())]
}

struct Pairs {
    keys: usize,
}

impl Draw for Pairs {
    fn example(&self, draws: &mut Draws, seq_len: usize, purpose: Purpose) -> TokenExample {
        let (keys, ask) = (self.keys, 2 * self.keys as u32);
        let values: Vec<u32> = (0..keys).map(|_| (keys + draws.below(keys)) as u32).collect();
        let shown: Vec<usize> = (0..seq_len / 2 - 1).map(|_| draws.below(keys)).collect();
        let asked = asked(&shown, draws);
        let pairs = shown.iter().flat_map(|&key| [key as u32, values[key]]);
        let tokens: Vec<u32> = pairs.chain([ask, asked as u32]).collect();
        let next = |place: usize| tokens.get(place + 1).copied().unwrap_or(values[asked]);
        let has_label = |place: usize| purpose == Purpose::Training || place + 1 == seq_len;
        let labels = (0..seq_len).map(|place| has_label(place).then(|| next(place))).collect();
        (tokens, labels)
    }
}
