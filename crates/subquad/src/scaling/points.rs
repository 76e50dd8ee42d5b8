//! The sizes that a config asks for, each with the layers that are measured there side by side.

use subquad_bench::{Sizes, Subject, Subjects};
use subquad_record::Cell;

use crate::config::BenchOptions;

/// What grows from point to point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Along {
    /// The sequence.
    Length,
    /// The width.
    Width,
}

/// One size.
#[derive(Debug, Clone)]
pub struct Point {
    /// What grows.
    pub along: Along,
    /// The size.
    pub sizes: Sizes,
    /// The layers, in the config's order.
    pub subjects: Vec<&'static Subject>,
}

impl Along {
    /// The word for it before a number.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Width => "width",
        }
    }

    /// The plural of what it counts.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Length => "tokens",
            Self::Width => "channels",
        }
    }

    /// The length or the width of a cell.
    pub fn of(self, cell: &Cell) -> usize {
        match self {
            Self::Length => cell.seq_len,
            Self::Width => cell.d_model,
        }
    }
}

impl Point {
    /// All points of a config: lengths, then widths, each in the config's order.
    pub fn all(options: &BenchOptions, subjects: &'static Subjects) -> Vec<Self> {
        let named = |names: &[String]| -> Vec<&'static Subject> {
            names.iter().map(|name| subjects.find(name).expect("configs hold names of layers")).collect()
        };
        let point = |along, names: &[String]| {
            let subjects = named(names);
            move |sizes| Self { along, sizes, subjects: subjects.clone() }
        };
        let lengths = options.along_length().into_iter().map(point(Along::Length, &options.mixers));
        let widths = options.along_width().into_iter().map(point(Along::Width, &options.channel_mixers));
        lengths.chain(widths).collect()
    }

    /// Such as `length 256`.
    pub fn title(&self) -> String {
        let size = match self.along {
            Along::Length => self.sizes.seq_len,
            Along::Width => self.sizes.d_model,
        };
        format!("{} {size}", self.along.as_str())
    }

    /// Its cells among these, in the order of its layers; fewer than layers where it has not been measured.
    pub fn cells<'a>(&self, cells: &'a [Cell]) -> Vec<&'a Cell> {
        let mine = |subject: &&Subject| cells.iter().find(|cell| self.is_of(subject, cell));
        self.subjects.iter().filter_map(mine).collect()
    }

    /// Whether all its layers are among these cells and were measured side by side by one command.
    pub fn is_measured(&self, cells: &[Cell]) -> bool {
        let measured = self.cells(cells);
        measured.len() == self.subjects.len()
            && measured.iter().all(|cell| cell.provenance.measured == measured[0].provenance.measured)
    }

    /// Whether a cell measures one of its layers at its size.
    pub fn has(&self, cell: &Cell) -> bool {
        self.subjects.iter().any(|subject| self.is_of(subject, cell))
    }

    fn is_of(&self, subject: &Subject, cell: &Cell) -> bool {
        let Sizes { batch, seq_len, d_model, .. } = self.sizes;
        (cell.mixer.as_str(), cell.batch, cell.seq_len, cell.d_model)
            == (subject.name, batch, seq_len, d_model)
    }
}
