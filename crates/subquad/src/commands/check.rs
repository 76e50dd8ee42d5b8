//! `subquad check`: are all configs right?

use std::io::Write;
use std::path::{Path, PathBuf};

use subquad_record::Memory;

use crate::config::StudyConfig;
use crate::plan::{PlannedRun, group, load_all};
use crate::{Failure, assemble};

/// Validate configs without running them
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A config file, a folder of them, or a folder of such folders
    #[arg(default_value = "configs")]
    pub path: PathBuf,
    /// Also train every run for two steps, keeping nothing
    #[arg(long)]
    pub smoke: bool,
}

/// Optimiser steps of a smoke test: the second one uses what the first has changed.
const SMOKE_STEPS: usize = 2;

/// Runs the command.
///
/// # Errors
/// Every mistake in every config, or the first smoke test that fails.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    let folders = config_folders(&args.path)?;
    let configs = load_all(&folders, &[])?;
    for config in &configs {
        say_ok(config, out)?;
    }
    for study in group(configs)? {
        let mut tried = vec![];
        for run in study.runs.iter().filter(|_| args.smoke) {
            // A seed changes numbers, not shapes.
            let kind = (run.label(), run.name.seq_len, run.config_file.clone());
            if !tried.contains(&kind) {
                smoke(run)?;
                writeln!(out, "{}: trained {SMOKE_STEPS} steps", run.name)?;
                tried.push(kind);
            }
        }
    }
    Ok(())
}

fn say_ok(config: &StudyConfig, out: &mut dyn Write) -> Result<(), Failure> {
    let count = config.runs.len();
    let plural = if count == 1 { "" } else { "s" };
    writeln!(out, "{}: ok, {count} run{plural}", config.path.display())?;
    Ok(())
}

/// The path itself where it is a config or holds some, else its folders that do.
pub(crate) fn config_folders(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if path.is_file() || !path.exists() || has_config(path)? {
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

fn smoke(run: &PlannedRun) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::failed(format!("{}: {error}", run.name));
    let config = &run.resolved.config;
    let device = subquad_backend::open_device("cpu").map_err(Failure::failed)?.device;
    let task = subquad_data::open(&config.task.name, config.seq_len, config.seed).map_err(|e| failed(&e))?;
    let model = assemble::model(config, &*task).init_seeded(config.seed, &device);
    let mut training = assemble::training(config);
    training.steps = SMOKE_STEPS;
    subquad_train::train(model, &*task, &training, &device, &mut Memory::default())
        .map_err(|e| failed(&e))?;
    Ok(())
}
