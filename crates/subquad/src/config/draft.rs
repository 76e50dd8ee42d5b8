//! The sweep, expanded: one draft a run, every key settled, nothing checked across keys yet.

use std::collections::BTreeMap;

use super::error::Problems;
use super::keys::{KEYS, SWEEP_KEYS};
use super::kind::Share;
use super::layer::{Axis, Setting};
use super::plan::{Choice, Plan, default_of};
use super::resolved::insert;
use super::{Key, Kind, MixerName, Origin, TaskSettings, Value, Word};

/// One run before its keys are checked together.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) mixer: MixerName,
    pub(super) seq_len: Setting,
    pub(super) seed: Setting,
    /// Every key of the run but those in doubt.
    pub(super) settings: BTreeMap<&'static str, Setting>,
    /// What the run takes from each extra axis that concerns it.
    pub(super) choices: Vec<(&'static Key, Setting)>,
}

impl Draft {
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.settings.get(name).map(|setting| &setting.value)
    }

    pub(super) fn integer(&self, name: &str) -> Option<i64> {
        self.value(name)?.as_integer()
    }

    pub(super) fn real(&self, name: &str) -> Option<f64> {
        self.value(name)?.as_real()
    }

    /// Lengths of training and of every test condition.
    fn lengths(&self) -> impl Iterator<Item = i64> {
        let conditions = self.settings.values().flat_map(|setting| match &setting.value {
            Value::Sizes(sizes) => sizes.as_slice(),
            Value::Integer(_) | Value::Real(_) | Value::Bool(_) | Value::Text(_) => &[],
        });
        self.seq_len.value.as_integer().into_iter().chain(conditions.map(|(length, _)| *length))
    }

    /// The settings of the task; `None` where one of them is missing or in doubt.
    pub(super) fn task(&self) -> Option<TaskSettings> {
        let mut table = toml::Table::new();
        for (name, setting) in &self.settings {
            if let Some(name) = name.strip_prefix("task.") {
                insert(&mut table, name, setting.value.to_toml());
            }
        }
        table.try_into().ok()
    }

    /// Where these keys were set, as far as they are no defaults: the first flag, since it came last, else the first line.
    pub(super) fn origin(&self, names: &[&str]) -> Option<Origin> {
        let mut origins = names.iter().filter_map(|name| self.settings.get(name)?.origin.clone());
        let first = origins.next()?;
        let is_flag = |origin: &Origin| matches!(origin, Origin::Flag { .. });
        if is_flag(&first) { Some(first) } else { Some(origins.find(is_flag).unwrap_or(first)) }
    }
}

/// Sequence length outermost, then mixer, then the extra axes in their order, then seed.
pub(super) fn expand(plan: &Plan, problems: &Problems) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for seq_len in values(plan, "sweep.seq_len") {
        for mixer in plan.mixers() {
            for choices in choices_of(plan, mixer) {
                let settings = settle(plan, mixer, &seq_len, &choices, problems);
                for seed in values(plan, "sweep.seed") {
                    drafts.push(draft(mixer, &seq_len, seed, &settings, &choices));
                }
            }
        }
    }
    if let Some(longest) = longest(&drafts) {
        drafts.iter_mut().for_each(|draft| settle_word(&mut draft.settings, Word::Longest, longest));
    }
    drafts
}

/// The longest sequence of all runs, in tokens, in training or in a test.
pub(super) fn longest(drafts: &[Draft]) -> Option<i64> {
    drafts.iter().flat_map(Draft::lengths).max()
}

fn draft(
    mixer: MixerName,
    seq_len: &Setting,
    seed: Setting,
    settings: &BTreeMap<&'static str, Setting>,
    choices: &[Choice<'_>],
) -> Draft {
    let choices = choices.iter().map(|(key, setting)| (*key, (*setting).clone())).collect();
    Draft { mixer, seq_len: seq_len.clone(), seed, settings: settings.clone(), choices }
}

/// The values of an axis that every sweep has.
fn values(plan: &Plan, name: &str) -> Vec<Setting> {
    let default = SWEEP_KEYS.iter().filter(|key| key.name == name).filter_map(default_of);
    plan.axis(name).map_or_else(|| default.collect(), |axis| axis.values.clone())
}

/// What the runs of a mixer take from the extra axes. An axis of another task's key multiplies no runs.
fn choices_of(plan: &Plan, mixer: MixerName) -> Vec<Vec<Choice<'_>>> {
    let mut found = Vec::new();
    for mut choices in combinations(plan.extra_axes().filter(|axis| axis.key.belongs_to(mixer))) {
        let task = plan.task(mixer, &choices);
        choices.retain(|(key, _)| key.serves(&task));
        if !found.contains(&choices) {
            found.push(choices);
        }
    }
    found
}

/// Every way to take one value from each axis; the first axis varies slowest.
fn combinations<'a>(axes: impl Iterator<Item = &'a Axis>) -> Vec<Vec<Choice<'a>>> {
    axes.fold(vec![Vec::new()], |shorter, axis| {
        let longer = |choices: Vec<Choice<'a>>| {
            axis.values.iter().map(move |value| [choices.clone(), vec![(axis.key, value)]].concat())
        };
        shorter.into_iter().flat_map(longer).collect()
    })
}

fn settle(
    plan: &Plan,
    mixer: MixerName,
    seq_len: &Setting,
    choices: &[Choice<'_>],
    problems: &Problems,
) -> BTreeMap<&'static str, Setting> {
    let task = plan.task(mixer, choices);
    let own = KEYS.iter().filter(|key| key.belongs_to(mixer) && key.serves(&task) && !problems.doubts(key));
    let mut settings: BTreeMap<_, _> =
        own.filter_map(|key| Some((key.name, plan.resolve(key, mixer, choices)?))).collect();
    for word in [Word::DModel, Word::NHeads] {
        let setting = word.key().and_then(|key| settings.get(key));
        if let Some(number) = setting.and_then(|setting| setting.value.as_integer()) {
            settle_word(&mut settings, word, number);
        }
    }
    if let Some(seq_len) = seq_len.value.as_integer() {
        settle_shares(&mut settings, seq_len);
    }
    settings
}

/// Puts the number for a word that stands for it.
fn settle_word(settings: &mut BTreeMap<&'static str, Setting>, word: Word, number: i64) {
    for key in KEYS.iter().filter(|key| matches!(key.kind, Kind::IntegerOr { word: own, .. } if own == word))
    {
        if let Some(Setting { value: value @ Value::Text(_), .. }) = settings.get_mut(key.name) {
            *value = Value::Integer(number);
        }
    }
}

/// Puts the numbers for shares of the length.
fn settle_shares(settings: &mut BTreeMap<&'static str, Setting>, seq_len: i64) {
    for key in KEYS.iter().filter(|key| matches!(key.kind, Kind::IntegerOrShare { .. })) {
        if let Some(Setting { value, .. }) = settings.get_mut(key.name)
            && let Value::Text(text) = &value
            && let Some(share) = Share::parse(text)
        {
            *value = Value::Integer(share.of(seq_len));
        }
    }
}
