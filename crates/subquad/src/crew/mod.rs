//! Who works off the runs of a study: this process, one run after the other, or child processes, several at once.
//!
//! Either way a run that another process holds comes last, and its result is used once it is there.

mod child;
mod children;
mod in_process;

pub(crate) use child::serve;
pub(crate) use children::command_line;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::time::Duration;

use subquad_record::{Attempt, Held, Lock, RunSummary, lock_path};

use crate::Failure;
use crate::execute::Setting;
use crate::plan::Study;
use children::Children;
use in_process::InProcess;

/// What a parent writes to the standard input of a child that is to stop as by a signal.
const STOP: &str = "stop";
/// Between two looks at what others hold, and at whether to stop.
const POLL: Duration = Duration::from_millis(100);

/// How a run ended that did not stop the whole command.
#[derive(Debug)]
pub(crate) enum Ended {
    Done(Box<RunSummary>),
    /// Why, led by the run's name.
    Failed(String),
}

/// What came of starting a run.
enum Start {
    Accepted,
    Held(Held),
}

/// Those who run. Runs are told apart by their place in the study.
trait Crew {
    /// Whether another run may start now.
    fn has_room(&self) -> bool;

    /// Whether a run goes on.
    fn is_busy(&self) -> bool;

    /// Starts a run unless another process holds it. One that was held earlier and is done by now is taken as it is.
    fn start(&mut self, index: usize, was_held: bool) -> Result<Start, Failure>;

    /// The runs that ended since the last call. Waits for a while where there are none.
    fn ended(&mut self) -> Result<Vec<(usize, Ended)>, Failure>;

    /// Makes all runs stop soon.
    fn stop(&mut self);
}

/// Works off the runs at these places of the study, as many at once as there are jobs.
///
/// # Errors
/// A signal to stop, or what will not get better with the next run.
pub(crate) fn work_off(
    study: &Study,
    to_do: &[usize],
    setting: &Setting<'_>,
) -> Result<BTreeMap<usize, Ended>, Failure> {
    match setting.jobs {
        1 => work_alone(study, to_do, setting),
        _ => drive(study, to_do, setting, &mut Children::new(study, to_do.len(), setting)),
    }
}

/// [`work_off`] in this process, whatever number of jobs goes on record.
fn work_alone(
    study: &Study,
    to_do: &[usize],
    setting: &Setting<'_>,
) -> Result<BTreeMap<usize, Ended>, Failure> {
    drive(study, to_do, setting, &mut InProcess::new(study, setting))
}

fn drive(
    study: &Study,
    to_do: &[usize],
    setting: &Setting<'_>,
    crew: &mut dyn Crew,
) -> Result<BTreeMap<usize, Ended>, Failure> {
    let mut queue = Queue { open: to_do.iter().copied().collect(), held: BTreeSet::new(), study, setting };
    let mut ended = BTreeMap::new();
    while !queue.open.is_empty() || crew.is_busy() {
        if setting.should_stop() {
            queue.open.clear();
            crew.stop();
        }
        queue.start_what_is_free(crew)?;
        ended.extend(crew.ended()?);
    }
    if setting.should_stop() { Err(setting.interrupted()) } else { Ok(ended) }
}

struct Queue<'a> {
    open: VecDeque<usize>,
    /// Those that were held at some time.
    held: BTreeSet<usize>,
    study: &'a Study,
    setting: &'a Setting<'a>,
}

impl Queue<'_> {
    fn start_what_is_free(&mut self, crew: &mut dyn Crew) -> Result<(), Failure> {
        for _ in 0..self.open.len() {
            if !crew.has_room() || self.setting.should_stop() {
                break;
            }
            let Some(index) = self.open.pop_front() else { break };
            if let Start::Held(held) = crew.start(index, self.held.contains(&index))? {
                self.put_off(index, &held);
            }
        }
        Ok(())
    }

    fn put_off(&mut self, index: usize, held: &Held) {
        self.open.push_back(index);
        if self.held.insert(index) {
            self.setting.messages.say(format!("{}: {held}, waiting", self.study.runs[index].name));
        }
    }
}

/// The lock on the summary and the figures in `dir`, the folder of a study, once nobody else holds it.
pub(crate) fn lock_study(dir: &Path, setting: &Setting<'_>) -> Result<Lock, Failure> {
    loop {
        match Lock::try_take(&lock_path(dir))? {
            Attempt::Taken(lock) => return Ok(lock),
            Attempt::Held(_) if setting.should_stop() => return Err(setting.interrupted()),
            Attempt::Held(_) => std::thread::sleep(POLL),
        }
    }
}
