//! Several runs at once, each in a child process of the same program.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::{ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

use subquad_record::{RunName, Standing};

use super::{Crew, Ended, POLL, STOP, Start};
use crate::Failure;
use crate::execute::{Setting, result};
use crate::plan::Study;

/// The hidden flag of `subquad run` that makes it a child.
const FLAG: &str = "--only-run";

/// Exit codes of a child that a signal of its own has stopped.
const STOPPED: std::ops::Range<i32> = 129..192;

type End = (usize, io::Result<Output>);

pub(super) struct Children<'a> {
    study: &'a Study,
    setting: &'a Setting<'a>,
    /// The end of each child's standard input that tells it whether this process is there.
    running: HashMap<usize, ChildStdin>,
    sender: Sender<End>,
    receiver: Receiver<End>,
    /// Runs that were there before or have ended, for the display.
    count: usize,
    /// Those that another process has done.
    taken_over: Vec<usize>,
    /// Whether the children know that they are to stop.
    told: bool,
}

impl<'a> Children<'a> {
    pub(super) fn new(study: &'a Study, to_do: usize, setting: &'a Setting<'a>) -> Self {
        let (sender, receiver) = channel();
        let count = study.runs.len() - to_do;
        let (running, taken_over) = (HashMap::new(), vec![]);
        Self { study, setting, running, sender, receiver, count, taken_over, told: false }
    }

    fn name(&self, index: usize) -> &'a RunName {
        &self.study.runs[index].name
    }

    /// Starts the child and a thread that waits for its end.
    fn spawn(&mut self, index: usize) -> io::Result<()> {
        let mut child = command(self.name(index))?.spawn()?;
        self.running.extend(child.stdin.take().map(|stdin| (index, stdin)));
        let sender = self.sender.clone();
        std::thread::spawn(move || {
            // Nobody listens any more only where the whole command has ended.
            let _ = sender.send((index, child.wait_with_output()));
        });
        Ok(())
    }

    fn outcome(&mut self, (index, output): End) -> Result<(usize, Ended), Failure> {
        self.running.remove(&index);
        let output = output.map_err(|error| Failure::failed(format!("{}: {error}", self.name(index))))?;
        warnings(&output).for_each(|warning| self.setting.messages.warn(warning));
        let ended = match output.status.success() {
            true => self.done(index)?,
            false => Ended::Failed(why(self.name(index), &output)),
        };
        // Whoever asked to stop knows why the others ended.
        if !self.setting.should_stop() || output.status.success() {
            self.tell(index, &ended);
        }
        Ok((index, ended))
    }

    fn done(&self, index: usize) -> Result<Ended, Failure> {
        let dir = self.study.runs[index].dir(self.study, self.setting.results);
        match dir.standing() {
            Standing::Done(summary) => Ok(Ended::Done(summary)),
            Standing::Damaged(error) => Err(error.into()),
            Standing::Unfinished => {
                Err(Failure::failed(format!("{}: its process left no result", self.name(index))))
            }
        }
    }

    /// One line for each run that ends: bars of several runs would overwrite each other.
    fn tell(&mut self, index: usize, ended: &Ended) {
        self.count += 1;
        let text = match ended {
            Ended::Done(summary) => format!("{}: {}", self.name(index), result(summary)),
            Ended::Failed(why) => why.clone(),
        };
        self.setting.messages.say(format!("[{}/{}] {text}", self.count, self.study.runs.len()));
    }

    fn take_over(&mut self) -> Result<Vec<(usize, Ended)>, Failure> {
        let mut ended = vec![];
        for index in std::mem::take(&mut self.taken_over) {
            ended.push((index, self.done(index)?));
            self.count += 1;
            self.setting.messages.say(format!("{}: done by another process", self.name(index)));
        }
        Ok(ended)
    }
}

impl Crew for Children<'_> {
    fn has_room(&self) -> bool {
        self.running.len() < self.setting.jobs
    }

    fn is_busy(&self) -> bool {
        !self.running.is_empty() || !self.taken_over.is_empty()
    }

    /// The child itself takes the lock, and waits where another process was faster.
    fn start(&mut self, index: usize, was_held: bool) -> Result<Start, Failure> {
        let dir = self.study.runs[index].dir(self.study, self.setting.results);
        if let Some(held) = dir.held()? {
            return Ok(Start::Held(held));
        }
        match was_held && dir.is_done() {
            true => self.taken_over.push(index),
            false => self.spawn(index)?,
        }
        Ok(Start::Accepted)
    }

    fn ended(&mut self) -> Result<Vec<(usize, Ended)>, Failure> {
        let mut ended = self.take_over()?;
        let first = if ended.is_empty() { self.receiver.recv_timeout(POLL).ok() } else { None };
        let ends: Vec<End> = first.into_iter().chain(self.receiver.try_iter()).collect();
        for end in ends {
            ended.push(self.outcome(end)?);
        }
        Ok(ended)
    }

    /// Terminals and batch systems signal the children as well, but `kill` may have meant this process alone.
    fn stop(&mut self) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        for stdin in self.running.values_mut() {
            // One that ended in this moment needs no word.
            let _ = writeln!(stdin, "{STOP}");
        }
    }
}

/// This command again, for one run. The words before the run's name stay first: what follows may end in `-- CONFIG`.
fn command(name: &RunName) -> io::Result<Command> {
    let mut words = std::env::args_os();
    let own_name = words.next().unwrap_or_default();
    let mut command = Command::new(this_program()?);
    name_it(&mut command, own_name);
    command.args(words.next()).arg(FLAG).arg(name.to_string()).args(words);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    Ok(command)
}

/// On Linux the very program that runs, even where a build has put another into its place meanwhile.
fn this_program() -> io::Result<std::path::PathBuf> {
    let linux = Path::new("/proc/self/exe");
    if linux.exists() { Ok(linux.into()) } else { std::env::current_exe() }
}

/// The child goes by the parent's name, in the record as in lists of processes.
#[cfg(unix)]
fn name_it(command: &mut Command, name: OsString) {
    std::os::unix::process::CommandExt::arg0(command, name);
}

#[cfg(not(unix))]
fn name_it(_: &mut Command, _: OsString) {}

/// The command line as the user gave it, to the parent where this is a child.
pub(crate) fn command_line() -> Vec<String> {
    let mut words: Vec<_> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    if words.get(2).is_some_and(|word| word == FLAG) {
        words.drain(2..4);
    }
    words
}

/// What a child warned of, such as a checkpoint that it could not use.
fn warnings(output: &Output) -> impl Iterator<Item = String> {
    let said = String::from_utf8_lossy(&output.stderr);
    let warnings: Vec<_> =
        said.lines().filter_map(|line| line.strip_prefix("warning: ")).map(Into::into).collect();
    warnings.into_iter()
}

/// Why a child has no result: its own errors, else how it ended.
fn why(name: &RunName, output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let errors: Vec<_> = said.lines().filter_map(|line| line.strip_prefix("error: ")).collect();
    match errors.is_empty() {
        false => errors.join("; "),
        // The last line says by which signal, and what to do.
        true if output.status.code().is_some_and(|code| STOPPED.contains(&code)) => {
            format!("{name}: {}", said.trim().lines().last().unwrap_or_default())
        }
        true if said.trim().is_empty() => format!("{name}: its process ended with {}", output.status),
        true => format!("{name}: its process ended with {}; it said: {}", output.status, said.trim()),
    }
}
