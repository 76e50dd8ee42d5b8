//! Who works off the runs of a study: child processes, one after the other or several at once, each with one run.
//!
//! A run in a process of its own takes nothing else with it when memory runs out, the system kills it or a mistake in the program
//! ends it: the parent records why, and goes on with the next. A run that another process holds comes last, and its result is used
//! once it is there.

mod child;
mod children;
mod errand;
mod in_process;

pub(crate) use child::{answer, obey_parent, plan_one, serve};
pub(crate) use errand::Errand;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use subquad_record::{Attempt, Held, Lock, RunSummary, lock_path};

use crate::Failure;
use crate::child_process::POLL;
use crate::plan::Study;
use crate::session::Session;
use children::Children;

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

/// Works off the runs at these places of the study, as many at once as there are jobs. After a signal to stop, some have no end.
pub(crate) fn work_off(study: &Study, to_do: &[usize], session: &Session<'_>) -> BTreeMap<usize, Ended> {
    let mut children = Children::new(study, to_do.len(), session);
    let open = to_do.iter().copied().collect();
    let mut queue = Queue { open, held: BTreeSet::new(), ended: BTreeMap::new(), study, session };
    while !queue.open.is_empty() || children.is_busy() {
        if session.should_stop() {
            queue.open.clear();
            children.stop();
        }
        queue.start_what_is_free(&mut children);
        queue.ended.extend(children.ended());
    }
    queue.ended
}

struct Queue<'a> {
    open: VecDeque<usize>,
    /// Those that were held at some time.
    held: BTreeSet<usize>,
    ended: BTreeMap<usize, Ended>,
    study: &'a Study,
    session: &'a Session<'a>,
}

impl Queue<'_> {
    fn start_what_is_free(&mut self, children: &mut Children<'_>) {
        for _ in 0..self.open.len() {
            if !children.has_room() || self.session.should_stop() {
                break;
            }
            let Some(index) = self.open.pop_front() else { break };
            match children.start(index, self.held.contains(&index)) {
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
            self.session.messages.say(format!("{}: {held}, waiting", self.study.runs[index].name));
        }
    }
}

/// The lock on the summary and the figures in `dir`, the folder of a study, once nobody else holds it.
pub(crate) fn lock_study(dir: &Path, session: &Session<'_>) -> Result<Lock, Failure> {
    loop {
        match Lock::try_take(&lock_path(dir))? {
            Attempt::Taken(lock) => return Ok(lock),
            Attempt::Held(_) if session.should_stop() => return Err(session.interrupted()),
            Attempt::Held(_) => std::thread::sleep(POLL),
        }
    }
}
