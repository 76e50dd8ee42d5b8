//! The side of a child process: one run for a parent, for as long as there is a parent.

use std::io;

use super::{Ended, STOP, work_alone};
use crate::Failure;
use crate::execute::Setting;
use crate::plan::Study;
use crate::stop::Stop;

/// Runs the one run of this name.
///
/// # Errors
/// Why it has no result; the parent reads it from standard error.
pub(crate) fn serve(name: &str, studies: &[Study], setting: &Setting<'_>) -> Result<(), Failure> {
    obey_parent(setting.stop.clone());
    let (study, index) = find(name, studies).ok_or_else(|| {
        Failure::wrong(format!(
            "{name}: its config or data were changed after the command started; start it again"
        ))
    })?;
    match work_alone(study, &[index], setting)?.remove(&index) {
        Some(Ended::Failed(why)) => Err(Failure::failed(why)),
        Some(Ended::Done(_)) | None => Ok(()),
    }
}

fn find<'a>(name: &str, studies: &'a [Study]) -> Option<(&'a Study, usize)> {
    studies.iter().find_map(|study| {
        let index = study.runs.iter().position(|run| run.name.to_string() == name)?;
        Some((study, index))
    })
}

/// Only the parent holds the other end of standard input: once it ends, the parent is gone, however it went. Nobody is left
/// to report to then, and the record is made to survive a kill.
fn obey_parent(stop: Stop) {
    std::thread::spawn(move || {
        let words = io::stdin().lines().map_while(Result::ok);
        words.filter(|word| word == STOP).for_each(|_| stop.ask());
        std::process::exit(i32::from(stop.signal().exit_code()));
    });
}
