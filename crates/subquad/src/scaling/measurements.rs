//! The measurements of one config, kept on disk size by size.

use std::path::{Path, PathBuf};
use std::time::Duration;

use subquad_bench::{
    BenchError, Checked, Site, accepts, available_at, check_all, fits_in_memory, measure_cells,
};
use subquad_record::{Cell, CellLog, read_cells, set_cells_aside, write_atomic, write_cells};

use super::Point;
use crate::Failure;
use crate::config::BenchConfig;
use crate::progress::Messages;
use crate::session::Session;

const CELLS: &str = "cells.jsonl";
const CONFIG: &str = "config.toml";

/// The cells in a folder. Warns of those that belong to another folder, or are no longer as they were written.
pub(super) fn read(folder: &Path, messages: Messages) -> Result<CellLog, Failure> {
    let log = read_cells(&folder.join(CELLS))?;
    if let Some(first) = log.damaged.first() {
        let (damaged, all) = (log.damaged.len(), log.damaged.len() + log.cells.len());
        messages.warn(format!(
            "{first}; {damaged} of {all} measurements do not count, so their sizes must be measured again"
        ));
    }
    Ok(log)
}

/// The cells of one config, on disk after every point.
pub(super) struct Measurements<'a> {
    folder: PathBuf,
    pub(super) config: &'a BenchConfig,
    cells: Vec<Cell>,
    /// Whether the file holds lines that do not count.
    is_damaged: bool,
    /// What could not be measured, and why.
    pub(super) failed: Vec<String>,
}

impl<'a> Measurements<'a> {
    pub(super) fn open(
        folder: PathBuf,
        config: &'a BenchConfig,
        session: &Session<'_>,
    ) -> Result<Self, Failure> {
        let CellLog { cells, damaged } = read(&folder, session.messages)?;
        Ok(Self { folder, config, cells, is_damaged: !damaged.is_empty(), failed: vec![] })
    }

    pub(super) fn missing<'p>(&self, points: &'p [Point], session: &Session<'_>) -> Vec<&'p Point> {
        points.iter().filter(|point| session.force || !point.is_measured(&self.cells)).collect()
    }

    /// Prepares the folder for new cells: writes the config next to them, and sets damaged lines aside.
    pub(super) fn prepare(&mut self, messages: Messages) -> Result<(), Failure> {
        fs_err::create_dir_all(&self.folder)?;
        write_atomic(self.folder.join(CONFIG), self.config.to_toml().as_bytes())?;
        if std::mem::take(&mut self.is_damaged) {
            let aside = set_cells_aside(&self.folder.join(CELLS))?;
            messages.warn(format!("what was there is kept in {}", aside.display()));
            write_cells(&self.folder.join(CELLS), &self.cells)?;
        }
        Ok(())
    }

    /// Reads again what another process has written.
    pub(super) fn reload(&mut self) -> Result<(), Failure> {
        self.cells = read_cells(&self.folder.join(CELLS))?.cells;
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
        let layers = self.layers_that_fit(point, checked, site);
        if layers.is_empty() || session.should_stop() {
            return Ok(());
        }
        match measure_cells(&layers, &point.sizes, limit, site, &session.stop.flag()) {
            Ok(cells) => self.keep(point, cells, session),
            Err(BenchError::Stopped) => Ok(()),
            Err(error @ BenchError::Device(_)) => {
                self.failed.push(error.to_string());
                Ok(())
            }
        }
    }

    /// The layers of a point for which there is enough memory.
    fn layers_that_fit(&mut self, point: &Point, checked: &[Checked], site: &Site) -> Vec<Checked> {
        let available = available_at(site);
        let mut layers = vec![];
        for subject in &point.subjects {
            match fits_in_memory(subject, &point.sizes, available) {
                Ok(()) => layers
                    .extend(checked.iter().find(|checked| checked.subject.name == subject.name).copied()),
                Err(why) => self.failed.push(why),
            }
        }
        layers
    }

    pub(super) fn fail(&mut self, why: String, session: &Session<'_>) {
        session.messages.say(format!("    {why}"));
        self.failed.push(why);
    }

    /// Writes the cells of a point, replacing those that they repeat.
    fn keep(&mut self, point: &Point, new: Vec<Cell>, session: &Session<'_>) -> Result<(), Failure> {
        session.messages.say(format!("    {}", in_short(&new)));
        self.cells.retain(|cell| !(point.has(cell) && new.iter().any(|new| new.mixer == cell.mixer)));
        self.cells.extend(new);
        Ok(write_cells(&self.folder.join(CELLS), &self.cells)?)
    }

    /// The cells of these points, in their order.
    pub(super) fn of(&self, points: &[Point]) -> Vec<Cell> {
        points.iter().flat_map(|point| point.cells(&self.cells)).cloned().collect()
    }
}

fn in_short(cells: &[Cell]) -> String {
    let one = |cell: &Cell| format!("{} {:.1} ms", cell.mixer, cell.forward_backward_ms);
    format!("forward+backward: {}", cells.iter().map(one).collect::<Vec<_>>().join(", "))
}

/// Refuses sizes that a layer cannot have, before anything is measured.
pub(super) fn check_sizes(points: &[&Point]) -> Result<(), Failure> {
    let mut layers =
        points.iter().flat_map(|point| point.subjects.iter().map(|subject| (subject, &point.sizes)));
    layers.try_for_each(|(subject, sizes)| accepts(subject, sizes)).map_err(Failure::wrong)
}

/// Compares every layer with its definition once.
pub(super) fn check_points(points: &[&Point], site: &Site) -> Result<Vec<Checked>, Failure> {
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
