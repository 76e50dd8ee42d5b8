//! One run, from its settings to its folder.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use indicatif::HumanCount;
use subquad_backend::{DeviceKind, Form};
use subquad_data::{Condition, FewTests, Metric, Tally, Task, brief};
use subquad_model::{ModelConfig, SequenceModel};
use subquad_record::{
    Evaluation, Machine, Manifest, Memory, Outcome, RecordError, RunDir, RunSummary, RunWriter, timestamp,
};
use subquad_train::{TrainConfig, TrainError, Trained, to_safetensors, train};

use crate::begin::{Begun, begin};
use crate::config::RunConfig;
use crate::crew::command_line;
use crate::memory::Meter;
use crate::plan::{PlannedRun, Study};
use crate::progress::{Messages, Progress};
use crate::stop::Stop;
use crate::{Failure, assemble};

/// The commit that the program was built from, where it was built in a git checkout.
pub const BUILD_COMMIT: Option<&str> = option_env!("SUBQUAD_COMMIT");
/// The program's version.
pub const PROGRAM_VERSION: &str = env!("CARGO_PKG_VERSION");

/// What all runs of a command share.
#[derive(Debug, Clone)]
pub struct Setting<'a> {
    /// The folder that stands for `results/`.
    pub results: &'a Path,
    /// The device that runs.
    pub device: Device,
    /// What it is.
    pub device_kind: DeviceKind,
    /// What it calls itself, if it is no CPU.
    pub adapter: Option<String>,
    /// Runs that are allowed at once, by the whole command.
    pub jobs: usize,
    /// Whether runs that are done run again.
    pub force: bool,
    /// Whether the runs should stop.
    pub stop: Stop,
    pub(crate) messages: Messages,
}

