//! Ends a run that could not do so itself: it was never begun, or its process died.

use crate::error::to_json;
use crate::run_dir::{CONFIG, MANIFEST};
use crate::{Manifest, Outcome, RecordError, RunDir, timestamp, write_atomic};

impl RunDir {
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
                write_atomic(self.path().join(CONFIG), config.as_bytes())?;
                manifest
            }
        };
        let (outcome, ended) = (Outcome::Failed(why.into()), Some(timestamp()));
        let ended = Manifest { outcome, ended, ..manifest };
        Ok(write_atomic(self.path().join(MANIFEST), &to_json(&ended)?)?)
    }
}
