//! The results of a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use subquad_data::Score;

use crate::{Outcome, Utilisation};

/// The contents of a run's `summary.json`. Numbers that are not finite read back as NaN, a score as absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Name of the run's folder.
    pub run: String,
    /// Name of the config file.
    pub config: String,
    /// The task.
    pub task: String,
    /// The sequence mixer.
    pub mixer: String,
    /// Tokens in each training example.
    pub seq_len: usize,
    /// The run's seed.
    pub seed: u64,
    /// Optimiser steps that were done.
    pub steps: usize,
    /// Examples per step.
    pub batch: usize,
    /// Width of the model.
    pub d_model: usize,
    /// Blocks of the model.
    pub n_layers: usize,
    /// Number of parameters.
    pub parameters: usize,
    /// Median time of a training step in milliseconds.
    #[serde(with = "crate::number")]
    pub step_ms: f64,
    /// Tokens trained on per second.
    #[serde(with = "crate::number")]
    pub tokens_per_second: f64,
    /// The most bytes alive in training above the level before the model was made; `None` if they are not counted.
    pub peak_bytes: Option<u64>,
    /// Number of floats that a sequence must keep to decode its next token; `None` if the mixer cannot decode.
    pub state_floats: Option<usize>,
    /// The form of the operations that ran.
    pub form: String,
    /// The device that ran.
    pub device: String,
    /// Threads used.
    pub threads: usize,
    /// Runs that were allowed at once on the machine; above 1, the timings are shared ones.
    #[serde(default = "crate::manifest::alone")]
    pub jobs: usize,
    /// Commit the program was built from, if known.
    pub build_commit: Option<String>,
    /// The final evaluation on the validation examples, by which settings may be chosen; `None` if there are none, or an older program
    /// did not evaluate there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Evaluation>,
    /// Final evaluations on test examples; the condition of training comes first.
    pub evaluations: Vec<Evaluation>,
    /// When the run started.
    pub started: String,
    /// When it ended.
    pub ended: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What a sweep varied beyond the above, by config key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, Value>,
    /// Whether a study that chooses settings by their validation score compares this run; `None` if it chooses none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<bool>,
    /// How much of the machine the training used.
    #[serde(flatten)]
    pub utilisation: Utilisation,
}

impl RunSummary {
    /// The score under the condition of training.
    pub fn score(&self) -> Option<Score> {
        self.evaluations.first()?.score
    }

    /// Whether other runs of the same command may have slowed this one down. Its timings are then not comparable.
    pub fn timings_are_shared(&self) -> bool {
        self.jobs > 1
    }
}

/// One evaluation of the final model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The test condition, for example another length; empty for the condition of training.
    #[serde(default)]
    pub condition: String,
    /// Tokens in each of its examples; `None` if an older program did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq_len: Option<usize>,
    /// What sets the condition apart besides the length, such as `8 pairs`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// `"test"`, `"validation"` or, from older programs, `"train"`.
    pub split: String,
    /// Mean loss.
    #[serde(with = "crate::number")]
    pub loss: f64,
    /// The score under the task's metric, written under the metric's name; `None` if it was not a finite number.
    #[serde(flatten, with = "crate::number::score")]
    pub score: Option<Score>,
    /// Number of examples.
    pub examples: usize,
}
