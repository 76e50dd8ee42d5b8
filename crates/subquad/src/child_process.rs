//! This command again in a process of its own, for a part of its work, and what became of that process.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::session::Session;

/// What a parent writes to the standard input of a child that is to stop as by a signal.
pub(crate) const STOP: &str = "stop";
/// Between two looks at what others hold, and at whether to stop.
pub(crate) const POLL: Duration = Duration::from_millis(100);

/// The hidden flag of `subquad run` that makes it a child with one run.
pub(crate) const ONLY_RUN: &str = "--only-run";
/// The same with one size of a study that measures.
pub(crate) const ONLY_SIZE: &str = "--only-size";
/// The exit code of a child that has said why it failed.
pub(crate) const REPORTED: i32 = 1;
/// Exit codes of a child that a signal or its parent has stopped.
const STOPPED: std::ops::Range<i32> = 129..192;

/// This command again, with a hidden flag and its value in front: what follows may end in `-- CONFIG`.
pub(crate) fn again(flag: &str, value: &str, stderr: Stdio) -> io::Result<Command> {
    let mut words = std::env::args_os();
    let own_name = words.next().unwrap_or_default();
    let mut command = Command::new(this_program()?);
    name_it(&mut command, own_name);
    command.args(words.next()).args([flag, value]).args(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr);
    Ok(command)
}

/// Runs a child to its end, and asks it to stop where this command is asked to.
///
/// # Errors
/// If it cannot be started.
pub(crate) fn to_its_end(mut command: Command, session: &Session<'_>) -> io::Result<Output> {
    let mut child = command.spawn()?;
    let (mut stdin, (sender, receiver)) = (child.stdin.take(), channel());
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let mut told = false;
    loop {
        if session.should_stop() && !std::mem::replace(&mut told, true) {
            // One that ended in this moment needs no word.
            let _ = stdin.as_mut().map(|stdin| writeln!(stdin, "{STOP}"));
        }
        match receiver.recv_timeout(POLL) {
            Ok(output) => return output,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(io::Error::other("nobody saw its end")),
        }
    }
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
    if words.get(2).is_some_and(|word| [ONLY_RUN, ONLY_SIZE].contains(&word.as_str())) {
        words.drain(2..4);
    }
    words
}

/// Whether a signal or its parent has stopped the child.
pub(crate) fn was_stopped(output: &Output) -> bool {
    output.status.code().is_some_and(|code| STOPPED.contains(&code))
}

/// What a child says that failed, a line each; `None` of one that says nothing.
pub(crate) fn reported(output: &Output) -> Option<Vec<String>> {
    let said = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<String> = said.lines().map(Into::into).collect();
    (output.status.code() == Some(REPORTED) && !lines.is_empty()).then_some(lines)
}

/// Why a child has no result: what it says itself, else how it ended.
pub(crate) fn why(output: &Output) -> String {
    let [answered, said] = [&output.stdout, &output.stderr].map(|bytes| in_a_line(bytes));
    let reports = was_stopped(output) || output.status.code() == Some(REPORTED);
    match reports && !answered.is_empty() {
        true => answered,
        false => {
            let words = [answered, said].into_iter().filter(|words| !words.is_empty());
            let words: Vec<String> = words.collect();
            let said =
                if words.is_empty() { String::new() } else { format!("; it said: {}", words.join("; ")) };
            format!("its process ended with {}{}{said}", output.status, guess(output.status))
        }
    }
}

/// A system that runs out of memory kills, and a program that gets none aborts.
#[cfg(unix)]
fn guess(status: ExitStatus) -> &'static str {
    const ABORT: i32 = 6;
    const KILL: i32 = 9;
    match std::os::unix::process::ExitStatusExt::signal(&status) {
        Some(ABORT | KILL) => ", most likely because memory ran out",
        _ => "",
    }
}

#[cfg(not(unix))]
fn guess(_: ExitStatus) -> &'static str {
    ""
}

fn in_a_line(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    said.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}
