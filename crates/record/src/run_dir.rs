//! One run's folder: where its files are, whether it is done, and reading them back.

use std::path::{Path, PathBuf};

use crate::atomic::TEMPORARY_ENDING;
use crate::error::read_json;
use crate::{Manifest, Outcome, RecordError, Row, RunName, RunSummary, RunWriter, read_rows};

pub(crate) const CONFIG: &str = "config.toml";
pub(crate) const MANIFEST: &str = "manifest.json";
pub(crate) const METRICS: &str = "metrics.jsonl";
pub(crate) const SUMMARY: &str = "summary.json";
pub(crate) const WEIGHTS: &str = "model.safetensors";
pub(crate) const CHECKPOINT: &str = "checkpoint";

/// Every file of a run. The summary is first: once it is gone, no kill leaves a folder that looks done.
const FILES: [&str; 5] = [SUMMARY, MANIFEST, CONFIG, METRICS, WEIGHTS];

/// The folder `results/<slug>/runs/<RunName>/`. It need not exist yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// The folder of run `name` of study `slug`. Touches no file.
    pub fn open(results: &Path, slug: &str, name: &RunName) -> Self {
        Self { path: results.join(slug).join("runs").join(name.to_string()) }
    }

    /// The folder of a run at `path`, whatever its name. Touches no file.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Makes the folder, and those above it, where missing.
    ///
    /// # Errors
    /// If that fails.
    pub fn create(&self) -> Result<(), RecordError> {
        Ok(fs_err::create_dir_all(&self.path)?)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the run's complete config is.
    pub fn config_path(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    /// Where the weights at the end are.
    pub fn weights_path(&self) -> PathBuf {
        self.path.join(WEIGHTS)
    }

    /// Whether the run is done: the manifest says so, summary and rows can be read, and the weights are there.
    pub fn is_done(&self) -> bool {
        let ended_well = |manifest: Manifest| manifest.outcome == Outcome::Done;
        self.read_manifest().is_ok_and(ended_well)
            && self.read_summary().is_ok()
            && self.read_rows().is_ok_and(|rows| !rows.is_empty())
            && self.weights_path().is_file()
    }

    /// Begins the run from nothing: makes the folder, removes what an unfinished run left there (its own files only),
    /// and writes `config`, the text of the run's complete config, and `manifest`, as running.
    ///
    /// # Errors
    /// [`RecordError::Finished`] if the run is done; otherwise if a file cannot be removed or written.
    pub fn start(&self, config: &str, manifest: Manifest) -> Result<RunWriter, RecordError> {
        if self.is_done() {
            return Err(RecordError::Finished { path: self.path.clone() });
        }
        self.create()?;
        self.clear()?;
        RunWriter::begin(self.path.clone(), config, manifest)
    }

    fn clear(&self) -> Result<(), RecordError> {
        for name in FILES {
            remove_if_there(fs_err::remove_file(self.path.join(name)))?;
        }
        remove_if_there(fs_err::remove_dir_all(self.path.join(CHECKPOINT)))?;
        for entry in fs_err::read_dir(&self.path)? {
            let entry = entry?;
            if is_temporary(&entry.file_name().to_string_lossy()) {
                fs_err::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// The text of the run's config.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read_config(&self) -> Result<String, RecordError> {
        Ok(fs_err::read_to_string(self.path.join(CONFIG))?)
    }

    /// The manifest.
    ///
    /// # Errors
    /// If it cannot be read, or is not one.
    pub fn read_manifest(&self) -> Result<Manifest, RecordError> {
        read_json(&self.path.join(MANIFEST))
    }

    /// The rows so far; see [`read_rows`].
    ///
    /// # Errors
    /// As [`read_rows`].
    pub fn read_rows(&self) -> Result<Vec<Row>, RecordError> {
        read_rows(&self.path.join(METRICS))
    }

    /// The summary.
    ///
    /// # Errors
    /// If it cannot be read, or is not one.
    pub fn read_summary(&self) -> Result<RunSummary, RecordError> {
        read_json(&self.path.join(SUMMARY))
    }

    /// The newest complete checkpoint: its step and its folder.
    ///
    /// # Errors
    /// If the folder of checkpoints cannot be read.
    pub fn latest_checkpoint(&self) -> Result<Option<(usize, PathBuf)>, RecordError> {
        Ok(checkpoints(&self.path.join(CHECKPOINT))?.into_iter().max())
    }
}

/// All complete checkpoints in `folder`; none where it does not exist.
pub(crate) fn checkpoints(folder: &Path) -> std::io::Result<Vec<(usize, PathBuf)>> {
    if !folder.try_exists()? {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let step = entry.file_name().to_str().and_then(|name| name.strip_prefix("step-")?.parse().ok());
        found.extend(step.map(|step| (step, entry.path())));
    }
    Ok(found)
}

/// Whether a kill left this beside one of the run's files.
fn is_temporary(name: &str) -> bool {
    name.ends_with(TEMPORARY_ENDING) && FILES.iter().any(|file| name.starts_with(&format!(".{file}.")))
}

/// A removal, where having nothing to remove is fine.
pub(crate) fn remove_if_there(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
