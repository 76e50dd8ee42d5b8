//! The scheduler of a study's runs: each runs in a child process of its own, one after the other or several at once.
//!
//! If a child runs out of memory, is killed by the system or hits a bug in the program, only its own run is lost: the
//! parent records why, and continues with the next. A run that another process is working on comes last, and that
//! process's result is used once it is there.

mod child;
mod children;

pub(crate) use child::{OneRun, plan_one, run_as_child};
pub(crate) use children::Ended;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use subquad_record::Held;

use crate::program::Program;
use crate::session::Session;
use crate::study::Study;
use children::{Children, Start};

/// Executes the runs with these indices in the study, as many at once as there are jobs. After a signal to stop, some
/// of them may not have ended.
pub(crate) fn execute_all(
    program: &Program,
    study: &Study,
    to_do: &[usize],
    session: &Session<'_>,
) -> BTreeMap<usize, Ended> {
    let mut children = Children::new(program, study, to_do.len(), session);
    let open = to_do.iter().copied().collect();
    let mut queue = Queue { open, held: BTreeSet::new(), ended: BTreeMap::new(), study, session };
    while !queue.open.is_empty() || children.is_busy() {
        if session.should_stop() {
            queue.open.clear();
            children.stop();
        }
        queue.start_runs(&mut children);
        queue.ended.extend(children.ended());
    }
    queue.ended
}

struct Queue<'a> {
    open: VecDeque<usize>,
    /// Runs that another process held at some time.
    held: BTreeSet<usize>,
    ended: BTreeMap<usize, Ended>,
    study: &'a Study,
    session: &'a Session<'a>,
}

impl Queue<'_> {
    fn start_runs(&mut self, children: &mut Children<'_>) {
        for _ in 0..self.open.len() {
            if !children.has_free_job() || self.session.should_stop() {
                break;
            }
            let Some(index) = self.open.pop_front() else { break };
            match children.start(index, self.held.contains(&index)) {
                Start::Accepted => {}
                Start::Held(held) => self.postpone(index, &held),
                Start::NoMemory => {
                    self.open.push_front(index);
                    break;
                }
                Start::Failed(why) => {
                    self.ended.insert(index, Ended::Failed(why));
                }
            }
        }
    }

    fn postpone(&mut self, index: usize, held: &Held) {
        self.open.push_back(index);
        if self.held.insert(index) {
            self.session.messages.say(format!("{}: {held}, waiting", self.study.runs[index].name));
        }
    }
}
