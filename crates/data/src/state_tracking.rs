//! `state_tracking`: the running product of elements of a group.

use serde::{Deserialize, Serialize};
use subquad_options::{Choice, Options, Refusal};

use crate::drawn::{Draw, DrawnOptions, ExampleOptions, Purpose, TokenExample};
use crate::options::wrong_length;
use crate::{Draws, Metric, TaskInfo};

/// A group with 60 elements. They differ in what computes their running products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Choice)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// The alternating group of five things: their even permutations. It is not solvable, and its running products are complete for NC1: no fixed number of
    /// layers of a constant-depth threshold circuit has them at all lengths.
    #[default]
    A5,
    /// The even permutations of four things, with a number modulo 5: solvable, but not commutative.
    A4Z5,
    /// Numbers modulo 60: commutative, so that counting is enough.
    Z60,
}

/// The number of elements of each group.
const ELEMENTS: usize = 60;

/// Elements of a group, one a token, with the product of all so far as the label of every token.
///
/// - Input: uniform elements, numbered 0 to 59. Permutations are numbered in lexicographic order of their images; with a number modulo 5 as the last digit.
/// - Label: at every token, the product x_1 x_2 .. x_t, where the left factor acts first.
/// - Score: accuracy over all tokens. Guessing scores 1 / 60; the first token is its own answer, so that a model without memory scores 1 / seq_len more. A running
///   product scores 1.
///
/// Liu, Ash, Goel, Krishnamurthy, Zhang 2023, "Transformers learn shortcuts to automata", <https://arxiv.org/abs/2210.10749>; Merrill, Petty, Sabharwal 2024, "The illusion of state in
/// state-space models", <https://arxiv.org/abs/2404.08819>, section 5, which has these groups.
///
/// One example by hand: the first test example of four numbers modulo 60, and their running sums.
/// ```text
/// inputs:   33 49 35 27
/// targets:  33 22 57 24
/// ```
/// ```
/// use subquad_data::{Group, Inputs, StateTrackingConfig, Targets, TaskOptions};
/// let config = StateTrackingConfig { group: Group::Z60, ..StateTrackingConfig::default() };
/// let example = config.open(4, 0)?.test_batch(0, 0..1);
/// assert_eq!(example.inputs, Inputs::Tokens(vec![33, 49, 35, 27]));
/// assert_eq!(example.targets, Targets::Tokens(vec![Some(33), Some(22), Some(57), Some(24)]));
/// # Ok::<(), subquad_data::TaskError>(())
/// ```
#[derive(Options, Clone, Debug, PartialEq)]
pub struct StateTrackingConfig {
    /// The group: even permutations of five things, of four things with a number modulo 5, or numbers modulo 60. Each has 60 elements.
    #[config(default = "Group::A5")]
    pub group: Group,
    /// How many examples there are, and at which lengths it is tested.
    #[option(flatten)]
    pub examples: ExampleOptions,
}

impl DrawnOptions for StateTrackingConfig {
    const INFO: TaskInfo = TaskInfo {
        name: "state_tracking",
        summary: "keep the running product of elements of a group, such as permutations of five things",
        lengths: "any",
        data: "generated",
        caption: "State tracking: accuracy over all tokens, each of which asks for the product of all elements so far. Guessing scores 1/60.",
        metric: Metric::Accuracy,
    };

    fn examples(&self) -> &ExampleOptions {
        &self.examples
    }

    fn vocab(&self) -> usize {
        ELEMENTS
    }

    fn wrong_length(&self, seq_len: usize) -> Option<Refusal> {
        (seq_len == 0).then(|| wrong_length("a product has a factor", 1))
    }

    fn drawing(&self) -> Box<dyn Draw> {
        Box::new(Products(self.group.table()))
    }
}

impl Group {
    /// `table[a][b]` is the number of the product of elements a and b, of which a acts first.
    pub fn table(self) -> Vec<Vec<u32>> {
        let with_number = |(a, b): (usize, usize)| (a % 5 + b % 5) % 5;
        let all = |product: &dyn Fn(usize, usize) -> usize| -> Vec<Vec<u32>> {
            (0..ELEMENTS).map(|a| (0..ELEMENTS).map(|b| product(a, b) as u32).collect()).collect()
        };
        match self {
            Self::A5 => {
                let elements = even_permutations(5);
                all(&|a, b| number_of(&elements, &elements[a], &elements[b]))
            }
            Self::A4Z5 => {
                let elements = even_permutations(4);
                all(&|a, b| {
                    5 * number_of(&elements, &elements[a / 5], &elements[b / 5]) + with_number((a, b))
                })
            }
            Self::Z60 => all(&|a, b| (a + b) % ELEMENTS),
        }
    }
}

/// In lexicographic order of their images.
fn even_permutations(things: usize) -> Vec<Vec<usize>> {
    let longer = |all: Vec<Vec<usize>>, _| {
        let with = |start: Vec<usize>| {
            let others: Vec<usize> = (0..things).filter(|thing| !start.contains(thing)).collect();
            others.into_iter().map(move |thing| [start.clone(), vec![thing]].concat())
        };
        all.into_iter().flat_map(with).collect()
    };
    let all: Vec<Vec<usize>> = (0..things).fold(vec![vec![]], longer);
    all.into_iter().filter(|images| inversions(images).is_multiple_of(2)).collect()
}

fn inversions(images: &[usize]) -> usize {
    let pairs = (0..images.len()).flat_map(|later| (0..later).map(move |earlier| (earlier, later)));
    pairs.filter(|(earlier, later)| images[*earlier] > images[*later]).count()
}

/// The number of the permutation that takes i to second[first[i]].
fn number_of(elements: &[Vec<usize>], first: &[usize], second: &[usize]) -> usize {
    let product: Vec<usize> = first.iter().map(|image| second[*image]).collect();
    elements.binary_search(&product).expect("the product of even permutations is one")
}

struct Products(Vec<Vec<u32>>);

impl Draw for Products {
    fn example(&self, draws: &mut Draws, seq_len: usize, _: Purpose) -> TokenExample {
        let tokens: Vec<u32> = (0..seq_len).map(|_| draws.below(ELEMENTS) as u32).collect();
        let products = tokens.iter().scan(None, |so_far: &mut Option<u32>, factor| {
            let product = so_far.map_or(*factor, |so_far| self.0[so_far as usize][*factor as usize]);
            *so_far = Some(product);
            Some(*so_far)
        });
        let labels = products.collect();
        (tokens, labels)
    }
}
