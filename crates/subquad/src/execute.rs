//! One run, from its settings to its folder.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use burn::module::Module;
use burn::tensor::Device;
use indicatif::HumanCount;
use subquad_backend::{DeviceKind, Form};
use subquad_data::Task;
use subquad_model::SequenceModel;
use subquad_record::{
    Evaluation, Machine, Manifest, Memory, Outcome, RecordError, RunDir, RunSummary, RunWriter, timestamp,
};
use subquad_train::{TrainConfig, TrainError, Trained, to_safetensors, train};

use crate::assemble;
use crate::config::RunConfig;
use crate::memory::Meter;
use crate::plan::{PlannedRun, Study};
use crate::progress::{Messages, Progress};

/// The commit that the program was built from, where it was built in a git checkout.
pub const BUILD_COMMIT: Option<&str> = option_env!("SUBQUAD_COMMIT");

/// What all runs of a command share.
#[derive(Debug)]
pub struct Setting<'a> {
    /// The folder that stands for `results/`.
    pub results: &'a Path,
    /// The device that runs.
    pub device: Device,
    /// What it is.
    pub device_kind: DeviceKind,
    /// What it calls itself, if it is no CPU.
    pub adapter: Option<String>,
    /// Set when the runs should stop.
    pub stop: Arc<AtomicBool>,
    pub(crate) messages: Messages,
}

/// Why a run has no summary.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Training ended early.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The folder could not be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The task cannot be had.
    #[error(transparent)]
    Task(#[from] subquad_data::TaskError),
}

impl PlannedRun {
    /// Where the run's results are, or will be.
    pub fn dir(&self, study: &Study, results: &Path) -> RunDir {
        RunDir::open(results, &study.slug, &self.name)
    }
}

/// Trains and evaluates one run and writes its folder. `place` is the run's place among all, such as `[3/18]`.
///
/// # Errors
/// See [`RunError`]. The folder then says how the run ended.
pub fn execute(
    run: &PlannedRun,
    study: &Study,
    setting: &Setting<'_>,
    place: &str,
) -> Result<RunSummary, RunError> {
    let started = timestamp();
    let config = &run.resolved.config;
    let task = subquad_data::open(&config.task.name, config.seq_len, config.seed)?;
    let manifest = manifest(run, setting, &started);
    let mut writer = run
        .dir(study, setting.results)
        .start(&run.resolved.to_toml(), manifest)?
        .with_stop(setting.stop.clone());
    warm_up(config, &*task, setting)?;
    // From here on: the data are the same for every mixer, and loading them takes more than a small model.
    let meter = Meter::start();
    let model = assemble::model(config, &*task).init_seeded(config.seed, &setting.device);
    let facts =
        Facts { parameters: model.num_params(), state_floats: model.state_size(config.seq_len), started };
    let title = title(run, place, facts.parameters);
    let mut progress = Progress::new(&mut writer, setting.messages, &title, config.train.steps);
    match train(model, &*task, &assemble::training(config), &setting.device, &mut progress) {
        Ok(trained) => {
            let summary = facts.summary(run, setting, &trained, peak_bytes(&meter, setting));
            progress.end(&title, &result(&summary));
            finish(writer, &trained.model, summary)
        }
        Err(error) => {
            progress.end(&title, &error.to_string());
            give_up(writer, error)
        }
    }
}

