//! Runs this command again in a child process, for part of its work: what parent and child exchange, and how the
//! child ended.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::session::Session;
use crate::{Failure, Stop};

/// What a parent writes to the standard input of a child that should stop as if a signal had reached it.
pub(crate) const STOP: &str = "stop";
/// How often a process checks what other processes hold, and whether to stop.
pub(crate) const POLL: Duration = Duration::from_millis(100);

/// The hidden flag of `subquad run` that makes it a child with one run.
pub(crate) const ONLY_RUN: &str = "--only-run";
/// The same for one size of a study that measures.
pub(crate) const ONLY_SIZE: &str = "--only-size";
/// The exit code of a child that has said why it failed.
pub(crate) const REPORTED: i32 = 1;
/// Exit codes of a child that a signal or its parent has stopped.
const STOPPED: std::ops::Range<i32> = 129..192;

/// This command again, for a part of its work, with a hidden flag that says which in front: what follows may end in `-- CONFIG`.
pub(crate) fn child_command(flag: &str, part: &impl Serialize, stderr: Stdio) -> io::Result<Command> {
    let part = serde_json::to_string(part)?;
    let mut words = std::env::args_os();
    let own_name = words.next().unwrap_or_default();
    let mut command = Command::new(this_program()?);
    set_name(&mut command, own_name);
    command.args(words.next()).args([flag, &part]).args(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr);
    Ok(command)
}

/// The part of the work that the value of a hidden flag asks for.
pub(crate) fn parse_part<T: DeserializeOwned>(value: &str) -> serde_json::Result<T> {
    serde_json::from_str(value)
}

/// Runs a child to its end, and asks it to stop if this command is asked to.
///
/// # Errors
/// If it cannot be started.
pub(crate) fn run_to_end(mut command: Command, session: &Session<'_>) -> io::Result<Output> {
    let mut child = command.spawn()?;
    let (mut stdin, (sender, receiver)) = (child.stdin.take(), channel());
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let mut stop_sent = false;
    loop {
        if session.should_stop() && !std::mem::replace(&mut stop_sent, true) {
            // A child that has just ended does not need the message.
            let _ = stdin.as_mut().map(|stdin| writeln!(stdin, "{STOP}"));
        }
        match receiver.recv_timeout(POLL) {
            Ok(output) => return output,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("its end is unknown")),
        }
    }
}

/// The path of this program. On Linux it is the program that runs, even if a build has replaced the file in the meantime.
fn this_program() -> io::Result<std::path::PathBuf> {
    let linux = Path::new("/proc/self/exe");
    if linux.exists() { Ok(linux.into()) } else { std::env::current_exe() }
}

/// Gives the child the name of its parent, both in the record and in lists of processes.
#[cfg(unix)]
fn set_name(command: &mut Command, name: OsString) {
    std::os::unix::process::CommandExt::arg0(command, name);
}

#[cfg(not(unix))]
fn set_name(_: &mut Command, _: OsString) {}

/// The command line as the user gave it; in a child, the parent's.
pub(crate) fn command_line() -> Vec<String> {
    let mut words: Vec<_> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    if words.get(2).is_some_and(|word| [ONLY_RUN, ONLY_SIZE].contains(&word.as_str())) {
        words.drain(2..4);
    }
    words
}

/// Tells the parent, which reads `out`, the reasons for a failure.
///
/// # Errors
/// The failure, without the messages that the parent now has.
pub(crate) fn report_to_parent(result: Result<(), Failure>, out: &mut dyn Write) -> Result<(), Failure> {
    match result {
        Err(Failure::Failed(why) | Failure::Wrong(why)) => {
            writeln!(out, "{}", why.join("\n"))?;
            Err(Failure::Failed(vec![]))
        }
        Err(Failure::ReadOnly(why)) => {
            writeln!(out, "{why}")?;
            Err(Failure::Failed(vec![]))
        }
        // It was stopped by its parent, which needs no message, or by a signal of its own.
        Err(stopped @ (Failure::Interrupted(signal) | Failure::Stopped(signal))) => {
            writeln!(out, "{stopped}")?;
            Err(Failure::Stopped(signal))
        }
        Ok(()) => Ok(()),
    }
}

/// Only the parent holds the other end of standard input, so its end means that the parent is gone, for whatever
/// reason. Then there is nobody left to report to, and the record survives a kill.
pub(crate) fn follow_parent(stop: Stop) {
    std::thread::spawn(move || {
        let words = io::stdin().lines().map_while(Result::ok);
        words.filter(|word| word == STOP).for_each(|_| stop.ask());
        std::process::exit(i32::from(stop.signal().exit_code()));
    });
}

/// Whether a signal or its parent has stopped the child.
pub(crate) fn was_stopped(output: &Output) -> bool {
    output.status.code().is_some_and(|code| STOPPED.contains(&code))
}

/// What failed, in the child's words, one line each; `None` if it says nothing.
pub(crate) fn reported_failures(output: &Output) -> Option<Vec<String>> {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<String> = stdout.lines().map(Into::into).collect();
    (output.status.code() == Some(REPORTED) && !lines.is_empty()).then_some(lines)
}

/// Why a child has no result: what it says itself, or otherwise how it ended.
pub(crate) fn failure_reason(output: &Output) -> String {
    let [reported, complained] = [&output.stdout, &output.stderr].map(|bytes| on_one_line(bytes));
    let speaks = was_stopped(output) || output.status.code() == Some(REPORTED);
    match speaks && !reported.is_empty() {
        true => reported,
        false => {
            let words = [reported, complained].into_iter().filter(|words| !words.is_empty());
            let words: Vec<String> = words.collect();
            let said =
                if words.is_empty() { String::new() } else { format!("; it said: {}", words.join("; ")) };
            format!("its process ended with {}{}{said}", output.status, guess_cause(output.status))
        }
    }
}

/// A system that runs out of memory kills processes, and a program whose allocation fails aborts.
#[cfg(unix)]
fn guess_cause(status: ExitStatus) -> &'static str {
    const ABORT: i32 = 6;
    const KILL: i32 = 9;
    match std::os::unix::process::ExitStatusExt::signal(&status) {
        Some(ABORT | KILL) => ", most likely because memory ran out",
        _ => "",
    }
}

#[cfg(not(unix))]
fn guess_cause(_: ExitStatus) -> &'static str {
    ""
}

fn on_one_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}
