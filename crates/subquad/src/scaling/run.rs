//! Measures what is missing, size by size, then compares. Every size is measured by a child process of this command: one that gets no
//! memory, or is killed, is a size that failed, and the others are measured.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use subquad_backend::open_device;
use subquad_bench::scaling::{
    MeasuredConfig, Measurements, Point, all_cells, all_models, scaling_report, write_scaling_files,
};
use subquad_bench::{
    Along, BenchConfig, Site, Subjects, check_all, measure_cells, measure_models, spread_warning,
};
use subquad_record::{Cell, Machine, Provenance, read_facts};

use super::BenchStudy;
use super::size::OneSize;
use crate::Failure;
use crate::child_process::{
    ONLY_SIZE, child_command, failure_reason, reported_failures, run_to_end, was_stopped,
};
use crate::failure::Failures;
use crate::progress::Messages;
use crate::session::{BUILD_COMMIT, Session};
use crate::study_files::{lock_study, report_written, warn_of_leaving};

/// The cells of a config of a study. Warns of those that do not count.
pub(super) fn open<'a>(
    study: &BenchStudy,
    config: &'a BenchConfig,
    (results, site): (&Path, &Site),
    messages: Messages,
) -> Result<Measurements<'a>, Failure> {
    let folder = config.run_folder(&results.join(&study.slug), site);
    let measurements = Measurements::open(folder, config)?;
    if let Some(damage) = measurements.damage() {
        messages.warn(damage);
    }
    Ok(measurements)
}

/// Lists every point of a study: whether it has been measured, or `force` measures it again.
///
/// # Errors
/// If cells cannot be read.
pub fn list(
    study: &BenchStudy,
    subjects: &'static Subjects,
    (results, force): (&Path, bool),
    site: &Site,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    for config in &study.configs {
        let measurements = open(study, config, (results, site), Messages::new(false))?;
        let folder = measurements.folder.display();
        for point in Point::all(&config.options, subjects) {
            let state = if measurements.has(&point) && !force { "done" } else { "to do" };
            writeln!(out, "{state:5}  {folder} {}", point.title())?;
        }
    }
    Ok(())
}

/// Measures what is missing, then writes and shows the results, whatever they are.
///
/// # Errors
/// What failed, such as layers for which there is no memory, after all others have been measured; or if a file cannot be written.
pub fn run_study(
    subjects: &'static Subjects,
    study: &BenchStudy,
    session: &Session<'_>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let dir = session.results.join(&study.slug);
    // Two commands that measure at the same time would disturb each other's measurements.
    let lock = lock_study(&dir, session);
    let (mut measured, mut failed, mut is_new) = (vec![], vec![], false);
    for (index, config) in study.configs.iter().enumerate() {
        let points = Point::all(&config.options, subjects);
        let mut log = open(study, config, (session.results, &session.site()), session.messages)?;
        let missing: Vec<&Point> = points.iter().filter(|point| session.force || !log.has(point)).collect();
        is_new |= !missing.is_empty();
        if let Err(why) = &lock
            && (is_new || !matches!(why, Failure::ReadOnly(_)))
        {
            return Err(why.clone());
        }
        session.messages.say(format!(
            "{}: {}, {} of {} sizes to measure",
            study.slug,
            config.path.display(),
            missing.len(),
            points.len()
        ));
        if !missing.is_empty() && !session.should_stop() {
            measure_missing(&mut log, study, index, &missing, session)?;
        }
        measured.push(MeasuredConfig { config, cells: log.of(&points), models: log.models_of(&points) });
        failed.extend(log.failed);
    }
    let all = all_cells(&measured);
    let models = all_models(&measured);
    let of_models = models.iter().map(|cell| &cell.decode.provenance);
    say_what_differs(all.iter().map(|cell| &cell.provenance).chain(of_models), session);
    if let Some(warning) = spread_warning(&all) {
        session.messages.say(warning);
    }
    let written = lock.and_then(|_lock| {
        say_what_leaves(&dir, &all, session);
        Failure::unless_empty(write_scaling_files(&dir, &measured, &failed)?)
    });
    write!(out, "{}", scaling_report(&measured, &failed))?;
    let summarised = report_written(written, "Summary and figures", &dir, is_new, session, out);
    if session.should_stop() {
        return Err(session.interrupted());
    }
    let mut failures = Failures::default();
    failures.note(Failure::unless_empty(failed))?;
    failures.note(summarised).and(failures.end())
}

