//! Why a task is not available.

use std::path::PathBuf;

use subquad_options::Refusal;

/// Why a task is not available.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // Each message says what its fields are.
pub enum TaskError {
    /// The task exists, but not at this length.
    #[error("{task} cannot have seq_len = {seq_len}: {reason}")]
    Length { task: &'static str, seq_len: usize, reason: String },
    /// The task's options do not go together, or not with the length.
    #[error("{task}: {refusal}")]
    Options { task: &'static str, refusal: Refusal },
    /// The task's data are missing.
    #[error("the data of task {task} are missing: {looked_for}; {advice}")]
    NoData { task: &'static str, looked_for: String, advice: String },
    /// A file of the task's data is not what it should be.
    #[error("{}: {problem}", path.display())]
    BadData { path: PathBuf, problem: String },
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
