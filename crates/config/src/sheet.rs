//! A config without a sweep: one value, or one list of values, for each key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use subquad_options::{Kind, Value};

use crate::combination::{Settings, undoubted};
use crate::error::Problems;
use crate::plan::Plan;
use crate::quota::Length;
use crate::study::{complain, read};
use crate::value::Setting;
use crate::{Assignment, Check, Combination, ConfigErrors, Quota, Schema, conflicts};

/// A config file that asks for one thing.
#[derive(Debug, Clone)]
pub struct Sheet {
    schema: &'static Schema,
    /// The file, as it was given.
    pub path: PathBuf,
    values: BTreeMap<&'static str, Value>,
    /// What changes every number that it asks for, if it differs from its default: the keys that hold one value.
    pub hash_pairs: BTreeMap<String, String>,
}

impl Sheet {
    /// Reads `text`, the contents of the file at `path`, applies the flags to it, and checks everything. `count` says how many
    /// `what` the lists ask for, against the quota.
    ///
    /// # Errors
    /// Every mistake.
    pub fn read(
        schema: &'static Schema,
        text: &str,
        path: &Path,
        assignments: &[Assignment],
        (quota, what, count): (Quota, &'static str, fn(&Combination<'_>) -> u128),
        check: Check<'_>,
    ) -> Result<Self, ConfigErrors> {
        let mut problems = Problems::default();
        let plan = read(schema, text, path, assignments, &mut problems)?;
        conflicts::check(&plan, path, &mut problems);
        let combination = combination(&plan, &problems);
        quota
            .check(Some(count(&combination)), what, &lengths(&combination))
            .map_err(|too_many| std::mem::take(&mut problems).and(too_many))?;
        complain(&combination, check, path, &mut problems);
        problems.into_result()?;
        Ok(Self::of(combination, path))
    }

    fn of(combination: Combination<'_>, path: &Path) -> Self {
        let Combination { schema, settings, .. } = combination;
        let names_it = |name: &str, value: &Value| {
            let key = schema.find(name).filter(|key| !matches!(key.kind, Kind::List { .. }));
            key.is_some_and(|key| key.numeric && key.default.as_ref() != Some(value))
        };
        let naming = settings.iter().filter(|(name, setting)| names_it(name, &setting.value));
        let hash_pairs =
            naming.map(|(name, setting)| ((*name).to_owned(), setting.value.to_string())).collect();
        let values = settings.into_iter().map(|(name, setting)| (name, setting.value)).collect();
        Self { schema, path: path.to_owned(), values, hash_pairs }
    }

    /// The values of the keys of a section, by their last part.
    pub fn section<'s>(&'s self, section: &'s str) -> impl Fn(&str) -> Option<Value> + 's {
        move |leaf| self.values.get(format!("{section}.{leaf}").as_str()).cloned()
    }

    /// A complete config that asks for the same thing: every key written out.
    pub fn to_toml(&self) -> String {
        self.schema.to_toml(|key| self.values.get(key.name).cloned())
    }
}

fn combination(plan: &Plan, problems: &Problems) -> Combination<'static> {
    let (keys, subject) = (plan.schema.keys().iter(), Arc::from(""));
    let settings: Settings = keys
        .filter_map(|key| Some((key.name, undoubted(key, plan.resolve(key, &subject, &[]), problems)?)))
        .collect();
    let size = Setting { value: Value::Integer(0), origin: None };
    Combination {
        schema: plan.schema,
        subject,
        subject_origin: None,
        size,
        largest: 0,
        settings,
        words: vec![],
        choices: vec![],
        axes: &[],
        is_alone: true,
    }
}

fn lengths<'a>(combination: &'a Combination<'_>) -> Vec<Length<'a>> {
    let length = |(name, setting): (&&'static str, &'a Setting)| {
        let (len, origin) = (setting.value.as_list()?.len(), setting.origin.as_ref()?);
        Some(Length { name, len, origin })
    };
    combination.settings.iter().filter_map(length).collect()
}