impl Setting<'_> {
    pub(crate) fn should_stop(&self) -> bool {
        self.stop.is_asked()
    }

    /// What ends a command that was asked to stop.
    pub(crate) fn interrupted(&self) -> Failure {
        Failure::Interrupted(self.stop.signal())
    }
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
    /// The run is named by contents that are no longer there.
    #[error("the data of task {task} changed after the command started; start it again")]
    DataChanged {
        /// The task.
        task: &'static str,
    },
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
    let config = &run.resolved.config;
    let task = assemble::task(&config.task).open(config.seq_len, config.seed)?;
    if task.digest() != run.data {
        return Err(RunError::DataChanged { task: task.name() });
    }
    warm_up(config, &*task, setting)?;
    // From here on: the data are the same for every mixer, and loading them takes more than a small model.
    let meter = Meter::start();
    let model = assemble::model(config, &*task).init_seeded(config.seed, &setting.device);
    let facts = Facts::new(&model, config);
    let training = assemble::training(config);
    let dir = run.dir(study, setting.results);
    let manifest = manifest(run, study, setting);
    let Begun { mut writer, training, done } =
        Meter::uncounted(|| begin(run, &dir, setting, manifest, model, &*task, &training))?;
    let manifest = writer.manifest().clone();
    let title = title(run, place, facts.parameters, done);
    let mut progress = Progress::new(&mut writer, setting.messages, &title, done, config.train.steps);
    match training.run(&mut progress) {
        Ok(trained) => {
            let evaluations = evaluations(&*task, &trained);
            let summary =
                facts.summary(run, setting, &manifest, &trained, evaluations, peak_bytes(&meter, setting));
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
    // One batch under each test condition makes what is made once for it.
    let few = FewTests { task, examples: config.train.batch };
    match train(model, &few, &training, &setting.device, &mut Memory::default()) {
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

fn title(run: &PlannedRun, place: &str, parameters: usize, done: usize) -> String {
    let train = &run.resolved.config.train;
    let steps = match done {
        0 => format!("{} steps of {} sequences", train.steps, train.batch),
        done => format!("goes on from step {done} of {}", train.steps),
    };
    format!("{place} {}: {steps}, {} parameters", run.name, HumanCount(parameters as u64))
}

pub(crate) fn result(summary: &RunSummary) -> String {
    let test = &summary.evaluations[0];
    let score = test.score.map_or(String::new(), |score| format!("{score}, "));
    let time = match summary.timings_are_shared() {
        true => String::new(),
        false => format!("; {:.1} ms a step", summary.step_ms),
    };
    format!("test: {score}loss {}{time}", brief(test.loss))
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
        TrainError::NonFinite { .. } | TrainError::Device { .. } | TrainError::Sink(_) => {
            Outcome::Failed(error.to_string())
        }
    };
    // Where rows could not be written, this most likely cannot either; what went wrong first is the one to report.
    let _ = writer.give_up(outcome);
    Err(error.into())
}

/// As the run starts.
pub(crate) fn manifest(run: &PlannedRun, study: &Study, setting: &Setting<'_>) -> Manifest {
    Manifest {
        program_version: PROGRAM_VERSION.into(),
        build_commit: BUILD_COMMIT.map(Into::into),
        config_file: run.config_file.display().to_string(),
        config_repository: study.repository().cloned(),
        command: command_line(),
        machine: Machine::detect(),
        instruction_set: subquad_backend::instruction_set().as_str().into(),
        device: setting.device_kind.as_str().into(),
        adapter: setting.adapter.clone(),
        form: Form::for_device(&setting.device).as_str().into(),
        threads: rayon::current_num_threads(),
        jobs: setting.jobs,
        data: run.data.clone(),
        started: timestamp(),
        resumed: vec![],
        ended: None,
        outcome: Outcome::Running,
    }
}

/// A run that has failed or was interrupted, as a summary without numbers. What can be known only of a mixer that is built is told of
/// those that began.
pub(crate) fn without_numbers(
    run: &PlannedRun,
    study: &Study,
    setting: &Setting<'_>,
    outcome: Outcome,
) -> RunSummary {
    let config = &run.resolved.config;
    let task = assemble::task(&config.task);
    let model = assemble::model_of(config, task.input(), task.target());
    let dir = run.dir(study, setting.results);
    let manifest = dir.read_manifest().unwrap_or_else(|_| manifest(run, study, setting));
    let ended = manifest.ended.clone().unwrap_or_else(timestamp);
    let began = dir.read_rows().is_ok();
    let state_floats = if began { state_floats(&model, config.seq_len) } else { None };
    let facts = Facts { parameters: model.n_parameters(), state_floats };
    RunSummary { ended, outcome, ..facts.blank(run, setting, &manifest) }
}

/// Without the memory of a whole model.
fn state_floats(model: &ModelConfig, seq_len: usize) -> Option<usize> {
    let one_block = ModelConfig { n_layers: 1, ..model.clone() };
    Some(model.n_layers * one_block.init(&Device::flex()).state_size(seq_len)?)
}

/// What is known of a run before it trains.
struct Facts {
    parameters: usize,
    state_floats: Option<usize>,
}

impl Facts {
    fn new(model: &SequenceModel, config: &RunConfig) -> Self {
        Self { parameters: model.num_params(), state_floats: model.state_size(config.seq_len) }
    }

    fn summary(
        self,
        run: &PlannedRun,
        setting: &Setting<'_>,
        manifest: &Manifest,
        trained: &Trained,
        evaluations: Vec<Evaluation>,
        peak_bytes: Option<u64>,
    ) -> RunSummary {
        let config = &run.resolved.config;
        RunSummary {
            step_ms: trained.step_seconds * 1e3,
            tokens_per_second: (config.train.batch * config.seq_len) as f64 / trained.step_seconds,
            peak_bytes,
            evaluations,
            ..self.blank(run, setting, manifest)
        }
    }

    /// Without what training measures.
    fn blank(self, run: &PlannedRun, setting: &Setting<'_>, manifest: &Manifest) -> RunSummary {
        let config = &run.resolved.config;
        RunSummary {
            run: run.name.to_string(),
            config: run.config_file.file_name().unwrap_or_default().to_string_lossy().into(),
            task: assemble::task(&config.task).info().name.into(),
            mixer: run.name.mixer.clone(),
            seq_len: config.seq_len,
            seed: config.seed,
            steps: config.train.steps,
            batch: config.train.batch,
            d_model: config.model.d_model,
            n_layers: config.model.n_layers,
            parameters: self.parameters,
            step_ms: f64::NAN,
            tokens_per_second: f64::NAN,
            peak_bytes: None,
            state_floats: self.state_floats,
            form: Form::for_device(&setting.device).as_str().into(),
            device: setting.device_kind.as_str().into(),
            threads: rayon::current_num_threads(),
            jobs: manifest.jobs,
            build_commit: BUILD_COMMIT.map(Into::into),
            evaluations: vec![],
            started: manifest.started.clone(),
            ended: timestamp(),
            outcome: Outcome::Done,
            settings: axes(run),
        }
    }
}

/// The condition of training first.
fn evaluations(task: &dyn Task, trained: &Trained) -> Vec<Evaluation> {
    let first = task.conditions().into_iter().take(1).map(|condition| (condition, trained.test));
    let all = first.chain(trained.other_tests.iter().cloned());
    all.map(|(condition, tally)| evaluation(condition, tally, task.metric())).collect()
}

fn evaluation(condition: Condition, tally: Tally, metric: Metric) -> Evaluation {
    Evaluation {
        condition: condition.name,
        seq_len: Some(condition.seq_len),
        variant: condition.variant,
        split: "test".into(),
        loss: tally.loss(),
        score: Some(metric.of(&tally)),
        examples: condition.examples,
    }
}

/// The extra axes of the sweep, numbers as numbers.
fn axes(run: &PlannedRun) -> BTreeMap<String, serde_json::Value> {
    let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| text.into());
    run.resolved.axes.iter().map(|(key, text)| (key.clone(), value(text))).collect()
}
