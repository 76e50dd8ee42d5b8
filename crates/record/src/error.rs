//! What can go wrong with a record.

use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Why a record could not be written or read.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // Each message says what its fields are.
pub enum RecordError {
    /// Reading or writing failed; the text names the path.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A file is not the JSON it should be.
    #[error("{}: {source}", path.display())]
    Json { path: PathBuf, source: serde_json::Error },
    /// A line of a metrics file before its torn end is not a row.
    #[error("{}:{line}: not a row of metrics ({source}); the file was changed after it was written", path.display())]
    Line { path: PathBuf, line: usize, source: serde_json::Error },
    /// A file is not as it was written.
    #[error("{}: damaged ({what})", path.display())]
    Damaged { path: PathBuf, what: String },
    /// A run that claims to be done has no proof.
    #[error("{}: missing, so nothing shows that the run's files are its own (earlier versions wrote none)", path.display())]
    Unproven { path: PathBuf },
    /// A measurement is not as it was written, or is another study's.
    #[error("{}:{line}: damaged ({what})", path.display())]
    DamagedLine { path: PathBuf, line: usize, what: String },
    /// A table could not be written.
    #[error(transparent)]
    Csv(#[from] csv::Error),
    /// A name is not one of a run.
    #[error("`{name}` does not name a run; expected <mixer>-L<seq_len>-s<seed>-<8 hex digits>")]
    RunName { name: String },
    /// The run is done: starting it again would lose it.
    #[error("{} holds a finished run; delete the folder to run it again", path.display())]
    Done { path: PathBuf },
    /// A study's fact has a name that the record itself uses.
    #[error("a fact cannot be called `{name}`: summary.json has its own `{name}`")]
    FactName { name: String },
}

impl RecordError {
    pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.into(), what: what.into() }
    }
}

/// The JSON of `path` as a `T`.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RecordError> {
    let text = fs_err::read_to_string(path)?;
    serde_json::from_str(&text).map_err(|source| RecordError::Json { path: path.into(), source })
}

/// `value` as indented JSON with a newline at its end.
pub(crate) fn to_json(value: &impl serde::Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}