/// Measures points, each in a child process.
fn measure_missing(
    log: &mut Measurements<'_>,
    study: &BenchStudy,
    config: usize,
    missing: &[&Point],
    session: &Session<'_>,
) -> Result<(), Failure> {
    if let Some(aside) = log.prepare()? {
        session.messages.warn(format!("what was there is kept in {}", aside.display()));
    }
    for (count, point) in missing.iter().enumerate().take_while(|_| !session.should_stop()) {
        let (slug, title) = (study.slug.clone(), point.title());
        session.messages.say(format!("[{}/{}] {title}", count + 1, missing.len()));
        measure_in_child(log, &OneSize { slug, config, title }, session)?;
    }
    Ok(())
}

/// The child writes the cells, which are then read again, and says what it could not measure.
fn measure_in_child(
    log: &mut Measurements<'_>,
    size: &OneSize,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let child = child_command(ONLY_SIZE, size, Stdio::inherit());
    let output = child
        .and_then(|child| run_to_end(child, session))
        .map_err(|error| Failure::failed(format!("{}: its process: {error}", size.title)))?;
    log.reload()?;
    let was_asked = session.should_stop() && was_stopped(&output);
    if !output.status.success() && !was_asked {
        let died = || vec![format!("{}: {}", size.title, failure_reason(&output))];
        for why in reported_failures(&output).unwrap_or_else(died) {
            session.messages.say(format!("    {why}"));
            log.failed.push(why);
        }
    }
    Ok(())
}

/// Cells of another build or machine are not wrong, but a comparison with them may be.
fn say_what_differs<'a>(cells: impl Iterator<Item = &'a Provenance> + Clone, session: &Session<'_>) {
    let here = Machine::detect();
    let is_strange = |Provenance { build_commit, machine, .. }: &&Provenance| {
        build_commit.as_deref() != BUILD_COMMIT || machine.cpu != here.cpu
    };
    let count = cells.clone().filter(is_strange).count();
    if count > 0 {
        session.messages.say(format!(
            "note: {count} of {} measurements come from another build or machine; delete the study's runs/ to measure all again",
            cells.count()
        ));
    }
}

/// Counts the measurements of the present summary that this command does not ask for.
fn say_what_leaves(dir: &Path, cells: &[Cell], session: &Session<'_>) {
    let Ok(mut facts) = read_facts(dir) else { return };
    let before = serde_json::from_value(facts.remove("cells").unwrap_or_default());
    let before: Vec<Cell> = before.unwrap_or_default();
    let leaves = |old: &&Cell| cells.iter().all(|cell| what_is_measured(cell) != what_is_measured(old));
    let leave = before.iter().filter(leaves).count();
    warn_of_leaving(leave, "measurements", dir, session);
}

fn what_is_measured(cell: &Cell) -> (&str, [usize; 3], [Option<usize>; 2], &str) {
    let sizes = [cell.batch, cell.seq_len, cell.d_model];
    (&cell.mixer, sizes, [cell.d_hidden, cell.n_blocks], &cell.provenance.device)
}

/// Runs every layer of a config briefly at its smallest sizes, keeping nothing. Returns the number of sizes.
///
/// # Errors
/// What went wrong, as for [`run_study`].
pub fn smoke(config: &BenchConfig, subjects: &'static Subjects) -> Result<usize, Failure> {
    let site = Site::new(open_device("cpu").map_err(Failure::failed)?, BUILD_COMMIT);
    let points = Point::all(&config.options, subjects);
    let first = |along| points.iter().filter(|p| p.along == along).min_by_key(|p| p.sizes.elements());
    let smallest: Vec<&Point> = Along::ALL.into_iter().filter_map(first).collect();
    for point in &smallest {
        if point.along == Along::Context {
            let context = (point.sizes.seq_len, Duration::ZERO);
            measure_models(&point.models, &point.model_sizes, context, &site).map_err(Failure::failed)?;
            continue;
        }
        let checked = check_all(&point.subjects, &site.device).map_err(Failure::Failed)?;
        measure_cells(&checked, &point.sizes, Duration::ZERO, &site, &Default::default())
            .map_err(Failure::failed)?;
    }
    Ok(smallest.len())
}
