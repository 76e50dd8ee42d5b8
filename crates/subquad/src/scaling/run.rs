//! Measures what is missing, size by size, then compares. Every size is measured by a child process of this command: one that gets no
//! memory, or is killed, is a size that failed, and the others are measured.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use subquad_backend::open_device;
use subquad_bench::{
    BenchError, Checked, Site, Subjects, accepts, available_at, check_all, fits_in_memory, measure_cells,
};
use subquad_record::{
    Cell, CellLog, Machine, Provenance, read_cells, read_facts, set_cells_aside, write_atomic, write_cells,
};

use super::{BenchStudy, OneSize, Point};
use crate::Failure;
use crate::child_process::{ONLY_SIZE, again, reported, to_its_end, was_stopped, why};
use crate::config::BenchConfig;
use crate::crew::lock_study;
use crate::failure::Failures;
use crate::progress::Messages;
use crate::report::{MeasuredConfig, scaling_report, spread_warning, write_scaling_files};
use crate::session::{BUILD_COMMIT, Session};
use crate::study_files::tell_written;

const CELLS: &str = "cells.jsonl";
const CONFIG: &str = "config.toml";

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
        let cells = read(&folder.join(CELLS), Messages::new(false))?.cells;
        for point in points {
            let state = if point.is_measured(&cells) && !force { "done" } else { "to do" };
            writeln!(out, "{state:5}  {} {}", folder.display(), point.title())?;
        }
    }
    Ok(())
}

/// Says which cells are not the folder's own, or no longer what was written.
fn read(path: &Path, messages: Messages) -> Result<CellLog, Failure> {
    let log = read_cells(path)?;
    if let Some(first) = log.damaged.first() {
        let (damaged, all) = (log.damaged.len(), log.damaged.len() + log.cells.len());
        messages.warn(format!(
            "{first}; {damaged} of {all} measurements do not count, so their sizes are missing"
        ));
    }
    Ok(log)
}

