//! One run after the other, in this process.

use subquad_record::{Attempt, RunSummary, Standing};
use subquad_train::TrainError;

use super::{Crew, Ended, POLL, Start};
use crate::Failure;
use crate::execute::{RunError, Setting, execute};
use crate::plan::Study;

pub(super) struct InProcess<'a> {
    study: &'a Study,
    setting: &'a Setting<'a>,
    ended: Vec<(usize, Ended)>,
}

impl<'a> InProcess<'a> {
    pub(super) fn new(study: &'a Study, setting: &'a Setting<'a>) -> Self {
        Self { study, setting, ended: vec![] }
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
        execute(run, self.study, self.setting, &format!("[{}/{}]", index + 1, self.study.runs.len()))
    }

    fn outcome(&self, index: usize, result: Result<RunSummary, RunError>) -> Result<Ended, Failure> {
        let name = &self.study.runs[index].name;
        match result {
            Ok(summary) => Ok(Ended::Done(summary.into())),
            Err(RunError::Train(TrainError::Stopped { .. })) => Err(self.setting.interrupted()),
            // Others may still succeed; but a folder that cannot be written will not get better.
            Err(RunError::Train(error @ TrainError::NonFinite { .. })) => {
                Ok(Ended::Failed(format!("{name}: {error}")))
            }
            Err(error) => Err(Failure::failed(format!("{name}: {error}"))),
        }
    }
}

impl Crew for InProcess<'_> {
    fn has_room(&self) -> bool {
        true
    }

    fn is_busy(&self) -> bool {
        false
    }

    fn start(&mut self, index: usize, was_held: bool) -> Result<Start, Failure> {
        let _lock = match self.study.runs[index].dir(self.study, self.setting.results).try_lock()? {
            Attempt::Taken(lock) => lock,
            Attempt::Held(held) => return Ok(Start::Held(held)),
        };
        let ended = self.outcome(index, self.run(index, was_held))?;
        self.ended.push((index, ended));
        Ok(Start::Accepted)
    }

    fn ended(&mut self) -> Result<Vec<(usize, Ended)>, Failure> {
        if self.ended.is_empty() {
            std::thread::sleep(POLL);
        }
        Ok(std::mem::take(&mut self.ended))
    }

    /// The training itself looks at the same flag as the caller.
    fn stop(&mut self) {}
}
