//! A run as the program uses it: its values, its name, and a config of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use subquad_options::{Kind, Value};

use crate::combination::{Combination, share_of};
use crate::text::config_text;
use crate::value::Setting;
use crate::{Key, Schema};

/// One run of a study, complete.
#[derive(Debug, Clone)]
pub struct Run {
    schema: &'static Schema,
    /// Its subject: a word, or a pattern of words.
    pub subject: Arc<str>,
    /// Its size.
    pub size: usize,
    /// Its seed.
    pub seed: u64,
    /// The largest size of its config.
    pub largest: usize,
    /// Every key with its value; words and shares are the numbers they stand for. Runs that differ only in their seed
    /// share them.
    values: Arc<BTreeMap<&'static str, Value>>,
    /// The shares of the size whose numbers are in `values`.
    shares: Arc<BTreeMap<&'static str, Value>>,
    /// What the run takes from each axis besides those that every sweep has: key and value as the config has them, in
    /// the order of the axes. An axis of another subject's key is left out.
    pub axes: Arc<Vec<(String, String)>>,
    /// What changes the run's numbers, and so gives it its name: subject, size, seed, what the config must set, and
    /// whatever differs from its default. Words for the largest size and for a key that every run has count as their
    /// numbers; a word for a key of the same section does not count.
    pub hash_pairs: BTreeMap<String, String>,
}

impl Run {
    /// The runs of a combination without mistakes, one per seed.
    pub(crate) fn of_seeds<'a>(
        combination: &Combination<'_>,
        seeds: &'a [Setting],
    ) -> impl Iterator<Item = Self> + use<'a> {
        let first = Self::without_seed(combination);
        seeds.iter().map(move |seed| first.with_seed(&seed.value))
    }

    pub(crate) fn without_seed(combination: &Combination<'_>) -> Self {
        let Combination { schema, subject, settings, choices, largest, .. } = combination;
        let axes = schema.axes().expect("a run is one of a sweep");
        let naming =
            settings.iter().filter(|(name, setting)| names_the_run(name, &setting.value, combination));
        let mut hash_pairs: BTreeMap<String, String> =
            naming.map(|(name, setting)| ((*name).to_owned(), setting.value.to_string())).collect();
        hash_pairs.insert(axes.subject.name.to_owned(), subject.to_string());
        hash_pairs.insert(axes.size.name.to_owned(), combination.size.value.to_string());
        let shares = combination.words.iter().filter(|(name, setting)| {
            schema.find(name).is_some_and(|key| share_of(key, &setting.value, combination.size()).is_some())
        });
        let values = settings.iter().map(|(name, setting)| (*name, setting.value.clone()));
        let chosen = choices.iter().map(|(key, set)| (key.name.to_owned(), set.value.to_string()));
        Self {
            schema,
            subject: subject.clone(),
            size: combination.size(),
            seed: 0,
            largest: *largest,
            values: Arc::new(values.collect()),
            shares: Arc::new(shares.map(|(name, setting)| (*name, setting.value.clone())).collect()),
            axes: Arc::new(chosen.collect()),
            hash_pairs,
        }
    }

    fn with_seed(&self, seed: &Value) -> Self {
        let mut run = self.clone();
        run.seed = seed.as_integer().and_then(|seed| seed.try_into().ok()).expect("seeds are >= 0");
        let name = self.schema.axes().map_or("seed", |axes| axes.seed.name);
        run.hash_pairs.insert(name.to_owned(), seed.to_string());
        run
    }

    /// The value of a key; `None` if the run does not have it.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.values.get(key)
    }

    /// The value of a key in a run of another size: a share of the size is another number there.
    pub fn value_at(&self, key: &str, size: usize) -> Option<Value> {
        let share = self.shares.get(key).and_then(|share| share_of(self.schema.find(key)?, share, size));
        share.or_else(|| self.value(key).cloned())
    }

    /// The keys that may hold a share of the size and differ from their default, with a share or a number as the config has it.
    pub fn shares(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        let may_hold_one = |key: &&Key| matches!(key.kind, Kind::Share { .. });
        let written = |key: &'static Key| {
            let written = self.shares.get(key.name).or(self.values.get(key.name))?;
            (key.default.as_ref() != Some(written)).then_some((key.name, written))
        };
        self.schema.keys().iter().filter(may_hold_one).filter_map(written)
    }

    /// The values of the keys of a section, by their last part.
    pub fn section<'s>(&'s self, section: &'s str) -> impl Fn(&str) -> Option<Value> + 's {
        move |leaf| self.value(&format!("{section}.{leaf}")).cloned()
    }

    /// Every key of the run as text, and subject, size and seed. Words have no quotes.
    pub fn settings(&self) -> BTreeMap<String, String> {
        let keys = self.values.iter().map(|(name, value)| ((*name).to_owned(), value.to_string()));
        let axes = self.own_axes().map(|(name, value)| (name.to_owned(), value.to_string()));
        keys.chain(axes).collect()
    }

    fn own_axes(&self) -> [(&'static str, Value); 3] {
        let axes = self.schema.axes().expect("a run is one of a sweep");
        let number = |number: u64| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        [
            (axes.subject.name, Value::from(&*self.subject)),
            (axes.size.name, number(self.size as u64)),
            (axes.seed.name, number(self.seed)),
        ]
    }

    /// A complete config that expands to just this run: every key written out, one value per axis. Shares of the size stay shares.
    pub fn to_toml(&self) -> String {
        let keys =
            self.schema.to_toml(|key| self.shares.get(key.name).or(self.values.get(key.name)).cloned());
        let axes = self.own_axes().into_iter().map(|(name, value)| (name, Value::List(vec![value])));
        let axes: BTreeMap<&str, Value> = axes.collect();
        let sweep = [("sweep", self.schema.axis_keys().iter().collect())];
        format!("{keys}\n{}", config_text(sweep, |key| axes.get(key.leaf()).cloned()))
    }
}

/// Runs are equal if everything that can be asked of them is.
impl PartialEq for Run {
    fn eq(&self, other: &Self) -> bool {
        let of = |run: &Self| (run.subject.clone(), run.size, run.seed, run.largest);
        of(self) == of(other)
            && (&self.values, &self.axes, &self.hash_pairs) == (&other.values, &other.axes, &other.hash_pairs)
    }
}

fn names_the_run(name: &str, value: &Value, combination: &Combination<'_>) -> bool {
    combination.schema.find(name).is_some_and(|key| key.numeric && !is_default(key, value, combination))
}

fn is_default(key: &Key, value: &Value, combination: &Combination<'_>) -> bool {
    let sibling = key.word().and_then(|word| combination.schema.key_of_word(key, word));
    match sibling.filter(|sibling| sibling.section() == key.section()) {
        Some(sibling) => combination.value(sibling.name) == Some(value),
        None => key.before.as_ref().or(key.default.as_ref()) == Some(value),
    }
}
