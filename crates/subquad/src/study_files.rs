//! What a command says of the summary and the figures that it has written, or could not write.

use std::io::Write;
use std::path::Path;

use crate::Failure;
use crate::session::Session;

/// Says where `what`, the summary of a study and its figures if there are any, is. A place that cannot be written fails no command that shows what was
/// there before (`is_new` is false then): its table is all that was asked for.
///
/// # Errors
/// What kept results that are new from being written.
pub(crate) fn tell_written(
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
                "the summary and figures in {} stay as they were, which may be of other runs: {why}",
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
