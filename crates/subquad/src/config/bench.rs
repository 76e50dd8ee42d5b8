//! The other kind of config: a section `[bench]`. Layers are measured, nothing is trained.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use subquad_bench::{D_STATE, STEPS, Sizes, Subject, Subjects, accepts};
use subquad_config::{Assignment, Combination, Complaint, ConfigErrors, Quota, Schema, Sheet};
use subquad_options::range::LONGEST_SEQ;
use subquad_options::{Field, Kind, Options, Value};

pub(super) const SECTION: &str = "bench";

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
    /// Sequences per batch, over lengths.
    #[config(default = 4)]
    #[option(range = 1..=65536)]
    pub batch: usize,
    /// Width of input and output, over lengths.
    #[config(default = 128)]
    #[option(range = 1..=65536)]
    pub d_model: usize,
    /// Tokens of the one sequence, over widths.
    #[config(default = 256)]
    #[option(range = 1..=LONGEST_SEQ)]
    pub tokens: usize,
    /// Hidden width of a channel mixer, as a multiple of its width.
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

/// The schema. Only the program knows which words name layers.
pub(super) fn schema(subjects: &Subjects) -> Schema {
    let words = |all: &[Subject]| Kind::List {
        item: Box::new(Kind::Word(all.iter().map(|subject| subject.name).collect::<Vec<_>>().leak())),
        most: usize::MAX,
    };
    let with_words = |field: Field| match field.name {
        "mixers" => Field { kind: words(&subjects.sequence), ..field },
        "channel_mixers" => Field { kind: words(&subjects.channel), ..field },
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
}

impl BenchOptions {
    /// Layers at sizes that are measured.
    pub fn measurements(&self) -> usize {
        self.mixers.len() * self.lengths.len() + self.channel_mixers.len() * self.widths.len()
    }

    /// The sizes over lengths.
    pub fn along_length(&self) -> Vec<Sizes> {
        self.lengths.iter().map(|seq_len| self.sizes(self.batch, *seq_len, self.d_model)).collect()
    }

    /// The sizes over widths.
    pub fn along_width(&self) -> Vec<Sizes> {
        self.widths.iter().map(|width| self.sizes(1, self.tokens, *width)).collect()
    }

    fn sizes(&self, batch: usize, seq_len: usize, d_model: usize) -> Sizes {
        let Self { hidden_factor, n_blocks, .. } = *self;
        Sizes { batch, seq_len, d_model, hidden_factor, n_blocks, d_state: D_STATE, more_tokens: 1 + STEPS }
    }
}

fn measurements(config: &Combination<'_>) -> u128 {
    let len = |leaf: &str| {
        let list = config.value(&format!("{SECTION}.{leaf}")).and_then(Value::as_list);
        list.map_or(0, |list| list.len() as u128)
    };
    len("mixers") * len("lengths") + len("channel_mixers") * len("widths")
}

/// Layers with the sizes that they are measured at, and the keys that only these layers use.
const HEEDED: [(&str, &str, &[&str]); 2] = [
    ("mixers", "lengths", &["batch", "d_model"]),
    ("channel_mixers", "widths", &["tokens", "hidden_factor", "n_blocks"]),
];

/// Lists without their partner, keys that no layer uses, and sizes that a layer cannot have.
fn complaints(config: &Combination<'_>, subjects: &Subjects) -> Vec<Complaint> {
    let Some(options) = BenchOptions::from_values(&config.section(SECTION)) else { return vec![] };
    let is_given = |leaf: &str| {
        let list = config.value(&format!("{SECTION}.{leaf}")).and_then(Value::as_list);
        list.is_some_and(|list| !list.is_empty())
    };
    let is_empty = HEEDED.iter().all(|(layers, sizes, _)| !is_given(layers) && !is_given(sizes));
    let mut complaints = vec![];
    for (layers, sizes, keys) in HEEDED {
        let is_first = layers == HEEDED[0].0;
        if is_given(sizes) && !is_given(layers) || is_empty && is_first {
            complaints.push(missing(config, layers));
        }
        if is_given(layers) && !is_given(sizes) || is_empty && is_first {
            complaints.push(missing(config, sizes));
        }
        if !is_empty && !is_given(sizes) {
            complaints.extend(idle(config, layers, keys));
        }
    }
    complaints.extend(impossible(&options.mixers, &options.along_length(), "mixers", subjects));
    complaints.extend(impossible(
        &options.channel_mixers,
        &options.along_width(),
        "channel_mixers",
        subjects,
    ));
    complaints
}

fn missing(config: &Combination<'_>, leaf: &str) -> Complaint {
    let key = format!("{SECTION}.{leaf}");
    let wanted = config.key(&key).map(|key| key.kind.to_string()).unwrap_or_default();
    Complaint { reason: format!("missing `{leaf}` in [{SECTION}]; it must be {wanted}"), keys: vec![key] }
}

/// An empty list counts as set too: it leaves the layers out and may leave the rest as it is, as a flag does.
fn idle(config: &Combination<'_>, layers: &str, keys: &[&str]) -> Vec<Complaint> {
    let layers = format!("{SECTION}.{layers}");
    let set = keys.iter().map(|leaf| format!("{SECTION}.{leaf}")).filter(|key| config.is_set(key));
    let reason = |key: &str| {
        format!("`{key}` does nothing without `{layers}`; take it out, or list layers to measure")
    };
    let complaint = |key: String| Complaint { reason: reason(&key), keys: vec![key, layers.clone()] };
    if config.is_set(&layers) { vec![] } else { set.map(complaint).collect() }
}

/// In the layers' own words; each layer's first complaint is enough.
fn impossible(names: &[String], sizes: &[Sizes], leaf: &str, subjects: &Subjects) -> Vec<Complaint> {
    let first = |name: &String| {
        let subject = subjects.find(name).ok()?;
        let reason = sizes.iter().find_map(|sizes| accepts(subject, sizes).err())?;
        Some(Complaint { reason, keys: vec![format!("{SECTION}.{leaf}")] })
    };
    names.iter().filter_map(first).collect()
}
