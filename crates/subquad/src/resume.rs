//! Where a run starts: at its first step, or at the checkpoint that an earlier process left.

use subquad_data::Task;
use subquad_mixer::MixerModule;
use subquad_model::SequenceModel;
use subquad_record::{Manifest, RecordError, RunDir, RunStatus, RunWriter};
use subquad_train::{TrainConfig, Training};

use crate::session::Session;
use crate::study::PlannedRun;

/// A run that can train.
pub(crate) struct StartedRun<'a, M> {
    pub(crate) writer: RunWriter,
    pub(crate) training: Training<'a, M>,
    /// Steps that are done.
    pub(crate) done: usize,
}

/// Goes on from the run's newest checkpoint that is whole and fits; where there is none, starts at the first step. Says which
/// files it could not use.
pub(crate) fn start_or_resume<'a, M: MixerModule>(
    run: &PlannedRun,
    dir: &RunDir,
    session: &Session<'_>,
    manifest: Manifest,
    model: SequenceModel<M>,
    task: &'a dyn Task,
    config: &'a TrainConfig,
) -> Result<StartedRun<'a, M>, RecordError> {
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
                return Ok(StartedRun { writer, training, done });
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
    Ok(StartedRun { writer, training: Training::new(model, task, config, &session.opened.device), done: 0 })
}
