//! The one run of a child, in this process.

use subquad_record::{Attempt, RunSummary, Standing};
use subquad_train::TrainError;

use super::{Crew, Ended, POLL, Start};
use crate::execute::{RunError, Setting, execute};
use crate::plan::Study;

pub(super) struct InProcess<'a> {
    study: &'a Study,
    /// Of the run among all, such as `3/18`.
    place: &'a str,
    setting: &'a Setting<'a>,
    ended: Vec<(usize, Ended)>,
}

impl<'a> InProcess<'a> {
    pub(super) fn new(study: &'a Study, place: &'a str, setting: &'a Setting<'a>) -> Self {
        Self { study, place, setting, ended: vec![] }
    }

    /// Trains the run, unless it is done. The caller holds its lock.
    fn run(&self, index: usize, was_held: bool) -> Result<RunSummary, RunError> {
        let (run, messages) = (&self.study.runs[index], self.setting.messages);
        let dir = run.dir(self.study, self.setting.results);
        if let (Standing::Done(summary), true) = (dir.standing(), was_held || !self.setting.force) {
            messages.say(format!("{}: done by another process", run.name));
            return Ok(*summary);
        }
        if self.setting.force {
            dir.discard()?;
        }
        execute(run, self.study, self.setting, &format!("[{}]", self.place))
    }
}

impl Crew for InProcess<'_> {
    fn has_room(&self) -> bool {
        true
    }

    fn is_busy(&self) -> bool {
        false
    }

    fn start(&mut self, index: usize, was_held: bool) -> Start {
        let _lock = match self.study.runs[index].dir(self.study, self.setting.results).try_lock() {
            Ok(Attempt::Taken(lock)) => lock,
            Ok(Attempt::Held(held)) => return Start::Held(held),
            Err(error) => return Start::Failed(error.to_string()),
        };
        match self.run(index, was_held) {
            Ok(summary) => self.ended.push((index, Ended::Done(summary.into()))),
            Err(RunError::Train(TrainError::Stopped { .. })) => {}
            Err(error) => return Start::Failed(error.to_string()),
        }
        Start::Accepted
    }

    fn ended(&mut self) -> Vec<(usize, Ended)> {
        if self.ended.is_empty() {
            std::thread::sleep(POLL);
        }
        std::mem::take(&mut self.ended)
    }

    /// The training itself looks at the same flag as the caller.
    fn stop(&mut self) {}
}
