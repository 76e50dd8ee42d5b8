//! File and flags together: which axes there are, and which value of a key wins.

use super::layer::{Axis, Layer, Setting};
use super::{Key, MixerName, Value, schema};

/// Everything that was set, by precedence.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) file: Layer,
    pub(super) flags: Layer,
    /// In the order of the file, then those that only flags have; a flag's axis replaces the file's.
    pub(super) axes: Vec<Axis>,
}

/// The value that one run takes from an axis.
pub(super) type Choice<'a> = (&'static Key, &'a Setting);

impl Plan {
    pub(super) fn new(file: Layer, flags: Layer) -> Self {
        let mut axes = file.axes.clone();
        for axis in &flags.axes {
            match axes.iter_mut().find(|other| other.key == axis.key) {
                Some(replaced) => *replaced = axis.clone(),
                None => axes.push(axis.clone()),
            }
        }
        Self { file, flags, axes }
    }

    pub(super) fn axis(&self, name: &str) -> Option<&Axis> {
        self.axes.iter().find(|axis| axis.key.name == name)
    }

    /// The axes beside mixer, seq_len and seed.
    pub(super) fn extra_axes(&self) -> impl Iterator<Item = &Axis> {
        self.axes.iter().filter(|axis| axis.key.section() != "sweep")
    }

    pub(super) fn mixers(&self) -> Vec<MixerName> {
        let values = self.axis("sweep.mixer").map(|axis| axis.values.as_slice()).unwrap_or_default();
        values.iter().filter_map(|setting| setting.value.to_string().parse().ok()).collect()
    }

    /// The name of the task of the runs that take these values; empty where it is missing.
    pub(super) fn task(&self, mixer: MixerName, choices: &[Choice<'_>]) -> String {
        let name = schema::find("task.name").and_then(|key| self.resolve(key, mixer, choices));
        name.map(|setting| setting.value.to_string()).unwrap_or_default()
    }

    /// From weakest to strongest: default, file, the mixer's override, axis, `--set`, `--set override`.
    pub(super) fn resolve(
        &self,
        key: &'static Key,
        mixer: MixerName,
        choices: &[Choice<'_>],
    ) -> Option<Setting> {
        let chosen = choices.iter().find(|(axis, _)| *axis == key).map(|(_, setting)| *setting);
        let strongest = self.flags.get(Some(mixer), key).or_else(|| self.flags.get(None, key));
        let set = strongest
            .or(chosen)
            .or_else(|| self.file.get(Some(mixer), key))
            .or_else(|| self.file.get(None, key));
        set.cloned().or_else(|| default_of(key))
    }
}

pub(super) fn default_of(key: &Key) -> Option<Setting> {
    key.default.value().map(|value: Value| Setting { value, origin: None })
}
