//! Runs of a small schema.

#![allow(clippy::unwrap_used)]

mod before;
mod shares;

use std::path::Path;
use std::sync::LazyLock;

use subquad_config::{Axes, Combination, Complaint, Quota, Rules, Run, Schema, Study};
use subquad_options::{Field, Kind, Options, Share, Value};

#[derive(Options, Debug)]
struct Task {
    /// Pairs to recall.
    #[config(default = "Share::OfLength(16)")]
    #[option(range = 1..=1000)]
    n_pairs: Share,
    /// Share held out.
    #[config(default = 0.1)]
    #[option(range = 0.0..=0.5, before = 0.0)]
    validation: f64,
    /// Steps.
    #[config(default = 10)]
    #[option(range = 1..)]
    steps: usize,
}

fn field(name: &'static str, kind: Kind, default: Option<Value>) -> Field {
    Field { name, help: "An axis.", kind, default, before: None, given: false, numeric: true }
}

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let integer = || Kind::Integer { min: 0, max: 1 << 20 };
    let axes = Axes {
        subject: field("mixer", Kind::Word(&["one", "other"]), None),
        size: field("seq_len", integer(), None),
        seed: field("seed", integer(), Some(Value::Integer(0))),
        largest: "longest",
        sizes_in: |_| vec![],
    };
    Schema::study(axes).section("task", &Task::fields())
});

/// The runs of a config with one subject at 64; `check` sees every combination.
fn checked(task: &str, sweep: &str, check: &dyn Fn(&Combination<'_>) -> Vec<Complaint>) -> Vec<Run> {
    let text = format!("[task]\n{task}\n[sweep]\nmixer = [\"one\"]\nseq_len = [64]\n{sweep}\n");
    read(&text, check)
}

fn read(text: &str, check: &dyn Fn(&Combination<'_>) -> Vec<Complaint>) -> Vec<Run> {
    let rules = Rules { check, solve: &|_| Ok(None) };
    let study = Study::read(&SCHEMA, text, Path::new("x.toml"), &[], Quota::default(), rules);
    study.unwrap_or_else(|errors| panic!("{errors}")).runs
}

fn runs(task: &str) -> Vec<Run> {
    checked(task, "", &|_| vec![])
}

fn run(task: &str) -> Run {
    runs(task).remove(0)
}
