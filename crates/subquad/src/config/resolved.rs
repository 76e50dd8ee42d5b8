//! A run as the program uses it: typed, as flat text, by what names it, and as a config of its own.

use std::collections::BTreeMap;

use super::draft::Draft;
use super::keys::KEYS;
use super::{Key, Kind, RunConfig, Value, Word, schema};

/// One run of a study, complete.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedRun {
    /// The settings, typed.
    pub config: RunConfig,
    /// Every key of the run as text, and `mixer`, `seq_len` and `seed`. Words stand without quotes.
    pub settings: BTreeMap<String, String>,
    /// What the run takes from each axis beside mixer, seq_len and seed: key and value as the config has them, in
    /// the order of the axes. An axis of another mixer's key is left out.
    pub axes: Vec<(String, String)>,
    /// What changes the run's numbers, which names it: `mixer`, `seq_len`, `seed`, the task, the steps, and
    /// whatever differs from its default. "longest" and "d_model" count as the numbers they stand for, "n_heads" does not
    /// count.
    pub hash_pairs: BTreeMap<String, String>,
    values: BTreeMap<&'static str, Value>,
}

impl ResolvedRun {
    /// The draft of a config without mistakes.
    pub(super) fn new(draft: Draft) -> Self {
        let run = [
            ("mixer", Value::Text(draft.mixer.to_string())),
            ("seq_len", draft.seq_len.value),
            ("seed", draft.seed.value),
        ];
        let values: BTreeMap<_, _> =
            draft.settings.into_iter().map(|(name, set)| (name, set.value)).collect();
        let all: BTreeMap<_, _> = values.clone().into_iter().chain(run.clone()).collect();
        let naming = values.iter().filter(|(name, value)| names_the_run(name, value, &values));
        let axes = draft.choices.iter().map(|(key, set)| (key.name.to_owned(), set.value.to_string()));
        Self {
            config: typed(&values, &run),
            settings: texts(all.iter().map(|(name, value)| (*name, value))),
            axes: axes.collect(),
            hash_pairs: texts(
                naming.map(|(name, value)| (*name, value)).chain(run.iter().map(|(n, v)| (*n, v))),
            ),
            values,
        }
    }

    /// A complete config that expands to just this run: every knob written out, one-element axes.
    pub fn to_toml(&self) -> String {
        let own = schema::sections().into_iter().filter(|section| self.has(section));
        let sections: Vec<_> = own.map(|section| self.section_text(section)).collect();
        let RunConfig { seq_len, seed, .. } = self.config;
        let mixer = self.config.mixer_name();
        let sweep = format!("[sweep]\nmixer = [\"{mixer}\"]\nseq_len = [{seq_len}]\nseed = [{seed}]\n");
        format!("{}\n{sweep}", sections.join("\n"))
    }

    fn has(&self, section: &str) -> bool {
        schema::keys_in(section).any(|key| self.values.contains_key(key.name))
    }

    fn section_text(&self, section: &str) -> String {
        let line =
            |key: &Key| Some(format!("{} = {}\n", key.leaf(), self.values.get(key.name)?.to_toml_text()));
        format!("[{section}]\n{}", schema::keys_in(section).filter_map(line).collect::<String>())
    }
}

fn names_the_run(name: &str, value: &Value, values: &BTreeMap<&'static str, Value>) -> bool {
    let key = KEYS.iter().find(|key| key.name == name);
    key.is_some_and(|key| key.numeric && !is_default(key, value, values))
}

/// The numbers of "d_model" and "longest" have always been in names. "n_heads" came later, and leaves old names alone: its
/// number is a default.
fn is_default(key: &Key, value: &Value, values: &BTreeMap<&'static str, Value>) -> bool {
    match key.kind {
        Kind::IntegerOr { word: word @ Word::NHeads, .. } => {
            word.key().and_then(|name| values.get(name)) == Some(value)
        }
        _ => key.default.value().as_ref() == Some(value),
    }
}

fn texts<'a>(values: impl Iterator<Item = (&'a str, &'a Value)>) -> BTreeMap<String, String> {
    values.map(|(name, value)| (name.to_owned(), value.to_string())).collect()
}

fn typed(values: &BTreeMap<&'static str, Value>, run: &[(&str, Value)]) -> RunConfig {
    let mut table = toml::Table::new();
    values.iter().for_each(|(name, value)| insert(&mut table, name, value.to_toml()));
    // The mixer's name is the name of its section.
    let rest = run.iter().filter(|(name, _)| *name != "mixer");
    rest.for_each(|(name, value)| insert(&mut table, name, value.to_toml()));
    table.try_into().unwrap_or_else(|error| panic!("the schema and the settings' types differ: {error}"))
}

pub(super) fn insert(table: &mut toml::Table, name: &str, value: toml::Value) {
    let Some((section, rest)) = name.split_once('.') else {
        table.insert(name.to_owned(), value);
        return;
    };
    let inner = table.entry(section).or_insert_with(|| toml::Table::new().into());
    if let toml::Value::Table(inner) = inner {
        insert(inner, rest, value);
    }
}
