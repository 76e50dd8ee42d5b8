//! One run's folder: where its files are, whether it is done, and reading them back.

use std::path::{Path, PathBuf};

use crate::atomic::TEMPORARY_ENDING;
use crate::error::{read_json, to_json};
use crate::files::{
    CHECKPOINT, CONFIG, FILES, LOCK, MANIFEST, METRICS, RUNS, SUMMARY, WEIGHTS, folder_name, remove_if_there,
};
use crate::metrics::Metrics;
use crate::{
    Attempt, Held, Lock, Manifest, Outcome, RecordError, Row, RunName, RunSummary, RunWriter, read_rows,
    timestamp, write_atomic,
};

/// The folder `results/<slug>/runs/<RunName>/`. It need not exist yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

impl RunDir {
    /// The folder of run `name` of study `slug`. Touches no file.
    pub fn open(results: &Path, slug: &str, name: &RunName) -> Self {
        Self { path: results.join(slug).join(RUNS).join(name.to_string()) }
    }

    /// The folder of a run at `path`, whatever its name. Touches no file.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Makes the folder, and those above it, if missing.
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

    /// The folder's own name.
    pub(crate) fn name(&self) -> String {
        folder_name(&self.path)
    }

    /// Where the run's complete config is.
    pub fn config_path(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    /// Where the weights at the end are.
    pub fn weights_path(&self) -> PathBuf {
        self.path.join(WEIGHTS)
    }

    /// Whether a process has begun the run, however far it got.
    pub fn is_begun(&self) -> bool {
        FILES.iter().any(|name| self.path.join(name).exists())
    }

    /// Tries to take the run's lock, which keeps other processes from working on the run. Makes its folder; does not
    /// wait.
    ///
    /// # Errors
    /// As [`Lock::try_take`].
    pub fn try_lock(&self) -> Result<Attempt, RecordError> {
        Lock::try_take(&self.path.join(LOCK))
    }

    /// Who works on the run now, if anyone.
    ///
    /// # Errors
    /// As [`Held::at`].
    pub fn held(&self) -> Result<Option<Held>, RecordError> {
        Held::at(&self.path.join(LOCK))
    }

    /// Removes what the run has left, done or not, so that it begins from nothing. Removes only its own files; the lock stays.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub fn discard(&self) -> Result<(), RecordError> {
        if !self.path.try_exists()? {
            return Ok(());
        }
        self.remove_files(&FILES)?;
        self.remove_checkpoints()
    }

    /// Begins the run from nothing: makes the folder, removes what an unfinished run left there (its own files only),
    /// and writes `config`, the text of the run's complete config, and `manifest`, as running.
    ///
    /// # Errors
    /// [`RecordError::Done`] if the run is done; otherwise if a file cannot be removed or written.
    pub fn start(&self, config: &str, manifest: Manifest) -> Result<RunWriter, RecordError> {
        self.refuse_if_done()?;
        self.create()?;
        self.discard()?;
        let metrics = Metrics::create(&self.path.join(METRICS))?;
        RunWriter::begin(self.path.clone(), config, metrics, manifest)
    }

    pub(crate) fn refuse_if_done(&self) -> Result<(), RecordError> {
        match self.is_done() {
            true => Err(RecordError::Done { path: self.path.clone() }),
            false => Ok(()),
        }
    }

    /// Notes that the run has failed, now, and why. An existing manifest keeps its other entries, so that the run can
    /// still continue from its checkpoints; if there is none, `manifest` is written next to `config`, the text of the
    /// run's complete config. A run that is done stays so. The caller holds the run's lock.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn fail(&self, config: &str, manifest: Manifest, why: &str) -> Result<(), RecordError> {
        if self.is_done() {
            return Ok(());
        }
        let manifest = match self.read_manifest() {
            Ok(before) => before,
            Err(_) => {
                self.create()?;
                write_atomic(self.path.join(CONFIG), config.as_bytes())?;
                manifest
            }
        };
        let (outcome, ended) = (Outcome::Failed(why.into()), Some(timestamp()));
        let ended = Manifest { outcome, ended, ..manifest };
        Ok(write_atomic(self.path.join(MANIFEST), &to_json(&ended)?)?)
    }

    /// Removes the checkpoints that a kill at its very end left of a done run, unless a process is working on it.
    ///
    /// # Errors
    /// If that fails.
    pub fn remove_left_checkpoints(&self) -> Result<(), RecordError> {
        if !self.path.join(CHECKPOINT).try_exists()? {
            return Ok(());
        }
        match self.try_lock()? {
            Attempt::Taken(_lock) if self.is_done() => self.remove_checkpoints(),
            Attempt::Taken(_) | Attempt::Held(_) => Ok(()),
        }
    }

    /// Removes all checkpoints.
    ///
    /// # Errors
    /// If that fails.
    pub(crate) fn remove_checkpoints(&self) -> Result<(), RecordError> {
        Ok(remove_if_there(fs_err::remove_dir_all(self.path.join(CHECKPOINT)))?)
    }

    /// Removes these files of the run, and temporary files that a kill left.
    pub(crate) fn remove_files(&self, names: &[&str]) -> Result<(), RecordError> {
        for name in names {
            remove_if_there(fs_err::remove_file(self.path.join(name)))?;
        }
        for entry in fs_err::read_dir(&self.path)? {
            let entry = entry?;
            if is_temporary(&entry.file_name().to_string_lossy()) {
                fs_err::remove_file(entry.path())?;
            }
        }
        Ok(())
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
}

/// Whether this is a temporary file of one of the run's files, left by a kill.
fn is_temporary(name: &str) -> bool {
    name.ends_with(TEMPORARY_ENDING) && FILES.iter().any(|file| name.starts_with(&format!(".{file}.")))
}
