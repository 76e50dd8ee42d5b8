//! `subquad run`: train what is not there yet, then compare.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use subquad_backend::open_device;
use subquad_record::read_study;
use subquad_train::TrainError;

use crate::Failure;
use crate::config::Assignment;
use crate::execute::{RunError, Setting, execute};
use crate::plan::{PlannedRun, Study, plan};
use crate::progress::Messages;
use crate::report::{Finished, comparison, write_study_files};

const AGAIN: &str = "\
Runs that are already in the results are not repeated, so an interrupted command goes on when it is
given again. Keys of a config: configs/README.md.";

/// Train and compare what configs ask for
#[derive(Debug, clap::Args)]
#[command(after_help = AGAIN)]
pub struct Args {
    /// Config files, or folders of them
    #[arg(required = true, value_name = "CONFIG")]
    pub configs: Vec<PathBuf>,
    /// Change a key in every config, such as train.steps=100; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub assignments: Vec<String>,
    /// Folder that results go to
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub results: PathBuf,
    /// Device that trains: cpu, wgpu, or auto (a GPU if any)
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// Only list the runs: which are done, which are to do
    #[arg(long)]
    pub dry_run: bool,
    /// No progress, only results and errors
    #[arg(long, short)]
    pub quiet: bool,
}

/// Parses `--set` flags.
///
/// # Errors
/// Every flag that is none.
pub fn assignments(flags: &[String]) -> Result<Vec<Assignment>, Failure> {
    let (parsed, wrong): (Vec<_>, Vec<_>) =
        flags.iter().map(|flag| Assignment::parse(flag)).partition(Result::is_ok);
    match wrong.is_empty() {
        true => Ok(parsed.into_iter().flatten().collect()),
        false => {
            Err(Failure::Wrong(wrong.into_iter().filter_map(Result::err).map(|e| e.to_string()).collect()))
        }
    }
}

/// Runs the command.
///
/// # Errors
/// Wrong input before anything runs; else the runs that failed, after all others have been tried.
pub fn run(args: &Args, stop: Arc<AtomicBool>, out: &mut dyn Write) -> Result<(), Failure> {
    let opened = open_device(&args.device).map_err(Failure::wrong)?;
    if args.results.exists() && !args.results.is_dir() {
        return Err(Failure::wrong(format!("--results {}: is a file, not a folder", args.results.display())));
    }
    let studies = plan(&args.configs, &assignments(&args.assignments)?)?;
    if args.dry_run {
        return list_runs(&studies, args, out);
    }
    let messages = Messages::new(args.quiet);
    let setting = Setting {
        results: &args.results,
        device: opened.device,
        device_kind: opened.kind,
        adapter: opened.adapter,
        stop,
        messages,
    };
    say_which_device(&args.device, &setting);
    let mut failed = vec![];
    for study in &studies {
        failed.extend(run_study(study, &setting, out)?);
    }
    if failed.is_empty() { Ok(()) } else { Err(Failure::Failed(failed)) }
}

fn list_runs(studies: &[Study], args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    for study in studies {
        for run in &study.runs {
            let dir = run.dir(study, &args.results);
            let state = if dir.is_done() { "done" } else { "to do" };
            writeln!(out, "{state:5}  {}", dir.path().display())?;
        }
    }
    Ok(())
}

/// Runs what is missing, then writes and shows the comparison. Returns what failed.
fn run_study(study: &Study, setting: &Setting<'_>, out: &mut dyn Write) -> Result<Vec<String>, Failure> {
    say_what_is_there(study, setting);
    let (mut finished, mut failed) = (vec![], vec![]);
    for (index, run) in study.runs.iter().enumerate() {
        match run_one(run, study, setting, &format!("[{}/{}]", index + 1, study.runs.len())) {
            Ok(run) => finished.push(run),
            Err(RunError::Train(TrainError::Stopped { .. })) => return Err(Failure::Interrupted),
            // Others may still succeed; but a folder that cannot be written will not get better.
            Err(RunError::Train(error @ TrainError::NonFinite { .. })) => {
                failed.push(format!("{}: {error}", run.name))
            }
            Err(error) => return Err(Failure::failed(format!("{}: {error}", run.name))),
        }
        if setting.stop.load(Ordering::Relaxed) {
            return Err(Failure::Interrupted);
        }
    }
    if !finished.is_empty() {
        compare(study, setting, &finished, &failed, out)?;
    }
    Ok(failed)
}

/// Whoever named the CPU knows.
fn say_which_device(asked: &str, setting: &Setting<'_>) {
    let kind = setting.device_kind.as_str();
    match &setting.adapter {
        Some(adapter) => setting.messages.say(format!("device: {kind}, {adapter}")),
        None if asked != kind => setting.messages.say(format!("device: {kind}")),
        None => {}
    }
}

fn say_what_is_there(study: &Study, setting: &Setting<'_>) {
    let done = study.runs.iter().filter(|run| run.dir(study, setting.results).is_done()).count();
    let all = study.runs.len();
    let slug = &study.slug;
    setting.messages.say(match (all, done) {
        (1, 0) => format!("{slug}: 1 run"),
        (all, 0) => format!("{slug}: {all} runs"),
        (1, 1) => format!("{slug}: its run is done already; nothing to train"),
        (all, done) if done == all => format!("{slug}: all {all} runs are done already; nothing to train"),
        (all, done) => format!("{slug}: {all} runs, {done} of them done already"),
    });
}

/// A summary shows the runs of one command. Those of another one stay in `runs/`, but leave the summary.
fn say_what_leaves(dir: &Path, study: &Study, setting: &Setting<'_>) {
    let Ok(before) = read_study(dir) else { return };
    let asked_for = |name: &str| study.runs.iter().any(|run| run.name.to_string() == name);
    let leave = before.runs.iter().filter(|run| !asked_for(&run.run)).count();
    if leave > 0 {
        setting.messages.say(format!(
            "note: {leave} runs leave the summary and figures in {}, since this command does not ask for them; \
             --results DIR keeps studies apart",
            dir.display()
        ));
    }
}

fn run_one(
    run: &PlannedRun,
    study: &Study,
    setting: &Setting<'_>,
    place: &str,
) -> Result<Finished, RunError> {
    let dir = run.dir(study, setting.results);
    let summary = match dir.is_done() {
        true => dir.read_summary()?,
        false => {
            if dir.path().exists() {
                setting.messages.say(format!("{}: unfinished or damaged, so it starts again", run.name));
            }
            execute(run, study, setting, place)?
        }
    };
    Ok(Finished { label: study.label(run), summary, dir: dir.path().into() })
}

fn compare(
    study: &Study,
    setting: &Setting<'_>,
    runs: &[Finished],
    failed: &[String],
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let dir = setting.results.join(&study.slug);
    say_what_leaves(&dir, study, setting);
    write_study_files(&dir, runs, failed)?;
    writeln!(out, "{}", comparison(runs))?;
    for failure in failed {
        writeln!(out, "Failed, so not above: {failure}.")?;
    }
    writeln!(out, "Summary and figures: {}", dir.display())?;
    Ok(())
}
