//! A figure as plain data, and the three files it becomes.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::scale::Scale;
use crate::scaling::Scaling;
use crate::{PlotError, layout, png, svg, table};

/// One figure: panels side by side under one title, one legend and one caption.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// File stem, for example `accuracy_by_length`.
    pub name: String,
    /// Heading above the panels.
    pub title: String,
    /// Paragraphs under the panels, wrapped to the width: n, what the band is, the budget held equal, the commit.
    pub caption: Vec<String>,
    /// Horizontal axis, shared by all panels.
    pub x: Axis,
    /// Vertical axis, shared by all panels.
    pub y: Axis,
    /// The panels, up to four in a row.
    pub panels: Vec<Panel>,
    /// Whether power laws, crossovers and local slopes are drawn with the points, and with which words.
    pub scaling: Option<Scaling>,
}

/// One axis: what is measured and how it is spaced.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Quantity and unit.
    pub label: String,
    /// Spacing of values.
    pub scale: Scale,
    /// Where ticks are; `None` chooses them from the range. A label that would touch its neighbour is left out.
    pub ticks: Option<Vec<f64>>,
    /// Values that both ends of the axis must at least reach; the data may widen it, so nothing is ever cut off.
    pub at_least: Option<(f64, f64)>,
}

/// One plot of the figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// For example `length 64`; may be empty. No two panels share one.
    pub title: String,
    /// Curves, drawn in this order.
    pub lines: Vec<Line>,
}

/// One curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// For example `attention`: decides colour and marker, in every figure alike. Unique within a panel.
    pub label: String,
    /// Points in drawing order.
    pub points: Vec<Point>,
    /// Whether points carry markers; long curves carry a few, evenly spread. A point without neighbours always does.
    pub markers: bool,
    /// Whether the curve is dashed.
    pub dashed: bool,
    /// The x of a point with a ring around it.
    pub ringed: Option<f64>,
}

/// One point and its band.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Position on the horizontal axis.
    pub x: f64,
    /// Position on the vertical axis.
    pub y: f64,
    /// Lower end of the band; `y` if there is none.
    pub low: f64,
    /// Upper end of the band; `y` if there is none.
    pub high: f64,
}

/// The files of one figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Vector graphics, text kept as text.
    pub svg: PathBuf,
    /// Pixel graphics, two pixels for each point of the SVG.
    pub png: PathBuf,
    /// Every point in full precision; [`read_panels`](crate::read_panels) reads it.
    pub csv: PathBuf,
}

impl Axis {
    /// An axis with equal differences at equal distances.
    pub fn linear(label: impl Into<String>) -> Self {
        Self { label: label.into(), scale: Scale::Linear, ticks: None, at_least: None }
    }

    /// An axis with doublings at equal distances.
    pub fn log2(label: impl Into<String>) -> Self {
        Self { scale: Scale::Log2, ..Self::linear(label) }
    }

    /// An axis with powers of ten at equal distances.
    pub fn log10(label: impl Into<String>) -> Self {
        Self { scale: Scale::Log10, ..Self::linear(label) }
    }

    /// The axis, with ticks at these values only.
    pub fn with_ticks(self, ticks: Vec<f64>) -> Self {
        Self { ticks: Some(ticks), ..self }
    }

    /// The axis, reaching at least from `low` to `high`.
    pub fn at_least(self, low: f64, high: f64) -> Self {
        Self { at_least: Some((low, high)), ..self }
    }
}

impl Line {
    /// A solid curve with markers.
    pub fn new(label: impl Into<String>, points: Vec<Point>) -> Self {
        Self { label: label.into(), points, markers: true, dashed: false, ringed: None }
    }
}

impl Point {
    /// A point without a band.
    pub fn new(x: f64, y: f64) -> Self {
        Self { x, y, low: y, high: y }
    }
}

impl Figure {
    /// Writes `<name>.svg`, `<name>.png` and `<name>.csv` into `dir`, which is made if missing. Each file appears
    /// complete or not at all, and the same figure gives the same bytes.
    ///
    /// # Errors
    /// [`PlotError::Empty`] if nothing can be drawn, [`PlotError::Duplicate`] if the CSV would merge two curves, and
    /// the errors of the file system and the encoder.
    pub fn write(&self, dir: &Path) -> Result<Written, PlotError> {
        self.check_names()?;
        let scene = layout::scene(self)?;
        fs_err::create_dir_all(dir)?;
        let path = |extension: &str| dir.join(format!("{}.{extension}", self.name));
        let written = Written { svg: path("svg"), png: path("png"), csv: path("csv") };
        replace(&written.csv, |temporary| table::write(temporary, &self.panels))?;
        replace(&written.svg, |temporary| Ok(fs_err::write(temporary, svg::render(&scene, &written.svg)?)?))?;
        replace(&written.png, |temporary| png::write(&scene, temporary))?;
        Ok(written)
    }

    fn check_names(&self) -> Result<(), PlotError> {
        let duplicate = |what| Err(PlotError::Duplicate { figure: self.name.clone(), what });
        let mut titles = HashSet::new();
        for panel in &self.panels {
            if !titles.insert(&panel.title) {
                return duplicate(format!("a panel `{}`", panel.title));
            }
            let mut labels = HashSet::new();
            if let Some(line) = panel.lines.iter().find(|line| !labels.insert(&line.label)) {
                return duplicate(format!("a line `{}` in panel `{}`", line.label, panel.title));
            }
        }
        Ok(())
    }
}

/// The points of all lines of these panels.
pub(crate) fn points(panels: &[Panel]) -> impl Iterator<Item = &Point> {
    panels.iter().flat_map(|panel| &panel.lines).flat_map(|line| &line.points)
}

/// Every x that was measured and has a logarithm, ascending.
pub(crate) fn measured_x(panels: &[Panel]) -> Vec<f64> {
    let mut measured: Vec<f64> = points(panels).map(|p| p.x).filter(|&x| Scale::Log2.accepts(x)).collect();
    measured.sort_by(f64::total_cmp);
    measured.dedup();
    measured
}

/// Fills a hidden file next to `path`, then renames it to `path`: readers see the old file or the new one.
fn replace(path: &Path, fill: impl FnOnce(&Path) -> Result<(), PlotError>) -> Result<(), PlotError> {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    // The extension stays last, because the PNG encoder reads the format from it.
    let temporary = path.with_file_name(format!(".{}.{file}", std::process::id()));
    let result = fill(&temporary).and_then(|()| Ok(fs_err::rename(&temporary, path)?));
    if result.is_err() {
        // The first error is the one worth reading; a leftover temporary file does no harm.
        let _ = fs_err::remove_file(&temporary);
    }
    result
}
