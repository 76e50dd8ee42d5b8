//! Continuing a run that a kill, a stop or an error has ended.

use std::path::PathBuf;

use crate::checkpoint::{self, Checkpoint, Index};
use crate::files::{CHECKPOINT, METRICS, PROOF, SUMMARY, WEIGHTS};
use crate::metrics::{Metrics, read_first};
use crate::{Manifest, RecordError, Resumption, RunDir, RunWriter};

/// Where an unfinished run can continue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResumePoint {
    /// The newest checkpoint that is whole; `None`: the run has to start again.
    pub checkpoint: Option<Checkpoint>,
    /// Why newer ones, or all, cannot be used, as text for people.
    pub notes: Vec<String>,
}

impl RunDir {
    /// Where the run can be continued as `manifest` says: from its newest checkpoint that is complete, file by file,
    /// with the rows that belong to it. There is none if the run was begun by another program, on another processor or
    /// device, or with another number of threads, because then it would not end like an uninterrupted run.
    ///
    /// # Errors
    /// If the folder of checkpoints cannot be read.
    pub fn resume_point(&self, manifest: &Manifest) -> Result<ResumePoint, RecordError> {
        let mut point = ResumePoint::default();
        let all = checkpoint::list(&self.checkpoints())?;
        let obstacle = if all.is_empty() { None } else { self.obstacle(manifest) };
        if obstacle.is_some() {
            return Ok(ResumePoint { notes: Vec::from_iter(obstacle), ..point });
        }
        for (step, _) in all {
            match self.read_checkpoint(step) {
                Ok(checkpoint) => return Ok(ResumePoint { checkpoint: Some(checkpoint), ..point }),
                Err(error) => point.notes.push(error.to_string()),
            }
        }
        Ok(point)
    }

    /// Continues after `step`, that of a checkpoint which [`resume_point`](Self::resume_point) found: cuts the rows
    /// back to those that the checkpoint counts, and removes what the run left after them. The manifest keeps when
    /// the run started, and notes that it continued, and the larger number of jobs.
    ///
    /// # Errors
    /// [`RecordError::Done`] if the run is done; otherwise if a file cannot be read, removed or written.
    pub fn resume(&self, step: usize, config: &str, manifest: Manifest) -> Result<RunWriter, RecordError> {
        self.refuse_if_done()?;
        let index = Index::read(&checkpoint::place(&self.checkpoints(), step))?;
        let before = self.read_manifest()?;
        self.remove_files(&[PROOF, SUMMARY, WEIGHTS])?;
        checkpoint::remove_after(&self.checkpoints(), step)?;
        let metrics = Metrics::cut(&self.path().join(METRICS), &index.rows)?;
        let mut resumed = before.resumed;
        resumed.push(Resumption { step, at: manifest.started });
        // Step times are carried over, so those of shared jobs make the whole shared.
        let jobs = manifest.jobs.max(before.jobs);
        let manifest = Manifest { started: before.started, jobs, resumed, ..manifest };
        RunWriter::begin(self.path().into(), config, metrics, manifest)
    }

    fn checkpoints(&self) -> PathBuf {
        self.path().join(CHECKPOINT)
    }

    fn obstacle(&self, manifest: &Manifest) -> Option<String> {
        match self.read_manifest() {
            Ok(before) => {
                manifest.differs_from(&before).map(|why| format!("its checkpoints are not used: {why}"))
            }
            Err(error) => Some(error.to_string()),
        }
    }

    fn read_checkpoint(&self, step: usize) -> Result<Checkpoint, RecordError> {
        let (checkpoint, index) = checkpoint::read(&self.checkpoints(), step)?;
        if !self.may_hold(&index.run) {
            return Err(index.foreign(&self.checkpoints()));
        }
        read_first(&self.path().join(METRICS), &index.rows)?;
        Ok(checkpoint)
    }
}
