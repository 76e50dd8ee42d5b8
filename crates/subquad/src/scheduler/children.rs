//! Runs in child processes of the same program.

use std::collections::HashMap;
use std::io::{self, Write};
use std::process::{ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

use subquad_record::{Attempt, Held, RunDir, RunStatus, RunSummary};

use super::child::OneRun;
use crate::child_process::{ONLY_RUN, POLL, REPORTED, STOP, child_command, failure_reason, was_stopped};
use crate::execute::result;
use crate::memory::{Admission, MemoryBudget, wanted_bytes};
use crate::program::Program;
use crate::session::Session;
use crate::study::{PlannedRun, Study};
use crate::summary::manifest;

/// In a study of more runs than this, not every run has a line of its own.
const MOST_LINES: usize = 40;

/// How a run ended. A run that was stopped has not ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The run has this result.
    Done(Box<RunSummary>),
    /// Why the run failed.
    Failed(String),
}

/// The result of trying to start a run.
pub(super) enum Start {
    Accepted,
    Held(Held),
    /// It has to wait until another run ends.
    NoMemory,
    /// It ended before it began, for this reason.
    Failed(String),
}

/// The index of a run and the output of its child.
type Exit = (usize, io::Result<Output>);

pub(super) struct Children<'a> {
    program: &'a Program,
    study: &'a Study,
    session: &'a Session<'a>,
    memory: MemoryBudget,
    /// For each run, the standard input of its child, which stays open as long as this process lives, and the bytes
    /// that it may need.
    running: HashMap<usize, (ChildStdin, u64)>,
    sender: Sender<Exit>,
    receiver: Receiver<Exit>,
    /// Runs that were there before or have ended, for the display.
    count: usize,
    /// Runs that another process has done.
    taken_over: Vec<usize>,
    /// Whether the children were asked to stop.
    stop_sent: bool,
}

impl<'a> Children<'a> {
    pub(super) fn new(
        program: &'a Program,
        study: &'a Study,
        to_do: usize,
        session: &'a Session<'a>,
    ) -> Self {
        let (sender, receiver) = channel();
        Self {
            program,
            study,
            session,
            memory: MemoryBudget::default(),
            running: HashMap::new(),
            sender,
            receiver,
            count: study.runs.len() - to_do,
            taken_over: vec![],
            stop_sent: false,
        }
    }

    fn run(&self, index: usize) -> &'a PlannedRun {
        &self.study.runs[index]
    }

    fn dir(&self, index: usize) -> RunDir {
        self.run(index).dir(self.study, self.session.results)
    }

    /// If runs go one by one, each has the terminal to itself, so its child shows its progress.
    fn is_sequential(&self) -> bool {
        self.session.jobs == 1 && !self.is_brief()
    }

    /// Whether there are so many runs that only some of them have a line.
    fn is_brief(&self) -> bool {
        self.study.runs.len() > MOST_LINES
    }

    /// Whether the run that ended last has a line although it went well: of many, about [`MOST_LINES`] have one.
    fn has_line(&self) -> bool {
        let all = self.study.runs.len();
        self.count == all || self.count.is_multiple_of(all.div_ceil(MOST_LINES))
    }

    /// Starts the run's child once its memory is available. The child itself takes the lock, and waits if another
    /// process was faster.
    fn admit(&mut self, index: usize) -> Start {
        let wanted = self.wanted_bytes(index);
        let promised = self.running.values().map(|(_, bytes)| bytes).sum();
        let started = match self.memory.admits(wanted, promised) {
            Admission::Yes => self.spawn(index, wanted),
            Admission::Later => return Start::NoMemory,
            Admission::Never(why) => Err(why),
        };
        match started {
            Ok(()) => Start::Accepted,
            Err(why) => Start::Failed(self.fail(index, why)),
        }
    }

    fn wanted_bytes(&self, index: usize) -> u64 {
        let run = self.run(index);
        wanted_bytes(run, &(self.program.facts)(run), self.session.opened.kind)
    }

    /// Starts the child and a thread that waits for its end.
    fn spawn(&mut self, index: usize, wanted: u64) -> Result<(), String> {
        let (name, jobs) = (self.run(index).name.to_string(), self.session.jobs);
        let position = format!("{}/{}", index + 1, self.study.runs.len());
        let spawned = command(&OneRun { name, position, jobs, is_brief: self.is_brief() })
            .and_then(|mut command| command.spawn());
        let mut child = spawned.map_err(|error| format!("its process could not be started: {error}"))?;
        self.running.extend(child.stdin.take().map(|stdin| (index, (stdin, wanted))));
        let sender = self.sender.clone();
        std::thread::spawn(move || {
            // The receiver is gone only once the whole command has ended.
            let _ = sender.send((index, child.wait_with_output()));
        });
        Ok(())
    }

    /// `None` for a run that was stopped.
    fn outcome(&mut self, (index, output): Exit) -> Option<(usize, Ended)> {
        self.running.remove(&index);
        let ended = match output {
            Err(error) => Ended::Failed(self.fail(index, error.to_string())),
            Ok(output) => self.outcome_of_child(index, &output)?,
        };
        Some((index, ended))
    }

    fn outcome_of_child(&mut self, index: usize, output: &Output) -> Option<Ended> {
        warnings(output).for_each(|warning| self.session.messages.warn(warning));
        if output.status.success() {
            let ended = self.done(index);
            if !self.is_sequential() {
                self.announce(index, &ended);
            }
            return Some(ended);
        }
        if was_stopped(output) {
            return self.outcome_of_stopped(index, output);
        }
        match self.is_sequential() && output.status.code() == Some(REPORTED) {
            true => Some(Ended::Failed(self.record_failure(index, failure_reason(output)))),
            false => Some(Ended::Failed(self.fail(index, failure_reason(output)))),
        }
    }

    /// If this command was asked to stop, there is no need to say why a child ended. Any other stopped child received
    /// a signal of its own, and has recorded that itself.
    fn outcome_of_stopped(&mut self, index: usize, output: &Output) -> Option<Ended> {
        if self.session.should_stop() {
            return None;
        }
        let ended = Ended::Failed(failure_reason(output));
        self.announce(index, &ended);
        Some(ended)
    }

    fn done(&self, index: usize) -> Ended {
        match self.dir(index).status() {
            RunStatus::Done(summary) => Ended::Done(summary),
            RunStatus::Damaged(error) => Ended::Failed(error.to_string()),
            RunStatus::Unfinished => Ended::Failed("its process left no result".into()),
        }
    }

    /// Records and announces why a run failed.
    fn fail(&mut self, index: usize, why: String) -> String {
        let ended = Ended::Failed(self.record_failure(index, why.clone()));
        self.announce(index, &ended);
        why
    }

    /// Writes into the run's folder why it failed: its process may not have got that far.
    fn record_failure(&self, index: usize, why: String) -> String {
        let (run, dir) = (self.run(index), self.dir(index));
        // If even that cannot be written, the summary still says so.
        if let Ok(Attempt::Taken(_lock)) = dir.try_lock() {
            let _ = dir.fail(&run.resolved.to_toml(), manifest(run, self.study, self.session), &why);
        }
        why
    }

    /// Prints a line for a run that has ended, because progress bars of several runs would overwrite each other.
    fn announce(&mut self, index: usize, ended: &Ended) {
        self.count += 1;
        let position = if self.is_sequential() { index + 1 } else { self.count };
        let text = match ended {
            Ended::Done(summary) => result(summary),
            Ended::Failed(why) => why.clone(),
        };
        if matches!(ended, Ended::Done(_)) && !self.has_line() {
            return;
        }
        let (all, name) = (self.study.runs.len(), &self.run(index).name);
        self.session.messages.say(format!("[{position}/{all}] {name}: {text}"));
    }

    fn take_over_results(&mut self) -> Vec<(usize, Ended)> {
        let mut ended = vec![];
        for index in std::mem::take(&mut self.taken_over) {
            ended.push((index, self.done(index)));
            self.count += 1;
            self.session.messages.say(format!("{}: done by another process", self.run(index).name));
        }
        ended
    }
}

