//! The sink that writes a run's folder.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fs_err::PathExt;
use serde::{Deserialize, Serialize};

use crate::checkpoint::{self, Checkpoint};
use crate::digest::Digest;
use crate::error::to_json;
use crate::files::{CHECKPOINT, CONFIG, MANIFEST, METRICS, PROOF, SUMMARY, WEIGHTS, folder_name};
use crate::metrics::Metrics;
use crate::sink::MakeFiles;
use crate::{Manifest, Outcome, RecordError, Row, RunSummary, Sink, timestamp, write_atomic};

/// Writes a run's folder while the run continues. It comes from [`RunDir::start`](crate::RunDir::start) or
/// [`RunDir::resume`](crate::RunDir::resume); and ends with [`finish`](Self::finish) or [`give_up`](Self::give_up). If
/// it is dropped without either, the manifest still says running.
#[derive(Debug)]
pub struct RunWriter {
    path: PathBuf,
    manifest: Manifest,
    metrics: Metrics,
    /// What was written, for the proof.
    files: BTreeMap<String, Digest>,
    stop: Arc<AtomicBool>,
}

impl RunWriter {
    pub(crate) fn begin(
        path: PathBuf,
        config: &str,
        metrics: Metrics,
        manifest: Manifest,
    ) -> Result<Self, RecordError> {
        let (files, stop) = (BTreeMap::new(), Arc::default());
        let mut writer = Self { path, manifest, metrics, files, stop };
        writer.put(CONFIG, config.as_bytes())?;
        writer.manifest.ended = None;
        writer.manifest.outcome = Outcome::Running;
        writer.write_manifest()?;
        Ok(writer)
    }

    /// Makes [`should_stop`](Sink::should_stop) return the value of `stop`, for example set by Ctrl-C.
    pub fn with_stop(self, stop: Arc<AtomicBool>) -> Self {
        Self { stop, ..self }
    }

    /// The present manifest: that of this process, with the entries that earlier ones left in it.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Writes the weights at the end, `model.safetensors`.
    ///
    /// # Errors
    /// If that fails.
    pub fn weights(&mut self, safetensors: &[u8]) -> Result<(), RecordError> {
        self.put(WEIGHTS, safetensors)
    }

    /// Ends the run with its summary; the manifest takes over its outcome and end. With [`Outcome::Done`] the proof follows:
    /// the run [`is_done`](crate::RunDir::is_done) from here on, and no longer needs its checkpoints: they are removed.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn finish(mut self, summary: &RunSummary) -> Result<(), RecordError> {
        let rows = self.metrics.sync()?;
        self.files.insert(METRICS.into(), rows);
        self.put(SUMMARY, &to_json(summary)?)?;
        self.manifest.ended = Some(summary.ended.clone());
        self.manifest.outcome = summary.outcome.clone();
        self.write_manifest()?;
        if self.manifest.outcome == Outcome::Done {
            Proof { run: summary.run.clone(), files: self.files }.write(&self.path)?;
            // A run stays done even if its checkpoints cannot be removed.
            let _ = fs_err::remove_dir_all(self.path.join(CHECKPOINT));
        }
        Ok(())
    }

    /// Ends the run now, without a summary: failed or interrupted.
    ///
    /// # Errors
    /// If the manifest cannot be written.
    pub fn give_up(mut self, outcome: Outcome) -> Result<(), RecordError> {
        self.manifest.ended = Some(timestamp());
        self.manifest.outcome = outcome;
        self.write_manifest()
    }

    fn write_manifest(&mut self) -> Result<(), RecordError> {
        self.put(MANIFEST, &to_json(&self.manifest)?)
    }

    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), RecordError> {
        write_atomic(self.path.join(name), bytes)?;
        self.files.insert(name.into(), Digest::of(bytes));
        Ok(())
    }
}

impl Sink for RunWriter {
    fn row(&mut self, row: &Row) -> io::Result<()> {
        self.metrics.push(row)
    }

    /// Writes `checkpoint/step-<step>/` and keeps the one before. An existing step is not written again, because one
    /// step of one run has one state.
    fn checkpoint(&mut self, step: usize, files: &MakeFiles<'_>) -> io::Result<()> {
        let folder = self.path.join(CHECKPOINT);
        if checkpoint::place(&folder, step).fs_err_try_exists()? {
            return Ok(());
        }
        // A power cut that spares the checkpoint must not lose rows that the checkpoint's state already counts.
        let rows = self.metrics.sync()?;
        checkpoint::write(&folder, &folder_name(&self.path), &Checkpoint { step, files: files()? }, rows)
    }

    fn should_stop(&mut self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// The contents of `proof.json`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Proof {
    pub(crate) run: String,
    pub(crate) files: BTreeMap<String, Digest>,
}

impl Proof {
    pub(crate) fn write(&self, folder: &Path) -> Result<(), RecordError> {
        Ok(write_atomic(folder.join(PROOF), &to_json(self)?)?)
    }
}
