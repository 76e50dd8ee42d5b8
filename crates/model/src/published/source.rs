//! Which of the models in a file is wanted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::CheckpointError;

/// A file of weights and, if it holds several models, which of them.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    path: PathBuf,
    prefix: Option<String>,
}

impl Checkpoint {
    /// The one model of the file at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), prefix: None }
    }

    /// The model whose names begin with `prefix`, such as `ema.`; `""` is the one whose names have no prefix.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The prefix of the model's names. Every model of the file has one of `anchors`.
    pub(super) fn prefix_of(
        &self,
        names: &[&str],
        anchors: &[&'static str],
    ) -> Result<String, CheckpointError> {
        let of = |anchor: &'static str| names.iter().filter_map(move |name| name.strip_suffix(anchor));
        let found: BTreeSet<&str> =
            anchors.iter().copied().flat_map(of).filter(|prefix| is_whole(prefix)).collect();
        let path = self.path.clone();
        let mut prefixes = found.iter();
        match (&self.prefix, prefixes.next(), prefixes.next()) {
            (_, None, _) => Err(CheckpointError::OtherModel {
                path,
                wanted: anchors[0],
                count: names.len(),
                first: names.iter().min().map_or_else(|| "none".into(), |name| format!("`{name}`")),
            }),
            (Some(prefix), ..) if found.contains(prefix.as_str()) => Ok(prefix.clone()),
            (Some(prefix), ..) => {
                Err(CheckpointError::NoSuchModel { path, prefix: prefix.clone(), prefixes: listed(&found) })
            }
            (None, Some(prefix), None) => Ok((*prefix).to_owned()),
            (None, Some(_), Some(_)) => {
                Err(CheckpointError::SeveralModels { path, count: found.len(), prefixes: listed(&found) })
            }
        }
    }
}

/// Whether it ends where a part of a name begins: in `other_bert.`, `other_` is not a prefix.
fn is_whole(prefix: &str) -> bool {
    prefix.is_empty() || prefix.ends_with('.')
}

fn listed(prefixes: &BTreeSet<&str>) -> String {
    let words: Vec<_> = prefixes.iter().map(|prefix| format!("`{prefix}`")).collect();
    words.join(", ")
}
