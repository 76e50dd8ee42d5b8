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
    /// A page is too tall for image viewers.
    #[error(
        "figure `{figure}` would be {height} points tall, with {panels} panels and {labels} labels in its legend; at most {most} \
         are drawn, about 300 panels: draw fewer, for example by splitting its table"
    )]
    TooTall {
        /// File stem of the figure.
        figure: String,
        /// The number of its panels.
        panels: usize,
        /// The number of labels in its legend.
        labels: usize,
        /// Its height, in points.
        height: u64,
        /// The largest height.
        most: u64,
    },
    /// A CSV file does not have the columns of a figure's table.
    #[error("{}:1: not a figure's table: expected the columns panel,line,x,y,low,high, got {got}", path.display())]
    Columns {
        /// The file.
        path: PathBuf,
        /// Its first line.
        got: String,
    },
    /// A row of a figure's table has too many or too few fields.
    #[error("{}:{line}: expected 6 fields (panel,line,x,y,low,high), got {got}", path.display())]
    Fields {
        /// The file.
        path: PathBuf,
        /// Where the row begins, from 1.
        line: u64,
        /// The number of its fields.
        got: usize,
    },
    /// A field of a figure's table is not a number.
    #[error(
        "{}:{line}: column {column}: expected a number such as 0.5, 1e-3, or NaN for a missing value, got `{got}`",
        path.display()
    )]
    Number {
        /// The file.
        path: PathBuf,
        /// Where the row begins, from 1.
        line: u64,
        /// The column's name.
        column: &'static str,
        /// The field.
        got: String,
    },
    /// A CSV file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// The error of the CSV library, which says where and what.
        source: csv::Error,
    },
    /// The drawing or encoding library failed.
    #[error("{path}: cannot draw: {reason}")]
    Draw {
        /// The file that was being made.
        path: PathBuf,
        /// The message from the library.
        reason: String,
    },
}
