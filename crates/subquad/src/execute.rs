//! One run, from its settings to its folder.

use std::collections::HashMap;

use burn::module::Module;
use indicatif::HumanCount;
use subquad_backend::DeviceKind;
use subquad_bench::memory::Meter;
use subquad_data::{Condition, FewTests, Metric, Tally, Task, brief};
use subquad_mixer::{MixerModule, Mixers};
use subquad_model::SequenceModel;
use subquad_record::{
    Evaluation, Manifest, Memory, Outcome, RecordError, RunDir, RunStatus, RunSummary, RunWriter, Utilisation,
};
use subquad_train::{TrainConfig, TrainError, Trained, Training, to_safetensors, train};

use crate::config::RunConfig;
use crate::fma_peak::FmaPeak;
use crate::model::{flops_per_step, model};
use crate::progress::Progress;
use crate::session::Session;
use crate::study::{PlannedRun, Study};
use crate::summary::{manifest, summary};

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
    /// The task cannot be opened.
    #[error(transparent)]
    Task(#[from] subquad_data::TaskError),
}

/// Trains and evaluates one run and writes its folder. `position` is the run's position among all, such as `[3/18]`.
///
/// # Errors
/// See [`RunError`]. The folder then says how the run ended.
pub fn execute<C: Mixers>(
    run: &PlannedRun,
    study: &Study,
    session: &Session<'_>,
    position: &str,
) -> Result<RunSummary, RunError> {
    let config = run.config();
    let task = config.open_task()?;
    if task.digest() != run.data {
        return Err(RunError::DataChanged { task: task.name() });
    }
    warm_up::<C>(run, &config, &*task, session)?;
    let flops_per_step = flops_per_step::<C>(&run.resolved, &config);
    let peak = FmaPeak::before_run(flops_per_step.is_some(), session);
    // The meter starts here, because the data are the same for every mixer, and loading them takes more memory than a small model.
    let meter = Meter::start();
    let model = model::<C>(&run.resolved, &config).init_seeded(config.seed, &session.opened.device);
    let (parameters, state_floats) = (model.num_params(), model.state_size(config.seq_len));
    let training = config.training();
    let dir = run.dir(study, session.results);
    let manifest = manifest(run, study, session);
    let (mut writer, training, done) =
        Meter::uncounted(|| start_or_resume(run, &dir, session, manifest, model, &*task, &training))?;
    let manifest = writer.manifest().clone();
    let title = title(run, &config, position, parameters, done);
    let mut progress = Progress::new(&mut writer, session.messages, &title, done, config.train.steps);
    match training.run(&mut progress) {
        Ok(trained) => {
            let summary = RunSummary {
                steps: trained.steps,
                validation: validation(&*task, &trained),
                evaluations: evaluations(&*task, &trained),
                peak_bytes: peak_bytes(&meter, session),
                utilisation: Utilisation::new(flops_per_step, trained.step_seconds, peak.after_run()),
                step_ms: trained.step_seconds * 1e3,
                tokens_per_second: (config.train.batch * config.seq_len) as f64 / trained.step_seconds,
                ..summary(run, session, &manifest, parameters, state_floats)
            };
            progress.end(&title, &result(&summary));
            finish(writer, &trained.model, summary)
        }
        Err(error) => {
            progress.end(&title, &error.to_string());
            give_up(writer, error)
        }
    }
}

