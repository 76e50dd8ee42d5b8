//! What can go wrong between points and files.

use std::path::PathBuf;

/// Why a figure was not written or not read back.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)] // Each message says what its fields are.
pub enum PlotError {
    /// No point of the figure can be drawn.
    #[error(
        "figure `{figure}` has no point to draw: every x and y is missing, not finite, or not above 0 on a log axis"
    )]
    Empty { figure: String },
    /// Two panels share a title, or two lines of a panel share a label, so that the CSV would merge them.
    #[error("figure `{figure}` has {what} twice; give each a name of its own")]
    Duplicate { figure: String, what: String },
    /// The file system refused; the message names the path.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A page is too tall for image viewers.
    #[error(
        "figure `{figure}` would be {height} points tall, with {panels} panels and {labels} labels in its legend; at most {most} \
         are drawn, about 300 panels: draw fewer, for example by splitting its table"
    )]
    TooTall { figure: String, panels: usize, labels: usize, height: u64, most: u64 },
    /// A CSV file does not have the columns of a figure's table.
    #[error("{}:1: not a figure's table: expected the columns panel,line,x,y,low,high, got {got}", path.display())]
    Columns { path: PathBuf, got: String },
    /// A row of a figure's table has too many or too few fields.
    #[error("{}:{line}: expected 6 fields (panel,line,x,y,low,high), got {got}", path.display())]
    Fields { path: PathBuf, line: u64, got: usize },
    /// A field of a figure's table is not a number.
    #[error(
        "{}:{line}: column {column}: expected a number such as 0.5, 1e-3, or NaN for a missing value, got `{got}`",
        path.display()
    )]
    Number { path: PathBuf, line: u64, column: &'static str, got: String },
    /// A CSV file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Csv { path: PathBuf, source: csv::Error },
    /// The drawing or encoding library failed.
    #[error("{path}: cannot draw: {reason}")]
    Draw { path: PathBuf, reason: String },
}
