//! The summary and the figures of a study: the lock on them, and what a command says once it has written them, or could not.

use std::io::Write;
use std::path::Path;

use subquad_record::{Attempt, Lock, lock_path};

use crate::Failure;
use crate::child_process::POLL;
use crate::session::Session;

/// The lock on the summary and the figures in `dir`, the folder of a study, taken as soon as nobody else holds it.
pub(crate) fn lock_study(dir: &Path, session: &Session<'_>) -> Result<Lock, Failure> {
    loop {
        match Lock::try_take(&lock_path(dir))? {
            Attempt::Taken(lock) => return Ok(lock),
            Attempt::Held(_) if session.should_stop() => return Err(session.interrupted()),
            Attempt::Held(_) => std::thread::sleep(POLL),
        }
    }
}

/// Warns of what will be missing from a summary, such as 3 `runs`. A summary shows only what one command asks for;
/// the rest stays in `runs/`.
pub(crate) fn warn_of_leaving(count: usize, what: &str, dir: &Path, session: &Session<'_>) {
    if count > 0 {
        session.messages.warn(format!(
            "{count} {what} will be missing from the summary and figures in {}, because this command does not ask for them; \
             --results DIR keeps studies apart",
            dir.display()
        ));
    }
}

/// Says where `what` is: the summary of a study, and its figures if there are any. A command that shows only earlier
/// results (`is_new` is false) does not fail if the folder cannot be written, because its table is all that was asked
/// for.
///
/// # Errors
/// What kept new results from being written.
pub(crate) fn report_written(
    written: Result<(), Failure>,
    what: &str,
    dir: &Path,
    is_new: bool,
    session: &Session<'_>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    match written {
        Err(Failure::ReadOnly(why)) if !is_new => {
            session.messages.warn(format!(
                "the summary and figures in {} were not updated and may show other runs: {why}",
                dir.display()
            ));
            Ok(())
        }
        written => {
            written?;
            Ok(writeln!(out, "{what}: {}", dir.display())?)
        }
    }
}
