//! Why a task cannot be had.

use std::path::PathBuf;

/// Why a task cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// No task has this name.
    #[error("there is no task `{name}`; known: {known}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// All names, separated by commas.
        known: String,
    },
    /// The task exists, but not at this length.
    #[error("{task} cannot have seq_len = {seq_len}: {rule}; nearest allowed: {nearest}")]
    Length {
        /// The task's name.
        task: &'static str,
        /// The length asked for.
        seq_len: usize,
        /// Which lengths the task has, and why.
        rule: &'static str,
        /// The nearest length, or the two around the one asked for.
        nearest: String,
    },
    /// The task's options do not go together, or not with the length.
    #[error("{task}: {problem}")]
    Options {
        /// The task's name.
        task: &'static str,
        /// The options to blame, the first first.
        options: &'static [&'static str],
        /// What is wrong, what is allowed, and what to do.
        problem: String,
    },
    /// The task's data are not there.
    #[error("the data of task {task} are not there: {looked_for}; {advice}")]
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
        /// What was wanted and what is there.
        problem: String,
    },
}
