//! Why a task is not available.

use std::path::PathBuf;

use subquad_options::Refusal;

/// Why a task is not available.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// The task exists, but not at this length.
    #[error("{task} cannot have seq_len = {seq_len}: {reason}")]
    Length {
        /// The task's name.
        task: &'static str,
        /// The length asked for.
        seq_len: usize,
        /// Which lengths the task has, why, and the nearest.
        reason: String,
    },
    /// The task's options do not go together, or not with the length.
    #[error("{task}: {refusal}")]
    Options {
        /// The task's name.
        task: &'static str,
        /// What is wrong, and the options to blame.
        refusal: Refusal,
    },
    /// The task's data are missing.
    #[error("the data of task {task} are missing: {looked_for}; {advice}")]
    NoData {
        /// The task's name.
        task: &'static str,
        /// Where they were looked for.
        looked_for: String,
        /// What to do.
        advice: String,
    },
    /// A file of the task's data is not what it should be.
    #[error("{}: {problem}", path.display())]
    BadData {
        /// The file.
        path: PathBuf,
        /// What was wanted and what was found.
        problem: String,
    },
}

impl TaskError {
    /// The task refuses these options, or `seq_len` if none is to blame.
    pub(crate) fn refused(task: &'static str, seq_len: usize, refusal: Refusal) -> Self {
        match refusal.fields.is_empty() {
            true => Self::Length { task, seq_len, reason: refusal.reason },
            false => Self::Options { task, refusal },
        }
    }
}
