//! One combination of the values of a sweep, for the program to check: everything about its runs except the seed.

use std::collections::BTreeMap;
use std::sync::Arc;

use subquad_options::{Kind, Share, Value};

use crate::assigned::Axis;
use crate::error::Problems;
use crate::plan::Choice;
use crate::value::Setting;
use crate::{Key, Origin, Run, Schema};

/// Every key of a run that is set or has a default.
pub(crate) type Settings = BTreeMap<&'static str, Setting>;

/// Runs that differ only in their seed, before their keys are checked together. For a config without a sweep, the
/// settings of the config.
///
/// Words and shares are replaced by the numbers that they mean. A key with an invalid value gets its default, so that
/// the others can be checked; a [`Complaint`] about it is dropped.
#[derive(Debug, Clone)]
pub struct Combination<'a> {
    pub(crate) schema: &'static Schema,
    /// The run's subject, a word or a pattern of words; empty without a sweep.
    pub subject: Arc<str>,
    pub(crate) subject_origin: Option<Origin>,
    pub(crate) size: Setting,
    /// The largest size of the config, in the sweep or in a list.
    pub largest: usize,
    pub(crate) settings: Settings,
    /// The settings with words and shares whose numbers are in `settings`.
    pub(crate) words: Vec<(&'static str, Setting)>,
    /// The values that the runs take from each extra axis that concerns them.
    pub(crate) choices: Vec<Choice<'a>>,
    /// All extra axes of the config.
    pub(crate) axes: &'a [Axis],
    /// Whether the config asks for just one run.
    pub(crate) is_alone: bool,
}

/// Why a combination is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// What is wrong, what is allowed, and what to do.
    pub reason: String,
    /// The dotted keys to blame: the complaint is placed at the first of them that was set.
    pub keys: Vec<String>,
}

impl Combination<'_> {
    /// The same combination with this value of a key, as if `like` were set where the key is.
    #[must_use]
    pub fn with(&self, key: &Key, value: Value, like: &str) -> Self {
        let origin = self.settings.get(like).and_then(|setting| setting.origin.clone());
        let mut settings = self.settings.clone();
        settings.extend(self.words.iter().cloned());
        settings.insert(key.name, Setting { value, origin });
        let words = settle(self.schema, &mut settings, self.size() as i64, self.largest as i64);
        Self { settings, words, ..self.clone() }
    }

    /// The run of this combination with seed 0.
    pub fn run(&self) -> Run {
        Run::without_seed(self)
    }

    /// The run's size.
    pub fn size(&self) -> usize {
        self.size.value.as_integer().and_then(|size| usize::try_from(size).ok()).unwrap_or(0)
    }

    /// The value of a key; `None` if the runs do not have it, or nothing sets it.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.settings.get(key).map(|setting| &setting.value)
    }

    /// The value of a key in a run of another size: a share of the size is another number there.
    pub fn value_at(&self, key: &str, size: usize) -> Option<Value> {
        let word = self.words.iter().find(|(name, _)| *name == key).map(|(_, setting)| &setting.value);
        word.and_then(|word| share_of(self.schema.find(key)?, word, size))
            .or_else(|| self.value(key).cloned())
    }

    /// The values of the keys of a section, by their last part.
    pub fn section<'s>(&'s self, section: &'s str) -> impl Fn(&str) -> Option<Value> + 's {
        move |leaf| self.value(&format!("{section}.{leaf}")).cloned()
    }

    /// The keys of the config's axes besides those that every sweep has.
    pub fn axes(&self) -> impl Iterator<Item = &'static str> {
        self.axes.iter().map(|axis| axis.key.name).filter(|name| !name.starts_with("sweep."))
    }

    /// Whether a key is one of [`axes`](Self::axes).
    pub fn is_axis(&self, key: &str) -> bool {
        self.axes().any(|axis| axis == key)
    }

    /// Whether the config asks for just one run.
    pub fn is_alone(&self) -> bool {
        self.is_alone
    }

    /// All keys that runs may have.
    pub fn keys(&self) -> &'static [Key] {
        self.schema.keys()
    }

    /// What the schema says of a key.
    pub fn key(&self, key: &str) -> Option<&Key> {
        self.schema.find(key)
    }

    /// Whether the config sets the key.
    pub fn is_set(&self, key: &str) -> bool {
        self.settings.get(key).is_some_and(|setting| setting.origin.is_some())
    }

    /// The key that a name refers to in a struct of options of this section: a key of the section, or otherwise one
    /// that every run has (a layer's `d_model` is `model.d_model`), or otherwise the name itself.
    pub fn key_of(&self, section: &str, name: &str) -> String {
        let own = format!("{section}.{name}");
        if self.schema.find(&own).is_some() {
            return own;
        }
        let mut common = self.schema.keys().iter().filter(|key| key.variant.is_none());
        common.find(|key| key.leaf() == name).map_or_else(|| name.to_owned(), |key| key.name.to_owned())
    }

    /// Where these keys were set, if they are not defaults: the first flag, because flags come last, or otherwise the
    /// first line.
    pub(crate) fn origin(&self, keys: &[String]) -> Option<Origin> {
        let of = |key: &String| match self.settings.get(key.as_str()) {
            Some(setting) => setting.origin.clone(),
            None => self.origin_on_axis(key),
        };
        let mut origins = keys.iter().filter_map(of);
        let first = origins.next()?;
        let is_flag = |origin: &Origin| matches!(origin, Origin::Flag { .. });
        if is_flag(&first) { Some(first) } else { Some(origins.find(is_flag).unwrap_or(first)) }
    }

    /// Where its size or subject was set.
    fn origin_on_axis(&self, key: &str) -> Option<Origin> {
        let axes = self.schema.axes()?;
        match key {
            _ if key == axes.size.name => self.size.origin.clone(),
            _ if key == axes.subject.name => self.subject_origin.clone(),
            _ => None,
        }
    }
}

