//! What can go wrong between points and files.

use std::path::PathBuf;

/// Why a figure was not written or not read back.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// No point of the figure can be drawn.
    #[error(
        "figure `{figure}` has no point to draw: every x and y is missing, not finite, or not above 0 on a log axis"
    )]
    Empty {
        /// File stem of the figure.
        figure: String,
    },
    /// Two panels share a title, or two lines of a panel share a label, so that the CSV would merge them.
    #[error("figure `{figure}` has {what} twice; give each a name of its own")]
    Duplicate {
        /// File stem of the figure.
        figure: String,
        /// The panel or line, in words.
        what: String,
    },
    /// The file system refused; the message names the path.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A CSV file that is not a figure's table.
    #[error("{path}: not a figure's table (panel,line,x,y,low,high)")]
    Csv {
        /// The file.
        path: PathBuf,
        /// Where and what, in the words of the CSV reader.
        source: csv::Error,
    },
    /// The drawing or encoding library refused.
    #[error("{path}: cannot draw: {reason}")]
    Draw {
        /// The file that was being made.
        path: PathBuf,
        /// The library's words.
        reason: String,
    },
}
