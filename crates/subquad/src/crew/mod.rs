//! Who works off the runs of a study: child processes, one after the other or several at once, each with one run.
//!
//! A run in a process of its own takes nothing else with it when memory runs out, the system kills it or a mistake in the program
//! ends it: the parent records why, and goes on with the next. A run that another process holds comes last, and its result is used
//! once it is there.

mod again;
mod child;
mod children;
mod errand;
mod in_process;

pub(crate) use again::{ONLY_SIZE, again, command_line, reported, to_its_end, was_stopped, why};
pub(crate) use child::{answer, obey_parent, plan_one, serve};
pub(crate) use errand::Errand;

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

/// How a run ended. One that was stopped has not.
#[derive(Debug)]
pub(crate) enum Ended {
    Done(Box<RunSummary>),
    /// Why.
    Failed(String),
}

/// What came of starting a run.
enum Start {
    Accepted,
    Held(Held),
    /// It has to wait until another one ends.
    NoRoom,
    /// Why it ended before it began.
    Failed(String),
}

/// Those who run. Runs are told apart by their place in the study.
trait Crew {
    /// Whether another run may start now.
    fn has_room(&self) -> bool;

    /// Whether a run goes on.
    fn is_busy(&self) -> bool;

    /// Starts a run unless another process holds it. One that was held earlier and is done by now is taken as it is.
    fn start(&mut self, index: usize, was_held: bool) -> Start;

    /// The runs that ended since the last call. Waits for a while where there are none.
    fn ended(&mut self) -> Vec<(usize, Ended)>;

    /// Makes all runs stop soon.
    fn stop(&mut self);
}

/// Works off the runs at these places of the study, as many at once as there are jobs. After a signal to stop, some have no end.
pub(crate) fn work_off(study: &Study, to_do: &[usize], setting: &Setting<'_>) -> BTreeMap<usize, Ended> {
    drive(study, to_do, setting, &mut Children::new(study, to_do.len(), setting))
}

/// [`work_off`] of the study's only run in this process.
fn work_alone(study: &Study, place: &str, setting: &Setting<'_>) -> BTreeMap<usize, Ended> {
    drive(study, &[0], setting, &mut InProcess::new(study, place, setting))
}

fn drive(
    study: &Study,
    to_do: &[usize],
    setting: &Setting<'_>,
    crew: &mut dyn Crew,
) -> BTreeMap<usize, Ended> {
    let open = to_do.iter().copied().collect();
    let mut queue = Queue { open, held: BTreeSet::new(), ended: BTreeMap::new(), study, setting };
    while !queue.open.is_empty() || crew.is_busy() {
        if setting.should_stop() {
            queue.open.clear();
            crew.stop();
        }
        queue.start_what_is_free(crew);
        queue.ended.extend(crew.ended());
    }
    queue.ended
}

struct Queue<'a> {
    open: VecDeque<usize>,
    /// Those that were held at some time.
    held: BTreeSet<usize>,
    ended: BTreeMap<usize, Ended>,
    study: &'a Study,
    setting: &'a Setting<'a>,
}

impl Queue<'_> {
    fn start_what_is_free(&mut self, crew: &mut dyn Crew) {
        for _ in 0..self.open.len() {
            if !crew.has_room() || self.setting.should_stop() {
                break;
            }
            let Some(index) = self.open.pop_front() else { break };
            match crew.start(index, self.held.contains(&index)) {
                Start::Accepted => {}
                Start::Held(held) => self.put_off(index, &held),
                Start::NoRoom => {
                    self.open.push_front(index);
                    break;
                }
                Start::Failed(why) => {
                    self.ended.insert(index, Ended::Failed(why));
                }
            }
        }
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
