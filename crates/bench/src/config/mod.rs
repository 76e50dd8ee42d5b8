//! Configs that measure: a section `[bench]`. Layers are measured at every length and width, models after every context; nothing
//! is trained.

mod complaints;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use subquad_config::{Assignment, Combination, ConfigErrors, Quota, Schema, Sheet};
use subquad_options::range::LONGEST_SEQ;
use subquad_options::{Field, Kind, Options};
use subquad_record::{Cell, run_hash};

use self::complaints::{complaints, measurements};
use crate::{D_STATE, ModelSizes, STEPS, Site, Sizes, Subject, Subjects};

/// The section that makes a config one that measures.
pub const SECTION: &str = "bench";

/// What grows from size to size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Along {
    /// The sequence.
    Length,
    /// The width.
    Width,
    /// The tokens before those that are decoded.
    Context,
}

impl Along {
    /// All, in the order of points and reports.
    pub const ALL: [Self; 3] = [Self::Length, Self::Width, Self::Context];

    /// The word for it in front of a number.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Length => "length",
            Self::Width => "width",
            Self::Context => "context",
        }
    }

    /// The plural of what it counts.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Length | Self::Context => "tokens",
            Self::Width => "channels",
        }
    }

    /// The length or the width of a cell.
    pub(crate) fn of(self, cell: &Cell) -> usize {
        match self {
            Self::Length | Self::Context => cell.seq_len,
            Self::Width => cell.d_model,
        }
    }
}

/// Section `[bench]`.
#[derive(Options, Debug, Clone, PartialEq)]
pub struct BenchOptions {
    /// Layers along the sequence, side by side at every length.
    #[config(default = "vec![]")]
    pub mixers: Vec<String>,
    /// Sequence lengths, in tokens.
    #[config(default = "vec![]")]
    #[option(range = 1..=LONGEST_SEQ)]
    pub lengths: Vec<usize>,
    /// Layers along the width, side by side at every width.
    #[config(default = "vec![]")]
    pub channel_mixers: Vec<String>,
    /// Widths, in channels.
    #[config(default = "vec![]")]
    #[option(range = 1..=65536)]
    pub widths: Vec<usize>,
    /// Mixers of whole models that decode one sequence token by token, side by side after every context: an embedding of bytes,
    /// n_layers blocks of the mixer, every option at its default, and a dense MLP, a norm and a head.
    #[config(default = "vec![]")]
    pub models: Vec<String>,
    /// Tokens before those that are decoded.
    #[config(default = "vec![]")]
    #[option(range = 1..=LONGEST_SEQ)]
    pub contexts: Vec<usize>,
    /// Sequences per batch, over lengths.
    #[config(default = 4)]
    #[option(range = 1..=65536)]
    pub batch: usize,
    /// Width of input and output, over lengths and contexts.
    #[config(default = 128)]
    #[option(range = 1..=65536)]
    pub d_model: usize,
    /// Tokens of the one sequence, over widths.
    #[config(default = 256)]
    #[option(range = 1..=LONGEST_SEQ)]
    pub tokens: usize,
    /// Blocks of a model, over contexts.
    #[config(default = 4)]
    #[option(range = 1..=64)]
    pub n_layers: usize,
    /// Hidden width of a channel mixer, or of the MLPs of a model, as a multiple of its width.
    #[config(default = 2)]
    #[option(range = 1..=64)]
    pub hidden_factor: usize,
    /// Blocks of the block_diagonal layers; widths are padded to a multiple. The others ignore it: Monarch matrices are cut near the
    /// root.
    #[config(default = 4)]
    #[option(range = 1..=1024)]
    pub n_blocks: usize,
    /// Time for the repeats of each layer at each size; there are at least three repeats.
    #[config(default = 3.0)]
    #[option(range = SECONDS)]
    pub seconds: f64,
}

const SECONDS: subquad_options::range::Ends =
    (std::ops::Bound::Excluded(0.0), std::ops::Bound::Included(86400.0));

/// A config file that asks for measurements.
#[derive(Debug, Clone)]
pub struct BenchConfig {
    /// The file, as it was given.
    pub path: PathBuf,
    /// What it asks for.
    pub options: BenchOptions,
    /// What changes every number it asks for, if it differs from its default. Which layers, lengths and widths are
    /// listed does not change the numbers of the others.
    pub hash_pairs: BTreeMap<String, String>,
    sheet: Sheet,
}

