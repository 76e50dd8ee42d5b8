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

/// The text that entries come from.
pub(crate) enum Source {
    File { path: Arc<Path>, lines: Lines },
    Flag { text: Arc<str> },
}

impl Source {
    /// Where the byte at `offset` is.
    pub(crate) fn origin(&self, offset: usize) -> Origin {
        match self {
            Self::File { path, lines } => Origin::File { path: path.clone(), line: Some(lines.of(offset)) },
            Self::Flag { text } => Origin::Flag { text: text.clone() },
        }
    }
}

/// Where the lines of a text end. A list may have very many values, each with its place: counting line ends again for
/// each would take time quadratic in the list's length.
pub(crate) struct Lines(Vec<usize>);

impl Lines {
    pub(crate) fn new(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(ends.map(|(offset, _)| offset).collect())
    }

    /// The line of the byte at `offset`, counted from 1.
    fn of(&self, offset: usize) -> usize {
        1 + self.0.partition_point(|end| *end < offset)
    }
}