/// One step that is thrown away: threads, transform plans and tables are made once a process, and would be charged to the
/// run that happens to come first.
fn warm_up(config: &RunConfig, task: &dyn Task, setting: &Setting<'_>) -> Result<(), RunError> {
    let model = assemble::model(config, task).init_seeded(config.seed, &setting.device);
    let training = TrainConfig { steps: 1, checkpoint_every: None, ..assemble::training(config) };
    match train(model, task, &training, &setting.device, &mut Memory::default()) {
        // The run itself will say so, with its rows on record.
        Ok(_) | Err(TrainError::NonFinite { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Memory of another device is none of the program's allocator, so there is no honest number.
fn peak_bytes(meter: &Meter, setting: &Setting<'_>) -> Option<u64> {
    match setting.device_kind {
        DeviceKind::Cpu => meter.peak_bytes(),
        DeviceKind::Wgpu => None,
    }
}

fn title(run: &PlannedRun, place: &str, parameters: usize) -> String {
    let train = &run.resolved.config.train;
    let parameters = HumanCount(parameters as u64);
    format!(
        "{place} {}: {} steps of {} sequences, {parameters} parameters",
        run.name, train.steps, train.batch
    )
}

fn result(summary: &RunSummary) -> String {
    let test = &summary.evaluations[0];
    let accuracy = test.accuracy.map_or(String::new(), |accuracy| format!("accuracy {accuracy:.3}, "));
    format!("test: {accuracy}loss {:.3}; {:.1} ms a step", test.loss, summary.step_ms)
}

fn finish(mut writer: RunWriter, model: &SequenceModel, summary: RunSummary) -> Result<RunSummary, RunError> {
    // One entry: several would be written in an order of chance, and the same run would give other bytes.
    let metadata = HashMap::from([("run".to_owned(), summary.run.clone())]);
    writer.weights(&to_safetensors(model, metadata))?;
    writer.finish(&summary)?;
    Ok(summary)
}

fn give_up(writer: RunWriter, error: TrainError) -> Result<RunSummary, RunError> {
    let outcome = match &error {
        TrainError::Stopped { .. } => Outcome::Interrupted,
        TrainError::NonFinite { .. }
        | TrainError::Device { .. }
        | TrainError::Sink(_)
        | TrainError::Checkpoint { .. } => Outcome::Failed(error.to_string()),
    };
    writer.give_up(outcome)?;
    Err(error.into())
}

fn manifest(run: &PlannedRun, setting: &Setting<'_>, started: &str) -> Manifest {
    Manifest {
        program_version: env!("CARGO_PKG_VERSION").into(),
        build_commit: BUILD_COMMIT.map(Into::into),
        config_file: run.config_file.display().to_string(),
        command: std::env::args().collect(),
        machine: Machine::detect(),
        instruction_set: subquad_backend::instruction_set().into(),
        device: setting.device_kind.as_str().into(),
        adapter: setting.adapter.clone(),
        form: Form::for_device(&setting.device).as_str().into(),
        threads: rayon::current_num_threads(),
        started: started.into(),
        ended: None,
        outcome: Outcome::Running,
    }
}

/// What is known of a run before it trains.
struct Facts {
    parameters: usize,
    state_floats: Option<usize>,
    started: String,
}

impl Facts {
    fn summary(
        self,
        run: &PlannedRun,
        setting: &Setting<'_>,
        trained: &Trained,
        peak_bytes: Option<u64>,
    ) -> RunSummary {
        let config = &run.resolved.config;
        RunSummary {
            run: run.name.to_string(),
            config: run.config_file.file_name().unwrap_or_default().to_string_lossy().into(),
            task: config.task.name.clone(),
            mixer: run.name.mixer.clone(),
            seq_len: config.seq_len,
            seed: config.seed,
            steps: config.train.steps,
            batch: config.train.batch,
            d_model: config.model.d_model,
            n_layers: config.model.n_layers,
            parameters: self.parameters,
            step_ms: trained.step_seconds * 1e3,
            tokens_per_second: (config.train.batch * config.seq_len) as f64 / trained.step_seconds,
            peak_bytes,
            state_floats: self.state_floats,
            form: Form::for_device(&setting.device).as_str().into(),
            device: setting.device_kind.as_str().into(),
            threads: rayon::current_num_threads(),
            build_commit: BUILD_COMMIT.map(Into::into),
            evaluations: vec![evaluation(trained)],
            started: self.started,
            ended: timestamp(),
            outcome: Outcome::Done,
            settings: axes(run),
        }
    }
}

fn evaluation(trained: &Trained) -> Evaluation {
    Evaluation {
        condition: String::new(),
        split: "test".into(),
        loss: trained.test.loss(),
        accuracy: Some(trained.test.accuracy()),
        examples: trained.test.labels,
    }
}

/// The extra axes of the sweep, numbers as numbers.
fn axes(run: &PlannedRun) -> BTreeMap<String, serde_json::Value> {
    let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| text.into());
    run.resolved.axes.iter().map(|(key, text)| (key.clone(), value(text))).collect()
}
