//! One line of metrics.

use std::path::Path;

use serde::{Deserialize, Serialize};
use subquad_data::{Metric, Score};

use crate::RecordError;

/// What was measured at one step: one line of `metrics.jsonl`.
///
/// Finite numbers read back as the same bits. A loss that is not finite is written as `null` and reads back as NaN;
/// an optional number that is not finite reads back as absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Optimiser steps taken so far.
    pub step: usize,
    /// `"train"`, `"validation"` or `"test"`.
    pub split: String,
    /// Under which test condition, as in [`Evaluation`](crate::Evaluation); absent for the condition of training.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub condition: String,
    /// Mean loss over the split's examples of this row.
    #[serde(with = "crate::number")]
    pub loss: f64,
    /// The score of those examples, under the name of its metric. Rows of older programs lack it for tasks on texts.
    #[serde(flatten, with = "crate::number::score")]
    pub score: Option<Score>,
    /// Learning rate of the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// Time of one step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_seconds: Option<f64>,
    /// Tokens read per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_second: Option<f64>,
    /// Time since the run started.
    #[serde(with = "crate::number")]
    pub elapsed_seconds: f64,
}

impl Row {
    /// Whether `other` has the same bits in everything that must be reproducible: everything except the timings. Losses
    /// that are not finite count as the same, because a file cannot tell them apart.
    pub fn same_numbers(&self, other: &Self) -> bool {
        self.numbers() == other.numbers()
    }

    fn numbers(&self) -> (usize, [&str; 2], Option<Metric>, [Option<u64>; 3]) {
        let score = self.score.filter(|score| score.value.is_finite());
        let numbers = [Some(self.loss), score.map(|score| score.value), self.learning_rate];
        let bits = numbers.map(|number| number.filter(|x| x.is_finite()).map(f64::to_bits));
        (self.step, [&self.split, &self.condition], score.map(|score| score.metric), bits)
    }
}

/// The rows of a `metrics.jsonl`.
///
/// A last line that lacks its newline and is not a row was cut short by a kill, and is dropped.
///
/// # Errors
/// If the file cannot be read, or any other line is not a row; both errors name the place.
pub fn read_rows(path: &Path) -> Result<Vec<Row>, RecordError> {
    let bytes = fs_err::read(path)?;
    let mut rows = Vec::new();
    for (i, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
        match serde_json::from_slice(line) {
            Ok(row) => rows.push(row),
            Err(_) if !line.ends_with(b"\n") => break,
            Err(source) => return Err(RecordError::Line { path: path.into(), line: i + 1, source }),
        }
    }
    Ok(rows)
}
