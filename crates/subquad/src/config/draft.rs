//! The sweep, expanded: one draft a run, every key settled, nothing checked across keys yet.

use std::collections::BTreeMap;

use super::error::Problems;
use super::keys::{KEYS, SWEEP_KEYS};
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
                let settings = settle(plan, mixer, &choices, problems);
                for seed in values(plan, "sweep.seed") {
                    drafts.push(draft(mixer, &seq_len, seed, &settings, &choices));
                }
            }
        }
    }
    drafts
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
    choices: &[Choice<'_>],
    problems: &Problems,
) -> BTreeMap<&'static str, Setting> {
    let task = plan.task(mixer, choices);
    let own = KEYS.iter().filter(|key| key.belongs_to(mixer) && key.serves(&task) && !problems.doubts(key));
    let mut settings: BTreeMap<_, _> =
        own.filter_map(|key| Some((key.name, plan.resolve(key, mixer, choices)?))).collect();
    settle_words(plan, &mut settings);
    settings
}

/// Puts numbers for the words that stand for one.
fn settle_words(plan: &Plan, settings: &mut BTreeMap<&'static str, Setting>) {
    let d_model = settings.get("model.d_model").and_then(|setting| setting.value.as_integer());
    for (key, word) in KEYS.iter().filter_map(|key| Some((key, word_of(key)?))) {
        let number = match word {
            Word::DModel => d_model,
            Word::Longest => plan.longest(),
        };
        if let (Some(Setting { value: value @ Value::Text(_), .. }), Some(number)) =
            (settings.get_mut(key.name), number)
        {
            *value = Value::Integer(number);
        }
    }
}

fn word_of(key: &Key) -> Option<Word> {
    match key.kind {
        Kind::IntegerOr { word, .. } => Some(word),
        Kind::Integer { .. } | Kind::Real { .. } | Kind::Bool | Kind::OneOf(_) | Kind::Text => None,
    }
}