/// The schema; which words name layers, only the program knows.
pub fn schema(subjects: &Subjects) -> Schema {
    let of =
        |names: Vec<&'static str>| Kind::List { item: Box::new(Kind::Word(names.leak())), most: usize::MAX };
    let words = |all: &[Subject]| of(all.iter().map(|subject| subject.name).collect());
    let with_words = |field: Field| match field.name {
        "mixers" => Field { kind: words(&subjects.sequence), ..field },
        "channel_mixers" => Field { kind: words(&subjects.channel), ..field },
        "models" => Field { kind: of(subjects.models.iter().map(|model| model.name).collect()), ..field },
        _ => field,
    };
    let fields: Vec<Field> = BenchOptions::fields().into_iter().map(with_words).collect();
    Schema::sheet().section(SECTION, &fields)
}

impl BenchConfig {
    /// Reads `text`, the contents of the file at `path`, applies the flags to it, and checks everything.
    ///
    /// # Errors
    /// Every mistake.
    pub fn read(
        schema: &'static Schema,
        subjects: &Subjects,
        text: &str,
        path: &Path,
        assignments: &[Assignment],
        quota: Quota,
    ) -> Result<Self, ConfigErrors> {
        let check = |config: &Combination<'_>| complaints(config, subjects);
        let sheet =
            Sheet::read(schema, text, path, assignments, (quota, "measurements", measurements), &check)?;
        let options = BenchOptions::from_values(&sheet.section(SECTION)).expect("every key has a default");
        Ok(Self { path: path.to_owned(), options, hash_pairs: sheet.hash_pairs.clone(), sheet })
    }

    /// A complete config that asks for the same thing: every key written out.
    pub fn to_toml(&self) -> String {
        self.sheet.to_toml()
    }

    /// What to call it: the name of its file without the ending.
    pub(crate) fn name(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Where its cells are in the folder of its study: a folder named after what changes all its numbers. Which lengths, widths and
    /// layers it asks for changes none, so a longer list goes on with what is there.
    pub fn run_folder(&self, study: &Path, site: &Site) -> PathBuf {
        let mut pairs = self.hash_pairs.clone();
        pairs.insert("device".into(), site.device_kind.as_str().to_owned());
        pairs.insert("threads".into(), rayon::current_num_threads().to_string());
        study.join("runs").join(format!("{}-{}", self.name(), run_hash(&pairs)))
    }
}

impl BenchOptions {
    /// Layers, and models, at sizes that are measured.
    pub fn measurements(&self) -> usize {
        Along::ALL.map(|along| self.layers(along).len() * self.sizes(along).len()).iter().sum()
    }

    /// The layers, or the mixers of models, that are measured along lengths, widths or contexts.
    pub fn layers(&self, along: Along) -> &[String] {
        match along {
            Along::Length => &self.mixers,
            Along::Width => &self.channel_mixers,
            Along::Context => &self.models,
        }
    }

    /// The sizes that they are measured at.
    pub fn sizes(&self, along: Along) -> Vec<Sizes> {
        match along {
            Along::Length => {
                self.lengths.iter().map(|&seq| self.size(self.batch, seq, self.d_model)).collect()
            }
            Along::Width => self.widths.iter().map(|&width| self.size(1, self.tokens, width)).collect(),
            Along::Context => self.contexts.iter().map(|&seq| self.size(1, seq, self.d_model)).collect(),
        }
    }

    /// The sizes of the models.
    pub fn model_sizes(&self) -> ModelSizes {
        let Self { d_model, n_layers, hidden_factor, .. } = *self;
        ModelSizes { d_model, n_layers, d_hidden: hidden_factor * d_model }
    }

    fn size(&self, batch: usize, seq_len: usize, d_model: usize) -> Sizes {
        let Self { hidden_factor, n_blocks, .. } = *self;
        Sizes { batch, seq_len, d_model, hidden_factor, n_blocks, d_state: D_STATE, more_tokens: 1 + STEPS }
    }
}
