//! What runs have in common, so that a reader knows what a comparison is fair in.

use indicatif::HumanCount;
use serde_json::Value;
use subquad_bench::distinct;
use subquad_record::RunSummary;

use super::Finished;

/// What was held equal, in words, from the runs themselves.
pub(super) fn budget(runs: &[Finished]) -> String {
    let of = |f: fn(&RunSummary) -> usize| distinct(runs.iter().map(|run| f(&run.summary)));
    let mut parts = vec![];
    let mut equal = |values: Vec<usize>, words: fn(usize) -> String| {
        if let [value] = values[..] {
            parts.push(words(value));
        }
    };
    equal(of(|s| s.steps), |n| format!("{n} optimiser steps"));
    equal(of(|s| s.batch), |n| format!("batch {n}"));
    equal(of(|s| s.d_model), |n| format!("width {n}"));
    equal(of(|s| s.n_layers), |n| format!("depth {n}"));
    parts.extend(HELD.iter().filter_map(|held| held.within(runs)));
    if parts.is_empty() { "nothing".into() } else { parts.join(", ") }
}

/// What a budget can hold equal.
struct Held {
    key: &'static str,
    words: &'static str,
    of: fn(&RunSummary) -> Option<f64>,
}

const HELD: [Held; 3] = [
    Held { key: "budget.parameters", words: "parameters", of: |run| Some(run.parameters as f64) },
    Held {
        key: "budget.state_floats",
        words: "state floats",
        of: |run| run.state_floats.map(|floats| floats as f64),
    },
    Held { key: "budget.flops", words: "FLOPs of a step", of: |run| run.utilisation.flops_per_step },
];

impl Held {
    /// How far apart the runs are; `None` if they do not all have the same budget of this.
    fn within(&self, runs: &[Finished]) -> Option<String> {
        let target = |run: &Finished| run.summary.settings.get(self.key).and_then(Value::as_u64);
        let [Some(_)] = distinct(runs.iter().map(target))[..] else { return None };
        let reached = || runs.iter().filter_map(|run| (self.of)(&run.summary));
        let (least, most) = (reached().reduce(f64::min)?, reached().reduce(f64::max)?);
        Some(format!("{} within {:.1} %", self.words, 100.0 * (most - least) / least))
    }
}

/// How many parameters the runs have. This is a sentence of its own because runs of the same width rarely have the same number.
pub(super) fn parameters(runs: &[Finished]) -> String {
    let counts = || runs.iter().map(|run| run.summary.parameters);
    let (Some(least), Some(most)) = (counts().min(), counts().max()) else { return String::new() };
    let count = |n: usize| HumanCount(n as u64);
    match (most - least) as f64 / least as f64 * 100.0 {
        0.0 => format!("Parameters: {}.", count(least)),
        percent => format!("Parameters: {} to {}, {percent:.1} % apart.", count(least), count(most)),
    }
}
