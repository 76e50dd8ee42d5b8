//! A run as the program uses it: typed, as flat text, by what names it, and as a config of its own.

use std::collections::BTreeMap;

use super::draft::Draft;
use super::keys::KEYS;
use super::layer::Setting;
use super::{Key, Kind, RunConfig, Value, Word, schema};

/// The keys of a run, words and shares as the numbers they stand for.
type Values = BTreeMap<&'static str, Value>;

/// One run of a study, complete.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedRun {
    /// The settings, typed.
    pub config: RunConfig,
    /// What the run takes from each axis beside mixer, seq_len and seed: key and value as the config has them, in
    /// the order of the axes. An axis of another mixer's key is left out.
    pub axes: Vec<(String, String)>,
    /// What changes the run's numbers, which names it: `mixer`, `seq_len`, `seed`, the task, the steps, and
    /// whatever differs from its default. "longest" and "d_model" count as the numbers they stand for, "n_heads" does not
    /// count.
    pub hash_pairs: BTreeMap<String, String>,
}

impl ResolvedRun {
    /// The runs of a draft without mistakes, one a seed.
    pub(super) fn of_seeds<'a>(draft: &Draft<'_>, seeds: &'a [Setting]) -> impl Iterator<Item = Self> + use<'a> {
        let values: Values =
            draft.settings.iter().map(|(name, setting)| (*name, setting.value.clone())).collect();
        let run = [("mixer", Value::Text(draft.mixer.to_string())), ("seq_len", draft.seq_len.value.clone())];
        let naming = KEYS.iter().filter_map(|key| Some((key, values.get(key.name)?)));
        let naming = naming.filter(|(key, value)| key.numeric && !is_default(key, value, &values));
        let naming = naming.map(|(key, value)| (key.name, value));
        let axes = draft.choices.iter().map(|(key, set)| (key.name.to_owned(), set.value.to_string()));
        let (axes, first) = (axes.collect(), &seeds[0].value);
        let first = Self {
            config: typed(&values, draft.seq_len.value.to_toml(), first.to_toml()),
            axes,
            hash_pairs: texts(naming.chain(run.iter().map(|(name, value)| (*name, value)))),
        };
        seeds.iter().map(move |seed| first.with_seed(seed))
    }

    fn with_seed(&self, seed: &Setting) -> Self {
        let mut run = self.clone();
        run.config.seed = seed.value.as_integer().and_then(|seed| seed.try_into().ok()).expect("seeds are >= 0");
        run.hash_pairs.insert("seed".to_owned(), seed.value.to_string());
        run
    }

    /// Every key of the run as text, and `mixer`, `seq_len` and `seed`. Words stand without quotes.
    pub fn settings(&self) -> BTreeMap<String, String> {
        let values = self.values();
        let mut settings = texts(values.iter().map(|(name, value)| (*name, value)));
        let RunConfig { seq_len, seed, .. } = self.config;
        let run = [("mixer", self.config.mixer_name().to_string()), ("seq_len", seq_len.to_string())];
        settings.extend(run.into_iter().chain([("seed", seed.to_string())]).map(|(k, v)| (k.to_owned(), v)));
        settings
    }

    /// The keys of the run, from its typed settings: they are not kept a second time, because a study may have very many runs.
    fn values(&self) -> Values {
        let table = toml::Table::try_from(&self.config).expect("settings are what TOML can hold");
        let value = |key: &Key| {
            let mut names = key.name.split('.');
            let first = table.get(names.next()?)?;
            Value::of_toml(names.try_fold(first, |table, name| table.get(name))?)
        };
        KEYS.iter().filter_map(|key| Some((key.name, value(key)?))).collect()
    }

    /// A complete config that expands to just this run: every knob written out, one-element axes.
    pub fn to_toml(&self) -> String {
        let values = self.values();
        let sections = schema::sections().into_iter().map(|section| section_text(section, &values));
        let sections: Vec<String> = sections.flatten().collect();
        let RunConfig { seq_len, seed, .. } = self.config;
        let mixer = self.config.mixer_name();
        let sweep = format!("[sweep]\nmixer = [\"{mixer}\"]\nseq_len = [{seq_len}]\nseed = [{seed}]\n");
        format!("{}\n{sweep}", sections.join("\n"))
    }
}

/// A section of a config; `None` if the run has none of its keys.
fn section_text(section: &str, values: &Values) -> Option<String> {
    let line = |key: &Key| Some(format!("{} = {}\n", key.leaf(), values.get(key.name)?.to_toml_text()));
    let lines: String = schema::keys_in(section).filter_map(line).collect();
    (!lines.is_empty()).then(|| format!("[{section}]\n{lines}"))
}

/// The numbers of "d_model" and "longest" have always been in names. "n_heads" came later, and leaves old names alone: its
/// number is a default.
fn is_default(key: &Key, value: &Value, values: &Values) -> bool {
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

fn typed(values: &Values, seq_len: toml::Value, seed: toml::Value) -> RunConfig {
    let mut table = toml::Table::new();
    values.iter().for_each(|(name, value)| insert(&mut table, name, value.to_toml()));
    // The mixer's name is the name of its section.
    [("seq_len", seq_len), ("seed", seed)].into_iter().for_each(|(name, value)| insert(&mut table, name, value));
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