/// One step that is thrown away: threads, transform plans and tables are made once per process, and would otherwise
/// be charged to whichever run comes first.
fn warm_up<C: Mixers>(
    run: &PlannedRun,
    config: &RunConfig,
    task: &dyn Task,
    session: &Session<'_>,
) -> Result<(), RunError> {
    let model = model::<C>(&run.resolved, config).init_seeded(config.seed, &session.opened.device);
    let mut training = config.training();
    (training.training_loop.steps, training.training_loop.checkpoint_every) = (1, None);
    // One batch under each test condition makes whatever is needed only once for that condition.
    let small_task = FewTests::new(task, config.train.batch);
    match train(model, &small_task, &training, &session.opened.device, &mut Memory::default()) {
        // The run itself will report this, with its rows on record.
        Ok(_) | Err(TrainError::NonFinite { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Continues from the run's newest checkpoint that is complete and fits; if there is none, starts at the first step.
/// Says which files it could not use. Returns the run with the number of steps that are done.
fn start_or_resume<'a, M: MixerModule>(
    run: &PlannedRun,
    dir: &RunDir,
    session: &Session<'_>,
    manifest: Manifest,
    model: SequenceModel<M>,
    task: &'a dyn Task,
    config: &'a TrainConfig,
) -> Result<(RunWriter, Training<'a, M>, usize), RecordError> {
    let toml = run.resolved.to_toml();
    let say = |what: String| session.messages.warn(format!("{}: {what}", run.name));
    let damage = match dir.status() {
        RunStatus::Damaged(error) => Some(error),
        RunStatus::Done(_) | RunStatus::Unfinished => None,
    };
    damage.iter().for_each(|error| say(error.to_string()));
    let point = dir.resume_point(&manifest)?;
    point.notes.into_iter().for_each(say);
    if let Some(checkpoint) = point.checkpoint {
        let done = checkpoint.step;
        match Training::resume(model.clone(), task, config, &session.opened.device, checkpoint) {
            Ok(training) => {
                let writer = dir.resume(done, &toml, manifest)?.with_stop(session.stop.flag());
                return Ok((writer, training, done));
            }
            Err(error) => say(error.to_string()),
        }
    }
    if damage.is_some() {
        say(format!("starts again; its files are kept in {}", dir.set_aside()?.display()));
    } else if dir.is_begun() {
        say("unfinished or damaged, so it starts again".into());
    }
    let writer = dir.start(&toml, manifest)?.with_stop(session.stop.flag());
    Ok((writer, Training::new(model, task, config, &session.opened.device), 0))
}

/// The program's allocator does not see the memory of other devices, so there is no honest number for them.
fn peak_bytes(meter: &Meter, session: &Session<'_>) -> Option<u64> {
    match session.opened.kind {
        DeviceKind::Cpu => meter.peak_bytes(),
        DeviceKind::Wgpu => None,
    }
}

fn title(run: &PlannedRun, config: &RunConfig, position: &str, parameters: usize, done: usize) -> String {
    let train = &config.train;
    let steps = match done {
        0 => format!("{} steps of {} sequences", train.steps, train.batch),
        done => format!("continues from step {done} of {}", train.steps),
    };
    format!("{position} {}: {steps}, {} parameters", run.name, HumanCount(parameters as u64))
}

pub(crate) fn result(summary: &RunSummary) -> String {
    let test = &summary.evaluations[0];
    let score = test.score.map_or(String::new(), |score| format!("{score}, "));
    let time = match summary.timings_are_shared() || !summary.step_ms.is_finite() {
        true => String::new(),
        false => format!("; {:.1} ms a step", summary.step_ms),
    };
    format!("test: {score}loss {}{time}", brief(test.loss))
}

fn finish<M: MixerModule>(
    mut writer: RunWriter,
    model: &SequenceModel<M>,
    summary: RunSummary,
) -> Result<RunSummary, RunError> {
    // A single entry, because several would be written in an arbitrary order, and the same run would give different bytes.
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
    // If rows could not be written, this most likely cannot be written either; the first error is the one to report.
    let _ = writer.give_up(outcome);
    Err(error.into())
}

/// The evaluation of a trained model on the validation examples.
fn validation<M>(task: &dyn Task, trained: &Trained<M>) -> Option<Evaluation> {
    let condition = Condition::of_training(task.seq_len(), task.validation_len());
    let evaluation = |tally| evaluation(condition, tally, task.metric());
    trained
        .validation
        .map(evaluation)
        .map(|evaluation| Evaluation { split: "validation".into(), ..evaluation })
}

/// The evaluations of a trained model on test examples; the condition of training comes first.
fn evaluations<M>(task: &dyn Task, trained: &Trained<M>) -> Vec<Evaluation> {
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
