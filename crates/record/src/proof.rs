//! What shows that a run is done, and that its folder contains the files of this run and of no other.
//!
//! `proof.json` names the run (a name ends in the hash of the run's settings) and gives size and SHA-256 of its files.
//! It is written last: a kill before that leaves a run that is not done.

use std::path::PathBuf;

use fs_err::PathExt;

use crate::error::read_json;
use crate::files::{ASIDE, CONFIG, FILES, MANIFEST, METRICS, PROOF, SUMMARY, WEIGHTS, remove_if_there};
use crate::writer::Proof;
use crate::{Outcome, RecordError, RunDir, RunName, RunSummary};

/// What a proof is about; the large files are last.
const PROVEN: [&str; 5] = [CONFIG, MANIFEST, SUMMARY, METRICS, WEIGHTS];

/// What a run's folder shows about the run.
#[derive(Debug)]
pub enum RunStatus {
    /// The run is not done: not begun, at work, failed or stopped.
    Unfinished,
    /// The run is done, and every file is as it was written.
    Done(Box<RunSummary>),
    /// The run seems done, but a file of it is missing, changed, or another run's. The error names it.
    Damaged(RecordError),
}

impl RunDir {
    /// Whether the run is done. Reads all of its files.
    pub fn status(&self) -> RunStatus {
        match self.path().join(PROOF).fs_err_try_exists() {
            Ok(false) if !self.seems_done() => RunStatus::Unfinished,
            Ok(false) => RunStatus::Damaged(RecordError::Unproven { path: self.path().join(PROOF) }),
            Ok(true) => {
                self.prove().map_or_else(RunStatus::Damaged, |summary| RunStatus::Done(summary.into()))
            }
            Err(error) => RunStatus::Damaged(error.into()),
        }
    }

    /// Whether the run is [`RunStatus::Done`].
    pub fn is_done(&self) -> bool {
        matches!(self.status(), RunStatus::Done(_))
    }

    /// Moves the files of a damaged run into a folder within its own, so that it can begin from nothing and nothing is
    /// lost except what an earlier call has put there. Returns that folder.
    ///
    /// # Errors
    /// If a file cannot be moved.
    pub fn set_aside(&self) -> Result<PathBuf, RecordError> {
        let aside = self.path().join(ASIDE);
        fs_err::create_dir_all(&aside)?;
        for name in FILES {
            remove_if_there(fs_err::rename(self.path().join(name), aside.join(name)))?;
        }
        Ok(aside)
    }

    /// A folder with the name of a run contains that run; one of another name, such as a copy, may contain any.
    pub(crate) fn may_hold(&self, run: &str) -> bool {
        let name = self.name();
        name == run || name.parse::<RunName>().is_err()
    }

    fn seems_done(&self) -> bool {
        self.read_manifest().is_ok_and(|manifest| manifest.outcome == Outcome::Done)
    }

    fn prove(&self) -> Result<RunSummary, RecordError> {
        let path = self.path().join(PROOF);
        let proof: Proof = read_json(&path)?;
        if !self.may_hold(&proof.run) {
            return Err(RecordError::damaged(&path, format!("of run {}", proof.run)));
        }
        for name in PROVEN {
            let written = proof.files.get(name);
            let written = written.ok_or_else(|| RecordError::damaged(&path, format!("without {name}")))?;
            written
                .check_file(&self.path().join(name))
                .map_err(|error| self.tell_owner(name, &proof, error))?;
        }
        self.read_summary()
    }

    /// Adds to the error whose summary replaces the run's own, if that is known.
    fn tell_owner(&self, name: &str, proof: &Proof, error: RecordError) -> RecordError {
        match self.read_summary() {
            Ok(summary) if name == SUMMARY && summary.run != proof.run => {
                RecordError::damaged(&self.path().join(SUMMARY), format!("of run {}", summary.run))
            }
            _ => error,
        }
    }
}