/// Replaces a setting in doubt by the default.
pub(crate) fn undoubted(key: &Key, setting: Option<Setting>, problems: &Problems) -> Option<Setting> {
    match problems.doubts(key.name) {
        true => crate::plan::default_of(key),
        false => setting,
    }
}

/// Replaces words and shares of the size by their numbers, and returns what was replaced.
pub(crate) fn settle(
    schema: &'static Schema,
    settings: &mut Settings,
    size: i64,
    largest: i64,
) -> Vec<(&'static str, Setting)> {
    let mut words = vec![];
    let texts: Vec<&'static str> = settings
        .iter()
        .filter(|(_, setting)| matches!(setting.value, Value::Text(_)))
        .map(|(name, _)| *name)
        .collect();
    for name in texts {
        let number = schema.find(name).and_then(|key| number_of(schema, key, settings, size, largest));
        if let (Some(number), Some(setting)) = (number, settings.get_mut(name)) {
            words.push((name, setting.clone()));
            setting.value = Value::Integer(number);
        }
    }
    words
}

/// The number that a share is at this size; `None` if the key holds no share.
pub(crate) fn share_of(key: &Key, share: &Value, size: usize) -> Option<Value> {
    let is_share = matches!(key.kind, Kind::Share { .. });
    let share = share.as_text().filter(|_| is_share).and_then(Share::parse)?;
    i64::try_from(share.at(size)).ok().map(Value::Integer)
}

/// The number that a key's text stands for; `None` if it is only a text.
fn number_of(
    schema: &'static Schema,
    key: &Key,
    settings: &Settings,
    size: i64,
    largest: i64,
) -> Option<i64> {
    let text = settings.get(key.name)?.value.as_text()?;
    if let Kind::Share { .. } = key.kind {
        return share_of(key, &settings.get(key.name)?.value, size.try_into().ok()?)?.as_integer();
    }
    let word = key.word().filter(|word| *word == text)?;
    match schema.axes() {
        Some(axes) if axes.largest == word => Some(largest),
        _ => settings.get(schema.key_of_word(key, word)?.name)?.value.as_integer(),
    }
}