impl Children<'_> {
    /// Whether another run may start now.
    pub(super) fn has_free_job(&self) -> bool {
        self.running.len() < self.session.jobs
    }

    /// Whether any run has not ended yet.
    pub(super) fn is_busy(&self) -> bool {
        !self.running.is_empty() || !self.taken_over.is_empty()
    }

    /// Starts a run unless another process holds it. If it was held earlier and is done by now, its result is taken.
    pub(super) fn start(&mut self, index: usize, was_held: bool) -> Start {
        let dir = self.dir(index);
        match dir.held() {
            Err(error) => Start::Failed(self.fail(index, error.to_string())),
            Ok(Some(held)) => Start::Held(held),
            Ok(None) if was_held && dir.is_done() => {
                self.taken_over.push(index);
                Start::Accepted
            }
            Ok(None) => self.admit(index),
        }
    }

    /// The runs that ended since the last call. Waits for a while if there are none.
    pub(super) fn ended(&mut self) -> Vec<(usize, Ended)> {
        let mut ended = self.take_over_results();
        let first = if ended.is_empty() { self.receiver.recv_timeout(POLL).ok() } else { None };
        let exits: Vec<Exit> = first.into_iter().chain(self.receiver.try_iter()).collect();
        ended.extend(exits.into_iter().filter_map(|exit| self.outcome(exit)));
        ended
    }

    /// Makes all runs stop soon. Terminals and batch systems signal the children as well, but `kill` may have reached
    /// only this process.
    pub(super) fn stop(&mut self) {
        if std::mem::replace(&mut self.stop_sent, true) {
            return;
        }
        for (stdin, _) in self.running.values_mut() {
            // A child that has just ended does not need the message.
            let _ = writeln!(stdin, "{STOP}");
        }
    }
}

/// This command again, for one run. If there are several children, each writes its messages to a pipe, so that their
/// lines do not mix.
fn command(run: &OneRun) -> io::Result<Command> {
    let stderr = if run.jobs == 1 { Stdio::inherit() } else { Stdio::piped() };
    child_command(ONLY_RUN, run, stderr)
}

/// A child's warnings, such as about a checkpoint that it could not use.
fn warnings(output: &Output) -> impl Iterator<Item = String> {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let warnings: Vec<_> =
        stderr.lines().filter_map(|line| line.strip_prefix("warning: ")).map(Into::into).collect();
    warnings.into_iter()
}
