//! What is recorded about a run: its manifest as it starts, its summary as it ends.

use std::collections::BTreeMap;

use subquad_backend::Form;
use subquad_record::{Machine, Manifest, Outcome, RunSummary, Utilisation, timestamp};

use crate::budget;
use crate::child_process::command_line;
use crate::session::{BUILD_COMMIT, PROGRAM_VERSION, Session};
use crate::study::{PlannedRun, Study};

/// The manifest of a run that is starting now.
pub(crate) fn manifest(run: &PlannedRun, study: &Study, session: &Session<'_>) -> Manifest {
    Manifest {
        program_version: PROGRAM_VERSION.into(),
        build_commit: BUILD_COMMIT.map(Into::into),
        config_file: run.config_file.display().to_string(),
        config_repository: study.repository().cloned(),
        command: command_line(),
        machine: Machine::detect(),
        instruction_set: subquad_backend::instruction_set().as_str().into(),
        device: session.opened.kind.as_str().into(),
        adapter: session.opened.adapter.clone(),
        form: Form::for_device(&session.opened.device).as_str().into(),
        threads: rayon::current_num_threads(),
        jobs: session.jobs,
        data: run.data.clone(),
        started: timestamp(),
        resumed: vec![],
        ended: None,
        outcome: Outcome::Running,
    }
}

/// The summary of a run whose model has so many parameters and so large a state, without what training measures.
pub(crate) fn summary(
    run: &PlannedRun,
    session: &Session<'_>,
    manifest: &Manifest,
    parameters: usize,
    state_floats: Option<usize>,
) -> RunSummary {
    let config = run.config();
    RunSummary {
        run: run.name.to_string(),
        config: run.config_file.file_name().unwrap_or_default().to_string_lossy().into(),
        task: config.task.info().name.into(),
        mixer: run.resolved.subject.to_string(),
        seq_len: config.seq_len,
        seed: config.seed,
        steps: config.train.steps,
        batch: config.train.batch,
        d_model: config.model.d_model,
        n_layers: config.model.n_layers,
        parameters,
        step_ms: f64::NAN,
        tokens_per_second: f64::NAN,
        peak_bytes: None,
        state_floats,
        form: Form::for_device(&session.opened.device).as_str().into(),
        device: session.opened.kind.as_str().into(),
        threads: rayon::current_num_threads(),
        jobs: manifest.jobs,
        build_commit: BUILD_COMMIT.map(Into::into),
        validation: None,
        evaluations: vec![],
        started: manifest.started.clone(),
        ended: timestamp(),
        outcome: Outcome::Done,
        settings: settings(run),
        chosen: None,
        utilisation: Utilisation::default(),
    }
}

/// The extra axes of the sweep, and what a budget is and found; numbers as numbers.
fn settings(run: &PlannedRun) -> BTreeMap<String, serde_json::Value> {
    let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| text.into());
    let found = budget::keys(&run.resolved);
    let found = found.iter().filter_map(|key| Some((key.clone(), run.resolved.value(key)?.to_string())));
    let all = run.resolved.axes.iter().cloned().chain(found);
    all.map(|(key, text)| (key, value(&text))).collect()
}
