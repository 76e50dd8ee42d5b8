//! The sizes that a config asks for, each with the layers that are measured there side by side.

use subquad_record::Cell;

use crate::{Along, BenchOptions, ModelCell, ModelSizes, ModelSubject, Sizes, Subject, Subjects};

/// One size.
#[derive(Debug, Clone)]
pub struct Point {
    /// What grows.
    pub along: Along,
    /// The size.
    pub sizes: Sizes,
    /// The layers, in the config's order; none along contexts.
    pub subjects: Vec<&'static Subject>,
    /// The models, in the config's order; only along contexts.
    pub models: Vec<&'static ModelSubject>,
    /// Their sizes.
    pub model_sizes: ModelSizes,
}

impl Point {
    /// All points of a config: lengths, then widths, then contexts, each in the config's order.
    pub fn all(options: &BenchOptions, subjects: &'static Subjects) -> Vec<Self> {
        let named = |name: &String| subjects.find(name).expect("configs hold names of layers");
        let model = |name: &String| subjects.model(name).expect("configs hold names of mixers");
        let model_sizes = options.model_sizes();
        let points = |along| {
            let layers = options.layers(along).iter();
            let (subjects, models): (Vec<_>, Vec<_>) = match along {
                Along::Length | Along::Width => (layers.map(named).collect(), vec![]),
                Along::Context => (vec![], layers.map(model).collect()),
            };
            let point = move |sizes| {
                let (subjects, models) = (subjects.clone(), models.clone());
                Self { along, sizes, subjects, models, model_sizes }
            };
            options.sizes(along).into_iter().map(point)
        };
        Along::ALL.into_iter().flat_map(points).collect()
    }

    /// Such as `length 256`.
    pub fn title(&self) -> String {
        let size = match self.along {
            Along::Length | Along::Context => self.sizes.seq_len,
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

    /// Its models among these cells, in the order of its models, in all their ways of decoding.
    pub fn models_in<'a>(&self, cells: &'a [ModelCell]) -> Vec<&'a ModelCell> {
        let of = |model: &'a ModelSubject| cells.iter().filter(|cell| self.is_of_model(model, cell));
        self.models.iter().flat_map(|model| of(model)).collect()
    }

    /// Whether all its models are among these cells and were measured side by side by one command.
    pub fn has_models(&self, cells: &[ModelCell]) -> bool {
        let measured = self.models_in(cells);
        let is_there = |model: &&ModelSubject| measured.iter().any(|cell| cell.decode.mixer == model.name);
        let when = |cell: &ModelCell| cell.decode.provenance.measured.clone();
        self.models.iter().all(is_there) && measured.iter().all(|cell| when(cell) == when(measured[0]))
    }

    fn is_of_model(&self, model: &ModelSubject, cell: &ModelCell) -> bool {
        let at = (cell.decode.mixer.as_str(), cell.decode.context, cell.sizes());
        at == (model.name, self.sizes.seq_len, self.model_sizes)
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
