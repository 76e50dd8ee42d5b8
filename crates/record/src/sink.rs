//! Where training writes what it measures.

use std::collections::BTreeMap;
use std::io;

use crate::{Checkpoint, Row};

/// Makes the files of a checkpoint, by name. It is called only if they are to be kept: they take as much memory again
/// as everything that is trained.
pub type MakeFiles<'a> = dyn Fn() -> io::Result<BTreeMap<String, Vec<u8>>> + 'a;

/// Takes what training emits. Training calls it and never opens a file itself.
pub trait Sink {
    /// Takes a row when it happens.
    ///
    /// # Errors
    /// If it cannot be kept; training should then stop.
    fn row(&mut self, row: &Row) -> io::Result<()>;

    /// Takes everything that is needed to continue after `step` steps. Rows that came before belong to it.
    ///
    /// # Errors
    /// If it cannot be made or kept; training should then stop.
    fn checkpoint(&mut self, step: usize, files: &MakeFiles<'_>) -> io::Result<()>;

    /// Whether training should stop after the current step.
    fn should_stop(&mut self) -> bool {
        false
    }
}

/// Keeps everything in memory, for trial runs and tests.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// All rows, in order.
    pub rows: Vec<Row>,
    /// All checkpoints, in order.
    pub checkpoints: Vec<Checkpoint>,
    /// Asks training to stop once there are this many rows.
    pub stop_after_rows: Option<usize>,
}

impl Sink for Memory {
    fn row(&mut self, row: &Row) -> io::Result<()> {
        self.rows.push(row.clone());
        Ok(())
    }

    fn checkpoint(&mut self, step: usize, files: &MakeFiles<'_>) -> io::Result<()> {
        self.checkpoints.push(Checkpoint { step, files: files()? });
        Ok(())
    }

    fn should_stop(&mut self) -> bool {
        self.stop_after_rows.is_some_and(|rows| self.rows.len() >= rows)
    }
}
