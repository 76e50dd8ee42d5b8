//! The folder of a run, from what a user calls it.

use std::path::{Path, PathBuf};

use subquad_record::RunDir;

use crate::Failure;

/// Folder of the runs within the folder of a study.
const RUNS: &str = "runs";
/// A run that trained has this file; one that measured does not.
const MANIFEST: &str = "manifest.json";
/// The most names that a message lists.
const LISTED: usize = 8;

/// The run that `named` means: its folder, `results/<study>/runs/<name>`; or the folder of its study and the start of its
/// name, `results/<study>/<start>`, if only one run's name starts that way.
///
/// # Errors
/// If no run fits, or several do.
pub fn find_run(named: &Path) -> Result<RunDir, Failure> {
    if is_run(named) {
        return Ok(RunDir::at(named));
    }
    let (folder, start) = match named.is_dir() {
        true => (named, String::new()),
        false => (parent(named), name(named)),
    };
    let runs = called(&start, runs_in(folder));
    match runs.as_slice() {
        [run] => Ok(RunDir::at(run)),
        [] => Err(Failure::wrong(format!("{}: {}", named.display(), nothing_there(folder)))),
        several => Err(Failure::wrong(format!(
            "{}: {} runs match; name one of them: {}",
            named.display(),
            several.len(),
            list(several)
        ))),
    }
}

/// Those that begin with `start`: as a whole word where there are such, so that `s4` does not also mean `s4d`.
fn called(start: &str, mut runs: Vec<PathBuf>) -> Vec<PathBuf> {
    let word = format!("{start}-");
    let begins = if runs.iter().any(|run| name(run).starts_with(&word)) { &word } else { start };
    runs.retain(|run| name(run).starts_with(begins));
    runs
}

fn nothing_there(folder: &Path) -> String {
    match runs_in(folder).as_slice() {
        [] => "no run there; a run is a folder such as results/<study>/runs/<name>".into(),
        runs => format!("there is no run of that name; the runs are: {}", list(runs)),
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into()
}

/// The runs of a study, or of its folder of runs, by name; none if the folder cannot be read.
fn runs_in(folder: &Path) -> Vec<PathBuf> {
    let runs = folder.join(RUNS);
    let folder = if runs.is_dir() { &runs } else { folder };
    let entries = fs_err::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| is_run(path));
    paths.sort();
    paths
}

fn is_run(path: &Path) -> bool {
    RunDir::at(path).config_path().is_file() && path.join(MANIFEST).is_file()
}

fn list(runs: &[PathBuf]) -> String {
    let names: Vec<_> = runs.iter().take(LISTED).map(|run| name(run)).collect();
    let more =
        if runs.len() > LISTED { format!(", and {} more", runs.len() - LISTED) } else { String::new() };
    format!("{}{more}", names.join(", "))
}
