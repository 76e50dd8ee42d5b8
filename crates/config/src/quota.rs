//! How many runs one command may plan, and the error if a config asks for more.

use subquad_options::number::grouped;

use crate::{ConfigError, Origin, Problem};

/// The most runs that one command plans, over all its configs together; it also limits measurements of layers.
///
/// This many took 17 seconds and a gigabyte to plan, and nobody trains more.
pub const MOST_RUNS: usize = 200_000;

/// What the configs of a command have planned, and so what is left for the next config.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quota {
    taken: usize,
}

/// The length of a list that multiplies what a config asks for.
pub(crate) struct Length<'a> {
    /// The list's name, such as `optim.lr`.
    pub(crate) name: &'a str,
    /// How many values it has.
    pub(crate) len: usize,
    pub(crate) origin: &'a Origin,
}

impl Quota {
    /// Subtracts this many runs.
    pub fn take(&mut self, runs: usize) {
        self.taken += runs;
    }

    /// Whether `count` of `what` are left; `None` stands for more than fits into 128 bits. The longest of the lists is blamed.
    pub(crate) fn check(
        self,
        count: Option<u128>,
        what: &'static str,
        lists: &[Length<'_>],
    ) -> Result<(), ConfigError> {
        let left = (MOST_RUNS - self.taken.min(MOST_RUNS)) as u128;
        match (count, lists.iter().max_by_key(|list| list.len)) {
            (Some(count), _) if count <= left => Ok(()),
            (_, None) => Ok(()),
            (_, Some(longest)) => {
                Err(ConfigError::new(longest.origin.clone(), self.too_many(count, what, lists)))
            }
        }
    }

    fn too_many(self, count: Option<u128>, what: &'static str, lists: &[Length<'_>]) -> Problem {
        let before = match self.taken {
            0 => String::new(),
            taken => format!(", and the configs before this one have {}", grouped(taken as u128)),
        };
        Problem::TooMany {
            what,
            count: count.map_or_else(|| "more than 10^38".to_owned(), grouped),
            lists: sizes(count, lists),
            most: grouped(MOST_RUNS as u128),
            before,
        }
    }
}

/// `seed 13 x optim.lr 13`; with commas if some lists do not multiply everything.
fn sizes(count: Option<u128>, lists: &[Length<'_>]) -> String {
    let product = lists.iter().try_fold(1_u128, |product, list| product.checked_mul(list.len as u128));
    let long = lists.iter().filter(|list| list.len > 1);
    let words: Vec<String> =
        long.map(|list| format!("{} {}", list.name, grouped(list.len as u128))).collect();
    match words.is_empty() {
        true => "every list has one value".to_owned(),
        false => words.join(if product == count { " x " } else { ", " }),
    }
}
