//! `subquad check`: are all configs valid?

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use subquad_bench::{Along, BenchConfig};
use subquad_config::Study;
use subquad_data::TaskError;

use super::flags::SetFlags;
use crate::Failure;
use crate::config::ConfigFile;
use crate::plan::load_all;
use crate::program::Program;
use crate::registry::Registry;
use crate::scaling;
use crate::study::{digests, group};

/// Validate configs without running them
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A config file, a folder of them, or a folder of such folders
    #[arg(default_value = "configs")]
    pub path: PathBuf,
    /// Also train every run whose data are present for two steps, and keep nothing
    #[arg(long, conflicts_with = "resolved")]
    pub smoke: bool,
    /// Print each run as a complete config, with every key
    #[arg(long)]
    pub resolved: bool,
    /// Keys to change.
    #[command(flatten)]
    pub set: SetFlags,
}

/// Optimiser steps of a smoke test: the second uses what the first has changed.
const SMOKE_STEPS: usize = 2;

/// Runs the command.
///
/// # Errors
/// Every mistake in every config, damaged data, or the first smoke test that fails.
pub fn run(program: &Program, args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let folders = config_folders(&args.path)?;
    let configs = load_all(program, &folders, &args.set.parse()?)?;
    if args.resolved {
        return configs.iter().try_for_each(|config| resolved(config, out));
    }
    let (mut here, mut bench) = (vec![], vec![]);
    for config in configs {
        match config {
            ConfigFile::Training(config) => here.extend(check_training(config, out)?),
            ConfigFile::Bench(config) => bench.push(check_bench(config, out)?),
        }
    }
    let studies = group(here)?;
    scaling::group(bench.clone(), &studies)?;
    for config in bench.iter().filter(|_| args.smoke) {
        let sizes = scaling::smoke(config, program.subjects())?;
        writeln!(out, "{}: measured at {sizes} of its sizes", config.path.display())?;
    }
    for study in studies {
        let mut tried = HashSet::new();
        for run in study.runs.iter().filter(|_| args.smoke) {
            // A seed changes numbers, not shapes.
            let kind = (run.label(), run.name.seq_len, run.config_file.clone());
            if tried.insert(kind) {
                (program.smoke)(run, SMOKE_STEPS)?;
                writeln!(out, "{}: trained {SMOKE_STEPS} steps", run.name)?;
            }
        }
    }
    Ok(())
}

/// Every run as a config of its own.
fn resolved(config: &ConfigFile, out: &mut dyn Write) -> Result<(), Failure> {
    match config {
        ConfigFile::Bench(config) => writeln!(out, "# {}\n{}", config.path.display(), config.to_toml())?,
        ConfigFile::Training(study) => {
            for (index, run) in study.runs.iter().enumerate() {
                let (path, all) = (study.path.display(), study.runs.len());
                writeln!(out, "# {path}: run {} of {all}\n{}", index + 1, run.to_toml())?;
            }
        }
    }
    Ok(())
}

/// What is missing; anything else that is wrong with the data is an error.
fn missing_data(config: &Study) -> Result<Option<TaskError>, Failure> {
    match digests(config) {
        Ok(_) => Ok(None),
        Err(error @ TaskError::NoData { .. }) => Ok(Some(error)),
        Err(error) => Err(Failure::wrong(format!("{}: {error}", config.path.display()))),
    }
}

/// Reports that a config that trains is valid, and returns it if its data are present.
fn check_training(config: Study, out: &mut dyn Write) -> Result<Option<Study>, Failure> {
    let missing = missing_data(&config)?;
    let skipped = missing.as_ref().map(|error| format!(", NOT TRIED: {error}")).unwrap_or_default();
    say_ok(&config.path, config.runs.len(), "run", &skipped, out)?;
    Ok(missing.is_none().then_some(config))
}

fn check_bench(config: BenchConfig, out: &mut dyn Write) -> Result<BenchConfig, Failure> {
    let sizes = Along::ALL.map(|along| config.options.sizes(along).len()).iter().sum();
    say_ok(&config.path, sizes, "size", "", out)?;
    Ok(config)
}

fn say_ok(path: &Path, count: usize, what: &str, note: &str, out: &mut dyn Write) -> Result<(), Failure> {
    let plural = if count == 1 { "" } else { "s" };
    writeln!(out, "{}: ok, {count} {what}{plural}{note}", path.display())?;
    Ok(())
}

/// The path itself if it is a config or holds some; otherwise those of its folders that do.
pub(crate) fn config_folders(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() || has_config(path)? {
        return Ok(vec![path.into()]);
    }
    let mut folders = vec![];
    for entry in fs_err::read_dir(path)? {
        let folder = entry?.path();
        if folder.is_dir() && has_config(&folder)? {
            folders.push(folder);
        }
    }
    folders.sort();
    match folders.is_empty() {
        true => {
            Err(Failure::wrong(format!("{}: holds no .toml file and no folder with one", path.display())))
        }
        false => Ok(folders),
    }
}

fn has_config(folder: &Path) -> Result<bool, Failure> {
    for entry in fs_err::read_dir(folder)? {
        if entry?.path().extension().is_some_and(|extension| extension == "toml") {
            return Ok(true);
        }
    }
    Ok(false)
}
