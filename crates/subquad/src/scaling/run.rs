//! Measures what is missing, size by size, then compares. Every size is measured by a child process of this command: one that gets no
//! memory, or is killed, is a size that failed, and the others are measured.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use subquad_backend::open_device;
use subquad_bench::{Site, Subjects, measure_cells};
use subquad_record::{Cell, Machine, Provenance, read_facts};

use super::measurements::{Measurements, check_points, check_sizes, read};
use super::size::OneSize;
use super::{BenchStudy, Point};
use crate::Failure;
use crate::child_process::{
    ONLY_SIZE, child_command, failure_reason, reported_failures, run_to_end, was_stopped,
};
use crate::config::BenchConfig;
use crate::failure::Failures;
use crate::progress::Messages;
use crate::report::{MeasuredConfig, scaling_report, spread_warning, write_scaling_files};
use crate::session::{BUILD_COMMIT, Session};
use crate::study_files::{lock_study, report_written, warn_of_leaving};

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
    for (config, points) in study.points(subjects) {
        let folder = study.run_folder(config, results, site);
        let cells = read(&folder, Messages::new(false))?.cells;
        for point in points {
            let state = if point.is_measured(&cells) && !force { "done" } else { "to do" };
            writeln!(out, "{state:5}  {} {}", folder.display(), point.title())?;
        }
    }
    Ok(())
}

/// Measures what is missing, then writes and shows the results, whatever they are.
///
/// # Errors
/// Wrong input, before anything runs; what failed, such as layers for which there is not enough memory, after all
/// others have been measured; or if a file cannot be written.
pub fn run_study(
    subjects: &'static Subjects,
    study: &BenchStudy,
    session: &Session<'_>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let site = session.site();
    let dir = session.results.join(&study.slug);
    // Two commands that measure at the same time would disturb each other's measurements.
    let lock = lock_study(&dir, session);
    let (mut measured, mut failed, mut is_new) = (vec![], vec![], false);
    for (index, (config, points)) in study.points(subjects).into_iter().enumerate() {
        let folder = study.run_folder(config, session.results, &site);
        let mut log = Measurements::open(folder, config, session)?;
        is_new |= !log.missing(&points, session).is_empty();
        if let Err(why) = &lock
            && (is_new || !matches!(why, Failure::ReadOnly(_)))
        {
            return Err(why.clone());
        }
        measure_missing(&mut log, study, index, &points, session)?;
        measured.push(MeasuredConfig { config, cells: log.of(&points), points });
        failed.extend(log.failed);
    }
    let all: Vec<Cell> = measured.iter().flat_map(|config| config.cells.clone()).collect();
    say_what_differs(&all, session);
    if let Some(warning) = spread_warning(&all) {
        session.messages.say(warning);
    }
    let written = lock.and_then(|_lock| {
        say_what_leaves(&dir, &all, session);
        write_scaling_files(&dir, &measured, &failed)
    });
    write!(out, "{}", scaling_report(&measured, &failed))?;
    let summarised = report_written(written, "Summary and figures", &dir, is_new, session, out);
    if session.should_stop() {
        return Err(session.interrupted());
    }
    let mut failures = Failures::default();
    if !failed.is_empty() {
        failures.note(Err(Failure::Failed(failed)))?;
    }
    failures.note(summarised).and(failures.end())
}

/// Measures the points that are missing, each in a child process.
fn measure_missing(
    log: &mut Measurements<'_>,
    study: &BenchStudy,
    index: usize,
    points: &[Point],
    session: &Session<'_>,
) -> Result<(), Failure> {
    let missing = log.missing(points, session);
    session.messages.say(format!(
        "{}: {}, {} of {} sizes to measure",
        study.slug,
        log.config.path.display(),
        missing.len(),
        points.len()
    ));
    if missing.is_empty() || session.should_stop() {
        return Ok(());
    }
    check_sizes(&missing)?;
    log.prepare(session.messages)?;
    for (count, point) in missing.iter().enumerate().take_while(|_| !session.should_stop()) {
        session.messages.say(format!("[{}/{}] {}", count + 1, missing.len(), point.title()));
        let (slug, title) = (study.slug.clone(), point.title());
        measure_in_child(log, &OneSize { slug, config: index, title }, session)?;
    }
    Ok(())
}

/// The child writes the cells, which are then read again, and says what it could not measure.
fn measure_in_child(
    log: &mut Measurements<'_>,
    size: &OneSize,
    session: &Session<'_>,
) -> Result<(), Failure> {
    let child = child_command(ONLY_SIZE, &size.to_string(), Stdio::inherit());
    let output = child
        .and_then(|child| run_to_end(child, session))
        .map_err(|error| Failure::failed(format!("{}: its process: {error}", size.title)))?;
    log.reload()?;
    let was_asked = session.should_stop() && was_stopped(&output);
    if !output.status.success() && !was_asked {
        let died = || vec![format!("{}: {}", size.title, failure_reason(&output))];
        reported_failures(&output).unwrap_or_else(died).into_iter().for_each(|why| log.fail(why, session));
    }
    Ok(())
}

/// Cells of another build or machine are not wrong, but a comparison with them may be.
fn say_what_differs(cells: &[Cell], session: &Session<'_>) {
    let here = Machine::detect();
    let is_strange = |cell: &&Cell| {
        let Provenance { build_commit, machine, .. } = &cell.provenance;
        build_commit.as_deref() != BUILD_COMMIT || machine.cpu != here.cpu
    };
    let count = cells.iter().filter(is_strange).count();
    if count > 0 {
        session.messages.say(format!(
            "note: {count} of {} measurements come from another build or machine; delete the study's runs/ to measure all again",
            cells.len()
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
    let smallest: Vec<&Point> =
        [super::Along::Length, super::Along::Width].into_iter().filter_map(first).collect();
    for point in &smallest {
        let checked = check_points(&[point], &site)?;
        measure_cells(&checked, &point.sizes, Duration::ZERO, &site, &Default::default())
            .map_err(Failure::failed)?;
    }
    Ok(smallest.len())
}