/// Measures what is missing, then writes and shows what came of it, whatever that is.
///
/// # Errors
/// Wrong input before anything runs; what failed, such as layers for which there is no memory, after all others have been measured;
/// or if a file cannot be written.
pub fn run_study(study: &BenchStudy, session: &Session<'_>, out: &mut dyn Write) -> Result<(), Failure> {
    let site = session.site();
    let dir = session.results.join(&study.slug);
    // Two commands that measure at once would measure each other.
    let lock = lock_study(&dir, session);
    let (mut measured, mut failed, mut is_new) = (vec![], vec![], false);
    for (index, (config, points)) in study.points(session.program.subjects()).into_iter().enumerate() {
        let folder = study.run_folder(config, session.results, &site);
        let mut log = Log::open(folder, config, session)?;
        is_new |= !log.missing(&points, session).is_empty();
        if let Err(why) = &lock
            && (is_new || !matches!(why, Failure::ReadOnly(_)))
        {
            return Err(why.clone());
        }
        log.measure(study, index, &points, session)?;
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
    let told = tell_written(written, "Summary and figures", &dir, is_new, session, out);
    if session.should_stop() {
        return Err(session.interrupted());
    }
    let mut failures = Failures::default();
    if !failed.is_empty() {
        failures.note(Err(Failure::Failed(failed)))?;
    }
    failures.note(told).and(failures.end())
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

/// A summary shows the cells of one command. Those of another one stay in `runs/`, but leave the summary.
fn say_what_leaves(dir: &Path, cells: &[Cell], session: &Session<'_>) {
    let Ok(mut facts) = read_facts(dir) else { return };
    let before = serde_json::from_value(facts.remove("cells").unwrap_or_default());
    let before: Vec<Cell> = before.unwrap_or_default();
    let leaves = |old: &&Cell| cells.iter().all(|cell| what_is_measured(cell) != what_is_measured(old));
    let leave = before.iter().filter(leaves).count();
    if leave > 0 {
        session.messages.warn(format!(
            "{leave} measurements leave the summary and figures in {}, since this command does not ask for them; \
             --results DIR keeps studies apart",
            dir.display()
        ));
    }
}

fn what_is_measured(cell: &Cell) -> (&str, [usize; 3], [Option<usize>; 2], &str) {
    let sizes = [cell.batch, cell.seq_len, cell.d_model];
    (&cell.mixer, sizes, [cell.d_hidden, cell.n_blocks], &cell.provenance.device)
}

/// The cells of one config, on disk after every point.
pub(super) struct Log<'a> {
    folder: PathBuf,
    config: &'a BenchConfig,
    cells: Vec<Cell>,
    /// Whether its file holds more, which does not count.
    is_damaged: bool,
    /// What could not be measured, and why.
    pub(super) failed: Vec<String>,
}

impl<'a> Log<'a> {
    pub(super) fn open(
        folder: PathBuf,
        config: &'a BenchConfig,
        session: &Session<'_>,
    ) -> Result<Self, Failure> {
        let CellLog { cells, damaged } = read(&folder.join(CELLS), session.messages)?;
        Ok(Self { folder, config, cells, is_damaged: !damaged.is_empty(), failed: vec![] })
    }

    fn missing<'p>(&self, points: &'p [Point], session: &Session<'_>) -> Vec<&'p Point> {
        points.iter().filter(|point| session.force || !point.is_measured(&self.cells)).collect()
    }

    fn measure(
        &mut self,
        study: &BenchStudy,
        index: usize,
        points: &[Point],
        session: &Session<'_>,
    ) -> Result<(), Failure> {
        let missing = self.missing(points, session);
        session.messages.say(format!(
            "{}: {}, {} of {} sizes to measure",
            study.slug,
            self.config.path.display(),
            missing.len(),
            points.len()
        ));
        if missing.is_empty() || session.should_stop() {
            return Ok(());
        }
        check_sizes(&missing)?;
        fs_err::create_dir_all(&self.folder)?;
        write_atomic(self.folder.join(CONFIG), self.config.to_toml().as_bytes())?;
        if std::mem::take(&mut self.is_damaged) {
            let aside = set_cells_aside(&self.folder.join(CELLS))?;
            session.messages.warn(format!("what was there is kept in {}", aside.display()));
            write_cells(&self.folder.join(CELLS), &self.cells)?;
        }
        for (count, point) in missing.iter().enumerate().take_while(|_| !session.should_stop()) {
            session.messages.say(format!("[{}/{}] {}", count + 1, missing.len(), point.title()));
            let (slug, title) = (study.slug.clone(), point.title());
            self.measure_in_child(&OneSize { slug, config: index, title }, session)?;
        }
        Ok(())
    }

    /// The child keeps the cells, which are then read again, and says what it could not measure.
    fn measure_in_child(&mut self, size: &OneSize, session: &Session<'_>) -> Result<(), Failure> {
        let child = again(ONLY_SIZE, &size.to_string(), Stdio::inherit());
        let output = child
            .and_then(|child| to_its_end(child, session))
            .map_err(|error| Failure::failed(format!("{}: its process: {error}", size.title)))?;
        self.cells = read_cells(&self.folder.join(CELLS))?.cells;
        let was_asked = session.should_stop() && was_stopped(&output);
        if !output.status.success() && !was_asked {
            let died = || vec![format!("{}: {}", size.title, why(&output))];
            reported(&output).unwrap_or_else(died).into_iter().for_each(|why| self.fail(why, session));
        }
        Ok(())
    }

    /// Measures a point in this process.
    pub(super) fn measure_here(
        &mut self,
        point: &Point,
        site: &Site,
        session: &Session<'_>,
    ) -> Result<(), Failure> {
        match check_points(&[point], site) {
            Ok(checked) => self.measure_point(point, &checked, site, session),
            Err(Failure::Failed(why)) => {
                self.failed.extend(why);
                Ok(())
            }
            Err(other) => Err(other),
        }
    }

    fn measure_point(
        &mut self,
        point: &Point,
        checked: &[Checked],
        site: &Site,
        session: &Session<'_>,
    ) -> Result<(), Failure> {
        let limit = Duration::from_secs_f64(self.config.options.seconds);
        let own = self.that_fit(point, checked, site);
        if own.is_empty() || session.should_stop() {
            return Ok(());
        }
        match measure_cells(&own, &point.sizes, limit, site, &session.stop.flag()) {
            Ok(found) => self.keep(point, found, session),
            Err(BenchError::Stopped) => Ok(()),
            Err(error @ BenchError::Device(_)) => {
                self.failed.push(error.to_string());
                Ok(())
            }
        }
    }

    /// The layers of a point for which there is memory.
    fn that_fit(&mut self, point: &Point, checked: &[Checked], site: &Site) -> Vec<Checked> {
        let available = available_at(site);
        let (mut own, of) =
            (vec![], |name: &str| checked.iter().find(|checked| checked.subject.name == name));
        for subject in &point.subjects {
            match fits_in_memory(subject, &point.sizes, available) {
                Ok(()) => own.extend(of(subject.name).copied()),
                Err(why) => self.failed.push(why),
            }
        }
        own
    }

    fn fail(&mut self, why: String, session: &Session<'_>) {
        session.messages.say(format!("    {why}"));
        self.failed.push(why);
    }

    /// Writes the cells of a point, in the place of those that they repeat.
    fn keep(&mut self, point: &Point, found: Vec<Cell>, session: &Session<'_>) -> Result<(), Failure> {
        session.messages.say(format!("    {}", in_short(&found)));
        self.cells.retain(|cell| !(point.has(cell) && found.iter().any(|new| new.mixer == cell.mixer)));
        self.cells.extend(found);
        Ok(write_cells(&self.folder.join(CELLS), &self.cells)?)
    }

    /// The cells of these points, in their order.
    fn of(&self, points: &[Point]) -> Vec<Cell> {
        points.iter().flat_map(|point| point.cells(&self.cells)).cloned().collect()
    }
}

fn in_short(cells: &[Cell]) -> String {
    let one = |cell: &Cell| format!("{} {:.1} ms", cell.mixer, cell.forward_backward_ms);
    format!("forward+backward: {}", cells.iter().map(one).collect::<Vec<_>>().join(", "))
}

/// Refuses sizes that a layer cannot have, before anything is measured.
fn check_sizes(points: &[&Point]) -> Result<(), Failure> {
    let mut layers =
        points.iter().flat_map(|point| point.subjects.iter().map(|subject| (subject, &point.sizes)));
    layers.try_for_each(|(subject, sizes)| accepts(subject, sizes)).map_err(Failure::wrong)
}

/// Compares every layer with its definition once.
fn check_points(points: &[&Point], site: &Site) -> Result<Vec<Checked>, Failure> {
    check_sizes(points)?;
    let mut subjects = vec![];
    for point in points {
        for subject in &point.subjects {
            if !subjects.iter().any(|other: &&subquad_bench::Subject| other.name == subject.name) {
                subjects.push(*subject);
            }
        }
    }
    check_all(&subjects, &site.device).map_err(Failure::Failed)
}

/// Runs every layer of a config at its smallest sizes for an instant, keeping nothing. Returns how many sizes.
///
/// # Errors
/// As [`run_study`].
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
