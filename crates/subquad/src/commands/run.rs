//! `subquad run`: train what is not there yet, then compare.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use subquad_backend::OpenDevice;
use subquad_bench::Site;
use subquad_record::{Manifest, RunStatus, RunSummary, read_study};

use super::flags::{DeviceFlag, QuietFlag, ResultsFlag, SetFlags, ThreadsFlag};
use crate::child_process::{parse_part, report_to_parent};
use crate::failure::Failures;
use crate::plan::{Planned, plan};
use crate::program::Program;
use crate::progress::Messages;
use crate::registry::Registry;
use crate::report::{Failed, REPORT, StudyResults, edges, report, unjudged, write_study_files};
use crate::results::check_results;
use crate::scaling::OneSize;
use crate::scheduler::{OneRun, execute_all, plan_one, run_as_child};
use crate::session::{BUILD_COMMIT, Session};
use crate::stop::Stop;
use crate::study::Study;
use crate::study_files::{lock_study, report_written, warn_of_leaving};
use crate::{Failure, scaling, staleness, study_results};

const AFTER_HELP: &str = "\
Runs that are already in the results are not repeated. After an interruption or a kill, give the
same command again: it continues where it stopped. docs/running.md explains how runs are named, what
--jobs changes, and what happens on Ctrl-C, on a batch system's signals and when memory runs out.
Keys of a config: configs/KEYS.md, or subquad list --keys.";

/// Run the experiments that configs describe, and compare them
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// Config files, or folders of them
    #[arg(required = true, value_name = "CONFIG")]
    pub configs: Vec<PathBuf>,
    /// Keys to change.
    #[command(flatten)]
    pub set: SetFlags,
    /// Where results go.
    #[command(flatten)]
    pub results: ResultsFlag,
    /// The device to use.
    #[command(flatten)]
    pub device: DeviceFlag,
    /// Number of runs at once; above 1, no timings are shown
    #[arg(long, value_name = "N", default_value = "1", value_parser = one_or_more)]
    pub jobs: usize,
    /// The number of threads.
    #[command(flatten)]
    pub threads: ThreadsFlag,
    /// Repeat runs that are already done
    #[arg(long)]
    pub force: bool,
    /// Only list the runs and whether each is done
    #[arg(long)]
    pub dry_run: bool,
    /// Whether progress is shown.
    #[command(flatten)]
    pub quiet: QuietFlag,
    /// For a child process: only this run, while standard input is open
    #[arg(long, value_name = "RUN", hide = true, value_parser = parse_part::<OneRun>)]
    pub(crate) only_run: Option<OneRun>,
    /// For a child process: only this size of a study that measures, while standard input is open
    #[arg(long, value_name = "SIZE", hide = true, value_parser = parse_part::<OneSize>)]
    pub(crate) only_size: Option<OneSize>,
}

impl Args {
    /// Whether this process was started by another one to do part of its work.
    pub(crate) fn is_child(&self) -> bool {
        self.only_run.is_some() || self.only_size.is_some()
    }
}

fn one_or_more(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "must be a whole number >= 1".into())
}

/// Runs the command.
///
/// # Errors
/// Wrong input, before anything runs; otherwise the runs that failed, after all others have been tried.
pub fn run(program: &Program, args: &Args, stop: Stop, out: &mut dyn Write) -> Result<(), Failure> {
    match (&args.only_run, &args.only_size) {
        (Some(run), _) => report_to_parent(run_one(program, args, run, stop), out),
        (None, Some(size)) => report_to_parent(measure_one(program, args, size, stop), out),
        (None, None) => run_all(program, args, stop, out),
    }
}

/// What a child process does for one run.
fn run_one(program: &Program, args: &Args, run: &OneRun, stop: Stop) -> Result<(), Failure> {
    let opened = args.device.open()?;
    let study = plan_one(program, run, &args.configs, &args.set.parse()?, opened.kind)?;
    let messages = Messages::new(args.quiet.is_set || run.jobs > 1);
    let messages = if run.is_brief { messages.only_bars() } else { messages };
    let session = Session { jobs: run.jobs, messages, ..session(args, opened, stop) };
    run_as_child(program, &study, &run.position, &session)
}

