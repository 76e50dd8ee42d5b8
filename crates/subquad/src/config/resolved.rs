//! A run as the program uses it: typed, as flat text, by what names it, and as a config of its own.

use std::collections::BTreeMap;

use super::draft::Draft;
use super::keys::KEYS;
use super::layer::Setting;
use super::typed::typed;
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
    pub(super) fn of_seeds<'a>(
        draft: &Draft<'_>,
        seeds: &'a [Setting],
    ) -> impl Iterator<Item = Self> + use<'a> {
        let seed = &seeds[0].value;
        let mixer = Value::Text(draft.mixer.to_string());
        let run = [("mixer", &mixer), ("seq_len", &draft.seq_len.value), ("seed", seed)];
        let naming =
            draft.settings.iter().filter(|(name, setting)| names_the_run(name, &setting.value, draft));
        let naming = naming.map(|(name, setting)| (*name, &setting.value));
        let axes = draft.choices.iter().map(|(key, set)| (key.name.to_owned(), set.value.to_string()));
        let first =
            Self { config: config(draft, seed), axes: axes.collect(), hash_pairs: texts(naming.chain(run)) };
        seeds.iter().map(move |seed| first.with_seed(seed))
    }

    fn with_seed(&self, seed: &Setting) -> Self {
        let mut run = self.clone();
        run.config.seed =
            seed.value.as_integer().and_then(|seed| seed.try_into().ok()).expect("seeds are >= 0");
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

fn names_the_run(name: &str, value: &Value, draft: &Draft<'_>) -> bool {
    schema::find(name).is_some_and(|key| key.numeric && !is_default(key, value, draft))
}

/// The numbers of "d_model" and "longest" have always been in names. "n_heads" came later, and leaves old names alone: its
/// number is a default.
fn is_default(key: &Key, value: &Value, draft: &Draft<'_>) -> bool {
    match key.kind {
        Kind::IntegerOr { word: word @ Word::NHeads, .. } => {
            word.key().and_then(|name| draft.value(name)) == Some(value)
        }
        _ => key.default.is(value),
    }
}

fn texts<'a>(values: impl Iterator<Item = (&'a str, &'a Value)>) -> BTreeMap<String, String> {
    values.map(|(name, value)| (name.to_owned(), value.to_string())).collect()
}

fn config(draft: &Draft<'_>, seed: &Value) -> RunConfig {
    let settings = draft.settings.iter().map(|(name, setting)| (*name, &setting.value));
    // The mixer's name is the name of its section.
    let mut entries: Vec<_> = settings.chain([("seq_len", &draft.seq_len.value), ("seed", seed)]).collect();
    entries.sort_by_key(|(name, _)| *name);
    typed(&entries, 0).unwrap_or_else(|error| panic!("the schema and the settings' types differ: {error}"))
}
