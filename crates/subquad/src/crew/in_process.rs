//! The one run of a child, in this process.

use subquad_record::{Attempt, RunSummary, Standing};
use subquad_train::TrainError;

use super::Ended;
use crate::child_process::POLL;
use crate::execute::RunError;
use crate::plan::Study;
use crate::session::Session;

/// Does the study's only run, whose place among all is such as `3/18`, once no other process holds it. `None` if it was stopped.
pub(super) fn run_here(study: &Study, place: &str, session: &Session<'_>) -> Option<Ended> {
    let (run, mut was_held) = (&study.runs[0], false);
    while !session.should_stop() {
        match run.dir(study, session.results).try_lock() {
            Err(error) => return Some(Ended::Failed(error.to_string())),
            Ok(Attempt::Taken(_lock)) => return ended(locked(study, place, session, was_held)),
            Ok(Attempt::Held(held)) => {
                if !std::mem::replace(&mut was_held, true) {
                    session.messages.say(format!("{}: {held}, waiting", run.name));
                }
                std::thread::sleep(POLL);
            }
        }
    }
    None
}

fn ended(result: Result<RunSummary, RunError>) -> Option<Ended> {
    match result {
        Ok(summary) => Some(Ended::Done(summary.into())),
        Err(RunError::Train(TrainError::Stopped { .. })) => None,
        Err(error) => Some(Ended::Failed(error.to_string())),
    }
}

/// Trains the run, unless it is done. The caller holds its lock.
fn locked(study: &Study, place: &str, session: &Session<'_>, was_held: bool) -> Result<RunSummary, RunError> {
    let (run, messages) = (&study.runs[0], session.messages);
    let dir = run.dir(study, session.results);
    if let (Standing::Done(summary), true) = (dir.standing(), was_held || !session.force) {
        messages.say(format!("{}: done by another process", run.name));
        return Ok(*summary);
    }
    if session.force {
        dir.discard()?;
    }
    session.program.execute(run, study, session, &format!("[{place}]"))
}
