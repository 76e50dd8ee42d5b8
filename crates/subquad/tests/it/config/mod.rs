//! What configs mean, and what is said about those that mean nothing.

mod bench;
mod budget;
mod expansion;
mod files;
mod flags;
mod keys;
mod messages;
mod naming;
mod patterns;
mod precedence;
mod readme;
mod roundtrip;
mod schema;
mod select;
mod size;
mod structure;
mod tasks;

use subquad::config::RunConfig;
use subquad_config::{ConfigErrors, Run, Study};

use crate::layers::{program, read};

/// The settings of a run as types.
trait Typed {
    fn config(&self) -> RunConfig;
}

impl Typed for Run {
    fn config(&self) -> RunConfig {
        RunConfig::of(self)
    }
}

/// The smallest config: one run of each mixer except the newest, one of which cannot be causal.
const SMALL: &str = r#"
[task]
name = "digits"
[train]
steps = 10
[sweep]
mixer = ["attention", "s4d", "s4", "h3", "hyena", "m2"]
seq_len = [64]
"#;

/// [`SMALL`] with one run of each of these mixers.
fn small(mixers: &[&str]) -> String {
    SMALL.replace(r#"["attention", "s4d", "s4", "h3", "hyena", "m2"]"#, &format!("{mixers:?}"))
}

/// [`SMALL`] with one run of every mixer.
fn every_mixer() -> String {
    let names: Vec<&str> = program().mixers().iter().map(|mixer| mixer.name).collect();
    format!("{}[override.monarch]\nmodel.causal = false\n", small(&names))
}

/// Runs of [`SMALL`]: every mixer except the two that it leaves out.
const MIXERS: usize = 6;

fn load(text: &str) -> Result<Study, ConfigErrors> {
    load_with(text, &[])
}

fn load_with(text: &str, flags: &[&str]) -> Result<Study, ConfigErrors> {
    read(text, flags)
}

fn runs(text: &str) -> Vec<Run> {
    load(text).unwrap_or_else(|errors| panic!("{errors}")).runs
}

fn errors(text: &str) -> String {
    load(text).unwrap_err().to_string()
}

/// The mistakes in [`SMALL`] with these lines before it: line 1 is their first.
fn errors_before_small(lines: &str) -> String {
    errors(&format!("{lines}{SMALL}"))
}

/// The mistakes of [`SMALL`] with flags.
fn flag_errors(flags: &[&str]) -> String {
    load_with(SMALL, flags).unwrap_err().to_string()
}
