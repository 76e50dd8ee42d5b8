//! Where a setting was written.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use subquad_options::number;

/// The longest flag that a message repeats in full: a list may have a million values.
const LONGEST_FLAG: usize = 200;

/// The place that an error points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A line of a config file, or the file as a whole.
    File {
        /// The path as it was given.
        path: Arc<Path>,
        /// The line, counted from 1; `None` if no line is to blame.
        line: Option<usize>,
    },
    /// A `--set` flag.
    Flag {
        /// Its `KEY=VALUE`.
        text: Arc<str>,
    },
}

impl Origin {
    /// The file as a whole.
    pub(crate) fn file(path: &Path) -> Self {
        Self::File { path: path.into(), line: None }
    }

    /// The order of reports: lines in order, then the file as a whole, then flags.
    pub(crate) fn rank(&self) -> (u8, usize) {
        match self {
            Self::File { line: Some(line), .. } => (0, *line),
            Self::File { line: None, .. } => (1, 0),
            Self::Flag { .. } => (2, 0),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line: Some(line) } => write!(f, "{}:{line}", path.display()),
            Self::File { path, line: None } => write!(f, "{}", path.display()),
            Self::Flag { text } => write!(f, "--set {}", number::short_of(text, LONGEST_FLAG)),
        }
    }
}
