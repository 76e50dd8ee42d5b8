//! What the commands do with the models of a registry of mixers, whatever the types of its mixers.

use std::io::Write;

use subquad_record::{RecordError, RunSummary};
use subquad_train::TrainError;

use crate::commands::generate;
use crate::model::Facts;
use crate::registry::Registry;
use crate::session::Session;
use crate::study::{PlannedRun, Study};
use crate::{Failure, Stop};

/// Why a run has no summary.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Training ended early.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The folder could not be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The run is named by contents that are no longer there.
    #[error("the data of task {task} changed after the command started; start it again")]
    DataChanged {
        /// The task.
        task: &'static str,
    },
    /// The task cannot be opened.
    #[error(transparent)]
    Task(#[from] subquad_data::TaskError),
}

/// The commands know mixers only by name: whatever needs their types is behind this trait.
pub trait Program: Registry {
    /// What is known about a run's model without its weights.
    fn facts(&self, run: &PlannedRun) -> Facts;

    /// Trains and evaluates one run and writes its folder. `position` is the run's position among all, such as `[3/18]`.
    ///
    /// # Errors
    /// See [`RunError`]. The folder then says how the run ended.
    fn execute(
        &self,
        run: &PlannedRun,
        study: &Study,
        session: &Session<'_>,
        position: &str,
    ) -> Result<RunSummary, RunError>;

    /// Trains a run for `steps` steps, keeping nothing.
    ///
    /// # Errors
    /// What went wrong.
    fn smoke(&self, run: &PlannedRun, steps: usize) -> Result<(), Failure>;

    /// The command `generate`.
    ///
    /// # Errors
    /// Wrong input, before anything is written; otherwise whatever went wrong on the way.
    fn generate(&self, args: &generate::Args, stop: Stop, out: &mut dyn Write) -> Result<(), Failure>;
}
