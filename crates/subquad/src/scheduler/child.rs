//! The child's side: does one run for its parent, as long as the parent lives.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use subquad_backend::DeviceKind;
use subquad_config::Assignment;
use subquad_record::{Attempt, RunName, RunStatus};
use subquad_train::TrainError;

use crate::Failure;
use crate::child_process::{POLL, follow_parent};
use crate::execute::RunError;
use crate::plan::{by_kind, load_all};
use crate::program::Program;
use crate::registry::Registry;
use crate::session::Session;
use crate::study::{Study, group};

/// One run, and what the child cannot know about the others.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OneRun {
    /// The run's name.
    pub(crate) name: String,
    /// Its position among all, such as `3/18`.
    pub(crate) position: String,
    /// Runs that are allowed at once.
    pub(crate) jobs: usize,
    /// Whether it is one of so many that each shows only a progress bar.
    pub(crate) is_brief: bool,
}

/// The one run in its study, without the cost of planning the other runs of the same configs.
///
/// # Errors
/// What is now wrong with the configs, or that they no longer ask for the run.
pub(crate) fn plan_one(
    registry: &dyn Registry,
    wanted: &OneRun,
    configs: &[PathBuf],
    assignments: &[Assignment],
    device: DeviceKind,
) -> Result<Study, Failure> {
    let wanted: RunName = wanted.name.parse()?;
    let (mut configs, _) = by_kind(load_all(registry, configs, assignments)?);
    for config in &mut configs {
        config.runs.retain(|run| {
            let RunName { mixer, seq_len, seed, hash: _ } = &wanted;
            (RunName::mixer_of(&run.subject), run.size, run.seed) == (mixer.clone(), *seq_len, *seed)
        });
    }
    configs.retain(|config| !config.runs.is_empty());
    let studies = group(configs)?.into_iter().map(|study| study.on_device(device));
    for mut study in studies {
        study.runs.retain(|run| run.name == wanted);
        if !study.runs.is_empty() {
            return Ok(study);
        }
    }
    Err(Failure::failed("its config or data were changed after the command started; start it again"))
}

/// Does the only run of the study, whose position among all runs reads like `3/18`.
///
/// # Errors
/// Why it has no result.
pub(crate) fn run_as_child(
    program: &Program,
    study: &Study,
    position: &str,
    session: &Session<'_>,
) -> Result<(), Failure> {
    follow_parent(session.stop.clone());
    let run = || run_once_free(program, study, position, session);
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let message = panic_message(&*panic);
        Err(Failure::failed(format!("the program panicked, please report it: {message}")))
    })
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no words".into())
}

/// Does the run once no other process holds it.
fn run_once_free(
    program: &Program,
    study: &Study,
    position: &str,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let (run, mut was_held) = (&study.runs[0], false);
    while !session.should_stop() {
        match run.dir(study, session.results).try_lock().map_err(Failure::failed)? {
            Attempt::Taken(_lock) => return run_locked(program, study, position, session, was_held),
            Attempt::Held(held) => {
                if !std::mem::replace(&mut was_held, true) {
                    session.messages.say(format!("{}: {held}, waiting", run.name));
                }
                std::thread::sleep(POLL);
            }
        }
    }
    Err(session.interrupted())
}

/// Trains the run, unless it is done. The caller holds its lock.
fn run_locked(
    program: &Program,
    study: &Study,
    position: &str,
    session: &Session<'_>,
    was_held: bool,
) -> Result<(), Failure> {
    let (run, messages) = (&study.runs[0], session.messages);
    let dir = run.dir(study, session.results);
    if (was_held || !session.force) && matches!(dir.status(), RunStatus::Done(_)) {
        messages.say(format!("{}: done by another process", run.name));
        return Ok(());
    }
    if session.force {
        dir.discard().map_err(Failure::failed)?;
    }
    match (program.execute)(run, study, session, &format!("[{position}]")) {
        Ok(_) => Ok(()),
        Err(RunError::Train(TrainError::Stopped { .. })) => Err(session.interrupted()),
        Err(error) => Err(Failure::failed(error)),
    }
}
