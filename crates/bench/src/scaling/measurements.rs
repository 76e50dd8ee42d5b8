//! The measurements of one config, kept on disk size by size.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use subquad_record::{Cell, CellLog, RecordError, read_cells, set_cells_aside, write_atomic, write_cells};

use super::{Point, models};
use crate::{
    Along, BenchConfig, BenchError, ModelCell, Site, available_at, check_all, fits_in_memory, measure_cells,
    measure_models,
};

const CELLS: &str = "cells.jsonl";
const CONFIG: &str = "config.toml";

/// The cells of one config, on disk after every point.
#[derive(Debug)]
pub struct Measurements<'a> {
    /// The config.
    pub config: &'a BenchConfig,
    /// What could not be measured, and why.
    pub failed: Vec<String>,
    /// Where they are.
    pub folder: PathBuf,
    log: CellLog,
    models: Vec<ModelCell>,
}

/// What one point gave.
#[derive(Debug, Default)]
pub struct Measured {
    /// Of its layers.
    pub cells: Vec<Cell>,
    /// Of its models.
    pub models: Vec<ModelCell>,
}

impl<'a> Measurements<'a> {
    /// The cells in `folder`, which is the config's own; none if it is not there.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn open(folder: PathBuf, config: &'a BenchConfig) -> Result<Self, RecordError> {
        let (log, models) = (read_cells(&folder.join(CELLS))?, models::read(&folder)?);
        Ok(Self { config, failed: vec![], folder, log, models })
    }

    /// What is wrong with cells that belong to another folder, or are no longer as they were written; `None` if nothing is.
    pub fn damage(&self) -> Option<String> {
        let CellLog { cells, damaged } = &self.log;
        let (first, count, all) = (damaged.first()?, damaged.len(), damaged.len() + cells.len());
        Some(format!(
            "{first}; {count} of {all} measurements do not count, so their sizes must be measured again"
        ))
    }

    /// Whether a point has been measured.
    pub fn has(&self, point: &Point) -> bool {
        match point.along {
            Along::Length | Along::Width => point.is_measured(&self.log.cells),
            Along::Context => point.has_models(&self.models),
        }
    }

    /// Prepares the folder for new cells: writes the config next to them, and sets damaged lines aside. Returns where those are kept.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn prepare(&mut self) -> Result<Option<PathBuf>, RecordError> {
        fs_err::create_dir_all(&self.folder)?;
        write_atomic(self.folder.join(CONFIG), self.config.to_toml().as_bytes())?;
        if std::mem::take(&mut self.log.damaged).is_empty() {
            return Ok(None);
        }
        let aside = set_cells_aside(&self.folder.join(CELLS))?;
        self.write()?;
        Ok(Some(aside))
    }

    /// Reads again what another process has written.
    ///
    /// # Errors
    /// If that fails.
    pub fn reload(&mut self) -> Result<(), RecordError> {
        self.log = read_cells(&self.folder.join(CELLS))?;
        self.models = models::read(&self.folder)?;
        Ok(())
    }

    /// Measures those layers of a point that are what their definitions say and for which there is memory, and keeps their cells in the
    /// place of those that they repeat. Returns them: none where `stop` became true, or nothing could be measured.
    ///
    /// # Errors
    /// If the cells cannot be written.
    pub fn measure(
        &mut self,
        point: &Point,
        site: &Site,
        stop: &AtomicBool,
    ) -> Result<Measured, RecordError> {
        match point.along {
            Along::Length | Along::Width => {
                Ok(Measured { cells: self.measure_layers(point, site, stop)?, ..Measured::default() })
            }
            Along::Context => {
                Ok(Measured { models: self.measure_models(point, site)?, ..Measured::default() })
            }
        }
    }

    fn measure_models(&mut self, point: &Point, site: &Site) -> Result<Vec<ModelCell>, RecordError> {
        let limit = Duration::from_secs_f64(self.config.options.seconds);
        let context = (point.sizes.seq_len, limit);
        let new = measure_models(&point.models, &point.model_sizes, context, site).unwrap_or_else(|why| {
            self.failed.push(why);
            vec![]
        });
        if !new.is_empty() {
            let is_repeated = |cell: &ModelCell| !point.models_in(std::slice::from_ref(cell)).is_empty();
            self.models.retain(|cell| !is_repeated(cell));
            self.models.extend(new.iter().cloned());
            models::write(&self.folder, &self.models)?;
        }
        Ok(new)
    }

    fn measure_layers(
        &mut self,
        point: &Point,
        site: &Site,
        stop: &AtomicBool,
    ) -> Result<Vec<Cell>, RecordError> {
        let new = self.try_measure(point, site, stop).unwrap_or_else(|why| {
            self.failed.extend(why);
            vec![]
        });
        if !new.is_empty() {
            let is_repeated = |cell: &Cell| point.has(cell) && new.iter().any(|new| new.mixer == cell.mixer);
            self.log.cells.retain(|cell| !is_repeated(cell));
            self.log.cells.extend(new.iter().cloned());
            self.write()?;
        }
        Ok(new)
    }

    fn try_measure(
        &mut self,
        point: &Point,
        site: &Site,
        stop: &AtomicBool,
    ) -> Result<Vec<Cell>, Vec<String>> {
        let (mut layers, available) = (check_all(&point.subjects, &site.device)?, available_at(site));
        layers.retain(|layer| match fits_in_memory(layer.subject, &point.sizes, available) {
            Ok(()) => true,
            Err(why) => {
                self.failed.push(why);
                false
            }
        });
        if layers.is_empty() || stop.load(Ordering::Relaxed) {
            return Ok(vec![]);
        }
        let limit = Duration::from_secs_f64(self.config.options.seconds);
        match measure_cells(&layers, &point.sizes, limit, site, stop) {
            Err(error @ BenchError::Device(_)) => Err(vec![error.to_string()]),
            Err(BenchError::Stopped) => Ok(vec![]),
            Ok(cells) => Ok(cells),
        }
    }

    fn write(&self) -> Result<(), RecordError> {
        write_cells(&self.folder.join(CELLS), &self.log.cells)
    }

    /// The models of these points, in their order.
    pub fn models_of(&self, points: &[Point]) -> Vec<ModelCell> {
        points.iter().flat_map(|point| point.models_in(&self.models)).cloned().collect()
    }

    /// The cells of these points, in their order.
    pub fn of(&self, points: &[Point]) -> Vec<Cell> {
        points.iter().flat_map(|point| point.cells(&self.log.cells)).cloned().collect()
    }
}
