//! File and flags together: which axes there are, and which value of a key wins.

use std::sync::Arc;

use crate::assigned::{Assigned, Axis};
use crate::value::Setting;
use crate::{Key, Origin, Schema};

/// Everything that was set, by precedence.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) schema: &'static Schema,
    pub(crate) file: Assigned,
    pub(crate) flags: Assigned,
    /// The axes in the order of the file, then those that only flags have; a flag's axis replaces the file's.
    pub(crate) axes: Vec<Axis>,
}

/// The value that one run takes from an axis.
pub(crate) type Choice<'a> = (&'static Key, &'a Setting);

impl Plan {
    pub(crate) fn new(schema: &'static Schema, file: Assigned, flags: Assigned) -> Self {
        let mut axes = file.axes.clone();
        for axis in &flags.axes {
            match axes.iter_mut().find(|other| other.key == axis.key) {
                Some(replaced) => *replaced = axis.clone(),
                None => axes.push(axis.clone()),
            }
        }
        Self { schema, file, flags, axes }
    }

    pub(crate) fn axis(&self, name: &str) -> Option<&Axis> {
        self.axes.iter().find(|axis| axis.key.name == name)
    }

    /// The axes besides those that every sweep has.
    pub(crate) fn extra_axes(&self) -> impl Iterator<Item = &Axis> {
        self.axes.iter().filter(|axis| axis.key.section() != "sweep")
    }

    /// The values of the axis that every sweep has under this name.
    pub(crate) fn own_axis(&self, leaf: &str) -> Vec<Setting> {
        let Some(key) = self.schema.axis_key(leaf) else { return vec![] };
        self.axis(key.name).map_or_else(|| default_of(key).into_iter().collect(), |axis| axis.values.clone())
    }

    /// The subjects of the sweep, and where each was written.
    pub(crate) fn subjects(&self) -> Vec<(Arc<str>, Option<Origin>)> {
        let named = self.own_axis(self.schema.noun());
        named.into_iter().filter_map(|set| Some((Arc::from(set.value.as_text()?), set.origin))).collect()
    }

    /// The tag of the runs that take these values; empty if there is none.
    pub(crate) fn tag(&self, subject: &Arc<str>, choices: &[Choice<'_>]) -> String {
        let key = self.schema.tag().and_then(|tag| self.schema.find(tag));
        let set = key.and_then(|key| self.resolve(key, subject, choices));
        set.map(|setting| setting.value.to_string()).unwrap_or_default()
    }

    /// From weakest to strongest: default, file, the subject's override, axis, `--set`, `--set override`.
    pub(crate) fn resolve(
        &self,
        key: &'static Key,
        subject: &Arc<str>,
        choices: &[Choice<'_>],
    ) -> Option<Setting> {
        let chosen = choices.iter().find(|(axis, _)| *axis == key).map(|(_, setting)| *setting);
        let strongest = self.flags.get(Some(subject), key).or_else(|| self.flags.get(None, key));
        let set = strongest
            .or(chosen)
            .or_else(|| self.file.get(Some(subject), key))
            .or_else(|| self.file.get(None, key));
        set.cloned().or_else(|| default_of(key))
    }
}

pub(crate) fn default_of(key: &Key) -> Option<Setting> {
    key.default.clone().map(|value| Setting { value, origin: None })
}
