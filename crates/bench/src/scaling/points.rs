//! The sizes that a config asks for, each with the layers that are measured there side by side.

use subquad_record::Cell;

use crate::{Along, BenchOptions, Sizes, Subject, Subjects};

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

impl Point {
    /// All points of a config: lengths, then widths, each in the config's order.
    pub fn all(options: &BenchOptions, subjects: &'static Subjects) -> Vec<Self> {
        let named = |name: &String| subjects.find(name).expect("configs hold names of layers");
        let points = |along| {
            let subjects: Vec<_> = options.layers(along).iter().map(named).collect();
            let point = move |sizes| Self { along, sizes, subjects: subjects.clone() };
            options.sizes(along).into_iter().map(point)
        };
        Along::ALL.into_iter().flat_map(points).collect()
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
    pub(crate) fn has(&self, cell: &Cell) -> bool {
        self.subjects.iter().any(|subject| self.is_of(subject, cell))
    }

    fn is_of(&self, subject: &Subject, cell: &Cell) -> bool {
        let Sizes { batch, seq_len, d_model, .. } = self.sizes;
        (cell.mixer.as_str(), cell.batch, cell.seq_len, cell.d_model)
            == (subject.name, batch, seq_len, d_model)
    }
}
