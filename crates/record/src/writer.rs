//! The sink that writes a run's folder.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fs_err::File;

use crate::atomic::{TEMPORARY_ENDING, sync_folder, write_synced};
use crate::error::to_json;
use crate::run_dir::{CHECKPOINT, CONFIG, MANIFEST, METRICS, SUMMARY, WEIGHTS, checkpoints, remove_if_there};
use crate::{Manifest, Outcome, RecordError, Row, RunSummary, Sink, timestamp, write_atomic};

/// Writes a run's folder while the run goes on. From [`RunDir::start`](crate::RunDir::start); ends with
/// [`finish`](Self::finish) or [`give_up`](Self::give_up). Dropped without either, the manifest still says running.
#[derive(Debug)]
pub struct RunWriter {
    path: PathBuf,
    manifest: Manifest,
    metrics: File,
    stop: Arc<AtomicBool>,
}

impl RunWriter {
    pub(crate) fn begin(path: PathBuf, config: &str, manifest: Manifest) -> Result<Self, RecordError> {
        write_atomic(path.join(CONFIG), config.as_bytes())?;
        let metrics = File::create(path.join(METRICS))?;
        let mut writer = Self { path, manifest, metrics, stop: Arc::default() };
        writer.manifest.ended = None;
        writer.manifest.outcome = Outcome::Running;
        writer.write_manifest()?;
        Ok(writer)
    }

    /// Makes [`should_stop`](Sink::should_stop) answer what `stop` holds, for example set by Ctrl-C.
    pub fn with_stop(self, stop: Arc<AtomicBool>) -> Self {
        Self { stop, ..self }
    }

    /// Writes the weights at the end, `model.safetensors`.
    ///
    /// # Errors
    /// If that fails.
    pub fn weights(&mut self, safetensors: &[u8]) -> Result<(), RecordError> {
        Ok(write_atomic(self.path.join(WEIGHTS), safetensors)?)
    }

    /// Ends the run with its summary; the manifest takes over its outcome and end. With [`Outcome::Done`] the run
    /// [`is_done`](crate::RunDir::is_done) from here on.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn finish(mut self, summary: &RunSummary) -> Result<(), RecordError> {
        self.metrics.sync_all()?;
        write_atomic(self.path.join(SUMMARY), &to_json(summary)?)?;
        self.manifest.ended = Some(summary.ended.clone());
        self.manifest.outcome = summary.outcome.clone();
        self.write_manifest()
    }

    /// Ends the run without a summary, now: failed or interrupted.
    ///
    /// # Errors
    /// If the manifest cannot be written.
    pub fn give_up(mut self, outcome: Outcome) -> Result<(), RecordError> {
        self.manifest.ended = Some(timestamp());
        self.manifest.outcome = outcome;
        self.write_manifest()
    }

    fn write_manifest(&self) -> Result<(), RecordError> {
        Ok(write_atomic(self.path.join(MANIFEST), &to_json(&self.manifest)?)?)
    }
}

impl Sink for RunWriter {
    /// One line in one piece, then flush: a killed run keeps every row it finished.
    fn row(&mut self, row: &Row) -> io::Result<()> {
        let mut line = serde_json::to_vec(row)?;
        line.push(b'\n');
        self.metrics.write_all(&line)?;
        self.metrics.flush()
    }

    /// Writes `checkpoint/step-<step>/`, then removes the older ones: a kill leaves either an old one or the new one
    /// complete. A step that is there already is left alone, because one step of one run has one state.
    fn checkpoint(&mut self, step: usize, files: &[(&str, &[u8])]) -> io::Result<()> {
        let folder = self.path.join(CHECKPOINT);
        let place = folder.join(format!("step-{step}"));
        if place.try_exists()? {
            return Ok(());
        }
        let temporary = folder.join(format!(".step-{step}{TEMPORARY_ENDING}"));
        // Rows that the checkpoint's state already counts must not be lost to a power cut that spares the checkpoint.
        self.metrics.sync_all()?;
        write_folder(&temporary, files)?;
        fs_err::rename(&temporary, &place)?;
        sync_folder(&place)?;
        remove_others(&folder, step)
    }

    fn should_stop(&mut self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// A folder with these files alone, all on the disk; nothing is left where that fails.
fn write_folder(folder: &Path, files: &[(&str, &[u8])]) -> io::Result<()> {
    remove_if_there(fs_err::remove_dir_all(folder))?;
    fs_err::create_dir_all(folder)?;
    let written = files.iter().try_for_each(|(name, bytes)| write_synced(&folder.join(name), bytes));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs_err::remove_dir_all(folder);
    }
    written
}

fn remove_others(folder: &Path, step: usize) -> io::Result<()> {
    let others = checkpoints(folder)?.into_iter().filter(|(other, _)| *other != step);
    others.into_iter().try_for_each(|(_, path)| fs_err::remove_dir_all(path))
}
