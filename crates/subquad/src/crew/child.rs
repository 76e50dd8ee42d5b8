//! The side of a child process: one run for a parent, for as long as there is a parent.

use std::any::Any;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use subquad_backend::DeviceKind;
use subquad_config::Assignment;
use subquad_record::RunName;

use super::in_process::run_here;
use super::{Ended, Errand};
use crate::Failure;
use crate::child_process::STOP;
use crate::plan::{Study, by_kind, group, load_all};
use crate::program::Program;
use crate::session::Session;
use crate::stop::Stop;

/// The one run of an errand, in its study, without what other runs of the same configs would cost.
///
/// # Errors
/// What is wrong with the configs now, or that they no longer ask for the run.
pub(crate) fn plan_one(
    program: &dyn Program,
    errand: &Errand,
    configs: &[PathBuf],
    assignments: &[Assignment],
    device: DeviceKind,
) -> Result<Study, Failure> {
    let (mut configs, _) = by_kind(load_all(program, configs, assignments)?);
    for config in &mut configs {
        config.runs.retain(|run| {
            let RunName { mixer, seq_len, seed, hash: _ } = &errand.name;
            (run.subject, run.size, run.seed) == (mixer.as_str(), *seq_len, *seed)
        });
    }
    configs.retain(|config| !config.runs.is_empty());
    let studies = group(configs)?.into_iter().map(|study| study.on_device(device));
    for mut study in studies {
        study.runs.retain(|run| run.name == errand.name);
        if !study.runs.is_empty() {
            return Ok(study);
        }
    }
    Err(Failure::failed("its config or data were changed after the command started; start it again"))
}

/// Does the one run of the study.
///
/// # Errors
/// Why it has no result.
pub(crate) fn serve(study: &Study, place: &str, session: &Session<'_>) -> Result<(), Failure> {
    obey_parent(session.stop.clone());
    let ended = catch_unwind(AssertUnwindSafe(|| run_here(study, place, session))).map_err(|panic| {
        Failure::failed(format!("the program panicked, please report it: {}", said(&*panic)))
    })?;
    match ended {
        Some(Ended::Failed(why)) => Err(Failure::failed(why)),
        Some(Ended::Done(_)) => Ok(()),
        None => Err(session.interrupted()),
    }
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no words".into())
}

/// Hands the parent, which reads `out`, the reasons of a failure.
///
/// # Errors
/// The failure, without the words that the parent has now.
pub(crate) fn answer(result: Result<(), Failure>, out: &mut dyn Write) -> Result<(), Failure> {
    match result {
        Err(Failure::Failed(why) | Failure::Wrong(why)) => {
            writeln!(out, "{}", why.join("\n"))?;
            Err(Failure::Failed(vec![]))
        }
        Err(Failure::ReadOnly(why)) => {
            writeln!(out, "{why}")?;
            Err(Failure::Failed(vec![]))
        }
        // By its parent, which needs no word, or by a signal of its own.
        Err(stopped @ (Failure::Interrupted(signal) | Failure::Stopped(signal))) => {
            writeln!(out, "{stopped}")?;
            Err(Failure::Stopped(signal))
        }
        Ok(()) => Ok(()),
    }
}

/// Only the parent holds the other end of standard input: once it ends, the parent is gone, however it went. Nobody is left
/// to report to then, and the record is made to survive a kill.
pub(crate) fn obey_parent(stop: Stop) {
    std::thread::spawn(move || {
        let words = io::stdin().lines().map_while(Result::ok);
        words.filter(|word| word == STOP).for_each(|_| stop.ask());
        std::process::exit(i32::from(stop.signal().exit_code()));
    });
}