/// What a child process does to measure one size.
fn measure_one(program: &Program, args: &Args, size: &OneSize, stop: Stop) -> Result<(), Failure> {
    let opened = args.device.open()?;
    let Planned { bench, .. } = plan(program, &args.configs, &args.set.parse()?)?;
    scaling::measure_one(program.subjects(), &bench, size, &session(args, opened, stop))
}

fn run_all(program: &Program, args: &Args, stop: Stop, out: &mut dyn Write) -> Result<(), Failure> {
    let opened = args.device.open()?;
    check_results(&args.results.folder, [].into_iter())?;
    let Planned { training, bench } = plan(program, &args.configs, &args.set.parse()?)?;
    let slugs = training.iter().map(|study| &study.slug).chain(bench.iter().map(|study| &study.slug));
    check_results(&args.results.folder, slugs.map(String::as_str))?;
    let studies: Vec<_> = training.into_iter().map(|study| study.on_device(opened.kind)).collect();
    if args.dry_run {
        list_runs(program, &studies, args, out)?;
        let (site, which) = (Site::new(opened, BUILD_COMMIT), (args.results.folder.as_path(), args.force));
        return bench
            .iter()
            .try_for_each(|study| scaling::list(study, program.subjects(), which, &site, out));
    }
    let session = session(args, opened, stop);
    say_which_device(&args.device.name, &session);
    if !bench.is_empty() && session.jobs > 1 {
        session.messages.warn("--jobs does nothing for configs that measure: they run one at a time");
    }
    let mut failures = Failures::default();
    for study in &studies {
        failures.note(run_study(program, study, &session, out))?;
    }
    for study in &bench {
        failures.note(scaling::run_study(program.subjects(), study, &session, out))?;
    }
    failures.end()
}

fn session<'a>(args: &'a Args, opened: OpenDevice, stop: Stop) -> Session<'a> {
    Session {
        results: &args.results.folder,
        opened,
        jobs: args.jobs,
        force: args.force,
        stop,
        messages: args.quiet.messages(),
    }
}

fn list_runs(program: &Program, studies: &[Study], args: &Args, out: &mut dyn Write) -> Result<(), Failure> {
    for study in studies {
        for run in &study.runs {
            let dir = run.dir(study, &args.results.folder);
            let status = dir.status();
            if let RunStatus::Damaged(error) = &status {
                Messages::new(false).warn(format!("{}: {error}", run.name));
            }
            let is_done = matches!(status, RunStatus::Done(_)) && !args.force;
            let state = if is_done { "done" } else { "to do" };
            let found =
                (program.of_budget)(&run.resolved).map(|found| format!("  {found}")).unwrap_or_default();
            writeln!(out, "{state:5}  {}{found}", dir.path().display())?;
        }
    }
    Ok(())
}

/// Runs what is missing, then writes and shows the results, whatever they are.
fn run_study(
    program: &Program,
    study: &Study,
    session: &Session<'_>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    // They are read now, because another command may run one of them again in the meantime.
    let before = earlier_results(study, session);
    let done: Vec<usize> = before.keys().copied().collect();
    let missing: Vec<usize> = (0..study.runs.len()).filter(|index| !before.contains_key(index)).collect();
    let to_do = if session.force { (0..study.runs.len()).collect() } else { missing };
    // A run that has the machine to itself counts as timed alone.
    let session = &Session { jobs: session.jobs.min(to_do.len()).max(1), ..session.clone() };
    say_how_many_runs(study, done.len(), session);
    warn_of_other_builds(study, &done, session);
    let ended = execute_all(program, study, &to_do, session);
    let results = study_results::collect(program, study, session, before, ended);
    let mut failures = Failures::default();
    if !results.failed.is_empty() {
        failures.note(Err(Failure::Failed(results.failed.iter().map(Failed::line).collect())))?;
    }
    let compared = compare(study, session, &results, !to_do.is_empty(), out);
    // A signal that stopped the command matters more than what failed before.
    if session.should_stop() {
        Err(session.interrupted())
    } else {
        failures.note(compared).and(failures.end())
    }
}

