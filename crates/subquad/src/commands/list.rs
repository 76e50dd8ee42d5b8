//! `subquad list`: what there is to choose from.

use std::io::Write;
use std::path::{Path, PathBuf};

use subquad_config::{Key, find_configs};
use subquad_model::{ChannelMixerName, Preset};
use subquad_options::number::grouped;
use subquad_options::word;

use super::check::config_folders;
use crate::Failure;
use crate::registry::Registry;

/// List mixers, tasks, presets and configs, or the keys of configs
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of configs
    #[arg(default_value = "configs")]
    pub configs: PathBuf,
    /// List keys of configs instead: all, or those that start with START
    #[arg(long, value_name = "START", num_args = 0..=1, default_missing_value = "")]
    pub keys: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// If the folder cannot be read, or no key starts as asked for.
pub fn run(registry: &dyn Registry, args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    if let Some(start) = &args.keys {
        return keys(registry, start, out);
    }
    writeln!(out, "Mixers")?;
    for mixer in registry.mixers() {
        writeln!(out, "  {:15} {}", mixer.name, mixer.summary)?;
    }
    writeln!(out, "\nChannel mixers")?;
    for (name, summary) in ChannelMixerName::SUMMARIES {
        writeln!(out, "  {:15} {summary}", word(&name))?;
    }
    if let [first, second, ..] = registry.mixers() {
        let pattern = format!("{}+{}", second.name, first.name);
        writeln!(out, "\nBoth may alternate over the blocks of a model: {pattern:?}, \"dense*3+none\"")?;
    }
    writeln!(out, "\nTasks")?;
    for task in subquad_data::tasks().iter().map(|task| &task.info) {
        writeln!(out, "  {:18} {}", task.name, task.summary)?;
        writeln!(out, "  {:18} seq_len: {}\n  {:18} data: {}", "", task.lengths, "", task.data)?;
    }
    writeln!(out, "\nPresets, in the crate subquad-model")?;
    for preset in subquad_model::presets() {
        writeln!(out, "  {:14} {}", preset.name, preset.summary)?;
        writeln!(out, "  {:14} {}", "", shape(&preset))?;
    }
    writeln!(out, "\nConfigs")?;
    for file in configs(&args.configs)? {
        writeln!(out, "  {}", file.display())?;
    }
    Ok(())
}

fn keys(registry: &dyn Registry, start: &str, out: &mut dyn Write) -> Result<(), Failure> {
    let schemas = registry.schemas();
    let all = [schemas.study, schemas.bench];
    let all = all.iter().flat_map(|schema| schema.keys().iter().chain(schema.axis_keys()));
    let keys: Vec<&Key> = all.filter(|key| key.name.starts_with(start)).collect();
    if keys.is_empty() {
        return Err(Failure::wrong(format!("no key starts with `{start}`; --keys without a name lists all")));
    }
    for key in keys {
        let default = key.default.as_ref().map_or("required".into(), |value| format!("default {value}"));
        writeln!(out, "{} ({}; {default})\n    {}", key.name, key.kind, key.help)?;
    }
    Ok(())
}

fn shape(preset: &Preset) -> String {
    let (config, l_max) = (&preset.config, preset.l_max);
    format!(
        "{} parameters: {} blocks of width {}, {} tokens in the vocabulary, sequences of up to {l_max}",
        grouped(config.n_parameters() as u128),
        config.n_layers,
        config.d_model,
        grouped(config.head.outputs() as u128)
    )
}

fn configs(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = vec![];
    for folder in config_folders(folder)? {
        files.extend(find_configs(&folder)?);
    }
    Ok(files)
}
