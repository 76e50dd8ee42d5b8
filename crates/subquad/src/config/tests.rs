//! What configs mean, and what is said about those that mean nothing.
#![allow(clippy::unwrap_used)]

mod bench;
mod drift;
mod expansion;
mod files;
mod flags;
mod keys;
mod messages;
mod naming;
mod precedence;
mod readme;
mod roundtrip;
mod size;
mod structure;
mod tasks;

use std::path::Path;

use super::{Assignment, ConfigErrors, MixerName, ResolvedRun, StudyConfig, TaskProblem, TaskSettings};

/// The smallest config: one run of each mixer but the newest, of which one cannot be causal.
const SMALL: &str = r#"
[task]
name = "digits"
[train]
steps = 10
[sweep]
mixer = ["attention", "s4d", "s4", "h3", "hyena", "m2"]
seq_len = [64]
"#;

/// [`SMALL`] with one run of every mixer.
fn every_mixer() -> String {
    let all = SMALL.replace(r#""m2"]"#, r#""m2", "monarch", "causal_monarch"]"#);
    format!("{all}[override.monarch]\nmodel.causal = false\n")
}
/// Runs of [`SMALL`]: every mixer but the two that it leaves out.
const MIXERS: usize = MixerName::ALL.len() - 2;

fn any_length(_: &TaskSettings, _: usize) -> Result<(), TaskProblem> {
    Ok(())
}

fn load(text: &str) -> Result<StudyConfig, ConfigErrors> {
    load_with(text, &[])
}

fn load_with(text: &str, flags: &[&str]) -> Result<StudyConfig, ConfigErrors> {
    let flags: Vec<_> = flags.iter().map(|flag| Assignment::parse(flag).unwrap()).collect();
    StudyConfig::from_text(text, Path::new("x.toml"), &flags, &any_length)
}

fn runs(text: &str) -> Vec<ResolvedRun> {
    load(text).unwrap_or_else(|errors| panic!("{errors}")).runs
}

fn errors(text: &str) -> String {
    load(text).unwrap_err().to_string()
}

/// The mistakes in a config that is [`SMALL`] but for these lines, which come first: line 1 is theirs.
fn errors_before_small(lines: &str) -> String {
    errors(&format!("{lines}{SMALL}"))
}

/// The mistakes of [`SMALL`] with flags.
fn flag_errors(flags: &[&str]) -> String {
    load_with(SMALL, flags).unwrap_err().to_string()
}