/// Says which device runs, unless it is the CPU and was asked for by name.
fn say_which_device(asked: &str, session: &Session<'_>) {
    let kind = session.opened.kind.as_str();
    match &session.opened.adapter {
        Some(adapter) => session.messages.say(format!("device: {kind}, {adapter}")),
        None if asked != kind => session.messages.say(format!("device: {kind}")),
        None => {}
    }
}

/// The existing results, by the run's index in the study.
fn earlier_results(study: &Study, session: &Session<'_>) -> BTreeMap<usize, RunSummary> {
    let result = |index: usize| {
        let dir = study.runs[index].dir(study, session.results);
        let RunStatus::Done(summary) = dir.status() else { return None };
        // Only a kill at the very end leaves any, and they do no harm.
        let _ = dir.remove_left_checkpoints();
        Some((index, *summary))
    };
    (0..study.runs.len()).into_par_iter().filter_map(result).collect()
}

fn say_how_many_runs(study: &Study, done: usize, session: &Session<'_>) {
    let all = study.runs.len();
    let slug = &study.slug;
    session.messages.say(match (all, done) {
        (1, 0) => format!("{slug}: 1 run"),
        (all, 0) => format!("{slug}: {all} runs"),
        (1, 1) if session.force => format!("{slug}: its run is already done, and runs again"),
        (all, done) if session.force => format!("{slug}: {all} runs, {done} of them again"),
        (1, 1) => format!("{slug}: its run is already done; nothing to train"),
        (all, done) if done == all => format!("{slug}: all {all} runs are already done; nothing to train"),
        (all, done) => format!("{slug}: {all} runs, {done} of them already done"),
    });
    if session.jobs > 1 {
        let (jobs, threads) = (session.jobs, rayon::current_num_threads());
        session.messages.say(format!("{slug}: up to {jobs} runs at once, each with {threads} threads"));
    }
}

fn warn_of_other_builds(study: &Study, done: &[usize], session: &Session<'_>) {
    let manifest = |index: &usize| study.runs[*index].dir(study, session.results).read_manifest().ok();
    let manifests: Vec<Manifest> = done.iter().filter(|_| !session.force).filter_map(manifest).collect();
    for warning in staleness::warnings(&manifests, study.runs.len()) {
        session.messages.warn(format!("{}: {warning}", study.slug));
    }
}

/// Counts the runs of the present summary that this command does not ask for.
fn say_what_leaves(dir: &Path, study: &Study, session: &Session<'_>) {
    let Ok(before) = read_study(dir) else { return };
    let asked_for: BTreeSet<String> = study.runs.iter().map(|run| run.name.to_string()).collect();
    let leave = before.runs.iter().filter(|run| !asked_for.contains(&run.run)).count();
    warn_of_leaving(leave, "runs", dir, session);
}

/// Shows as much of a report as fits on a screen, and says where the rest is.
fn show(report: &str, dir: &Path, out: &mut dyn Write) -> Result<(), Failure> {
    let lines: Vec<&str> = report.lines().collect();
    if lines.len() <= SCREEN {
        return Ok(write!(out, "{report}")?);
    }
    let (shown, rest) = lines.split_at(SCREEN - SCREEN / 5);
    shown.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    Ok(writeln!(out, "... and {} more lines: {}", rest.len(), dir.join(REPORT).display())?)
}

/// Lines of a report that are shown; a longer one is cut short of that.
const SCREEN: usize = 60;

fn compare(
    study: &Study,
    session: &Session<'_>,
    results: &StudyResults,
    is_new: bool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let dir = session.results.join(&study.slug);
    let written = lock_study(&dir, session).and_then(|_lock| {
        say_what_leaves(&dir, study, session);
        write_study_files(&dir, results)
    });
    show(&report(results), &dir, out)?;
    for warning in [unjudged(&results.finished), edges(&results.finished)].into_iter().flatten() {
        session.messages.warn(format!("{}: {warning}", study.slug));
    }
    let what = if results.finished.is_empty() { "Summary" } else { "Summary and figures" };
    report_written(written, what, &dir, is_new, session, out)
}
