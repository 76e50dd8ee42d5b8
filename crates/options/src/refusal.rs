//! Why options are refused.

use thiserror::Error;

/// A reason, and the options to blame. A layer states it once; the reader of a config adds the file and the line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct Refusal {
    /// What is wrong, what is allowed, and what to do.
    pub reason: String,
    /// The options to blame, the most important first.
    pub fields: Vec<&'static str>,
}

impl Refusal {
    /// A refusal with this reason.
    pub fn new(reason: impl Into<String>, fields: &[&'static str]) -> Self {
        Self { reason: reason.into(), fields: fields.to_vec() }
    }

    /// `Some` refusal if `wrong`. The reason is built only then.
    pub fn when(wrong: bool, fields: &[&'static str], reason: impl FnOnce() -> String) -> Option<Self> {
        wrong.then(|| Self::new(reason(), fields))
    }

    /// The first of these refusals as an error.
    ///
    /// # Errors
    /// If there is one.
    pub fn first(refusals: Vec<Self>) -> Result<(), Self> {
        refusals.into_iter().next().map_or(Ok(()), Err)
    }
}
