//! Runs before their keys are checked together: every key settled.

use std::collections::BTreeMap;

use super::keys::KEYS;
use super::kind::Share;
use super::layer::Setting;
use super::plan::Choice;
use super::typed::typed;
use super::{Kind, MixerName, Origin, TaskSettings, Value, Word};

/// Every key of a run but those in doubt.
pub(super) type Settings = BTreeMap<&'static str, Setting>;

/// Runs that differ only in their seed, before their keys are checked together.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) mixer: MixerName,
    pub(super) seq_len: Setting,
    pub(super) settings: Settings,
    /// What the runs take from each extra axis that concerns them.
    pub(super) choices: Vec<Choice<'a>>,
}

impl Draft<'_> {
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.settings.get(name).map(|setting| &setting.value)
    }

    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.value(name)?.as_integer()
    }

    pub(super) fn real(&self, name: &str) -> Option<f64> {
        self.value(name)?.as_real()
    }

    /// The settings of the task; `None` where one of them is missing or in doubt.
    pub(super) fn task(&self) -> Option<TaskSettings> {
        let own = self.settings.range("task."..).take_while(|(name, _)| name.starts_with("task."));
        let own: Vec<_> = own.map(|(name, setting)| (*name, &setting.value)).collect();
        typed(&own, "task.".len()).ok()
    }

    /// Where these keys were set, as far as they are no defaults: the first flag, since it came last, else the first line.
    pub(super) fn origin(&self, names: &[&str]) -> Option<Origin> {
        let mut origins = names.iter().filter_map(|name| self.settings.get(name)?.origin.clone());
        let first = origins.next()?;
        let is_flag = |origin: &Origin| matches!(origin, Origin::Flag { .. });
        if is_flag(&first) { Some(first) } else { Some(origins.find(is_flag).unwrap_or(first)) }
    }
}

/// Puts the numbers for words and for shares of the length.
pub(super) fn settle(settings: &mut Settings, seq_len: &Setting, longest: Option<i64>) {
    for word in [Word::DModel, Word::NHeads] {
        let setting = word.key().and_then(|key| settings.get(key));
        if let Some(number) = setting.and_then(|setting| setting.value.as_integer()) {
            settle_word(settings, word, number);
        }
    }
    if let Some(seq_len) = seq_len.value.as_integer() {
        settle_shares(settings, seq_len);
    }
    if let Some(longest) = longest {
        settle_word(settings, Word::Longest, longest);
    }
}

/// Puts the number for a word that stands for it.
fn settle_word(settings: &mut Settings, word: Word, number: i64) {
    for key in KEYS.iter().filter(|key| matches!(key.kind, Kind::IntegerOr { word: own, .. } if own == word))
    {
        if let Some(Setting { value: value @ Value::Text(_), .. }) = settings.get_mut(key.name) {
            *value = Value::Integer(number);
        }
    }
}

/// Puts the numbers for shares of the length.
fn settle_shares(settings: &mut Settings, seq_len: i64) {
    for key in KEYS.iter().filter(|key| matches!(key.kind, Kind::IntegerOrShare { .. })) {
        if let Some(Setting { value, .. }) = settings.get_mut(key.name)
            && let Value::Text(text) = &value
            && let Some(share) = Share::parse(text)
        {
            *value = Value::Integer(share.of(seq_len));
        }
    }
}
