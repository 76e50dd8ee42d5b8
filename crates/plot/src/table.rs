//! A figure's points as CSV: `panel,line,x,y,low,high`, one row per point, floats in the shortest form that reads back
//! as the same number. If points have rings, a last column `ringed` says which.

use std::collections::HashMap;
use std::path::Path;

use csv::StringRecord;
use serde::Serialize;

use crate::{Line, Panel, PlotError, Point};

#[derive(Serialize)]
struct Row {
    panel: String,
    line: String,
    x: f64,
    y: f64,
    low: f64,
    high: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ringed: Option<&'static str>,
}

/// Writes every point, drawable or not, in order.
pub(crate) fn write(path: &Path, panels: &[Panel]) -> Result<(), PlotError> {
    let wrap = |source| PlotError::Csv { path: path.to_owned(), source };
    let mut table = csv::Writer::from_writer(fs_err::File::create(path)?);
    let rings = panels.iter().flat_map(|panel| &panel.lines).any(|line| line.ringed.is_some());
    for panel in panels {
        for line in &panel.lines {
            for &Point { x, y, low, high } in &line.points {
                let (panel, label) = (panel.title.clone(), line.label.clone());
                let is_ringed = |x: f64| line.ringed == Some(x);
                let ringed = rings.then_some(if is_ringed(x) { RINGED } else { "" });
                table.serialize(Row { panel, line: label, x, y, low, high, ringed }).map_err(wrap)?;
            }
        }
    }
    Ok(table.flush()?)
}

/// Reads back what [`Figure::write`](crate::Figure::write) wrote, in the same order. A panel or line without points
/// leaves no row, so it does not return; lines return with markers and undashed.
///
/// # Errors
/// If the file cannot be read, or a row is not a point; then with its line and column.
pub fn read_panels(csv_path: &Path) -> Result<Vec<Panel>, PlotError> {
    let wrap = |source| PlotError::Csv { path: csv_path.to_owned(), source };
    let file = fs_err::File::open(csv_path)?;
    let mut table = csv::ReaderBuilder::new().flexible(true).from_reader(file);
    let header = table.headers().map_err(wrap)?;
    let (places, width) = (columns(csv_path, header)?, header.len());
    let mut panels = Panels::default();
    for record in table.into_records() {
        let record = record.map_err(wrap)?;
        let row = Fields { path: csv_path, record: &record, places: &places, width };
        let line = panels.line(row.checked()?.text(0), row.text(1));
        let point = row.point()?;
        line.points.push(point);
        line.ringed = line.ringed.or(row.is_ringed().then_some(point.x));
    }
    Ok(panels.all)
}

const COLUMNS: [&str; 6] = ["panel", "line", "x", "y", "low", "high"];

/// The last column of a figure with rings, and what it holds where there is one.
const RINGED: &str = "ringed";

/// The index of each column. For an empty file, in which nothing must be found, any index will do.
fn columns(path: &Path, header: &StringRecord) -> Result<[usize; 6], PlotError> {
    let others = header.iter().filter(|name| *name != RINGED).count();
    let place = |name: &str| header.iter().position(|other| other == name);
    let places = COLUMNS.map(place);
    match others {
        0 => Ok([0; 6]),
        6 if places.iter().all(Option::is_some) => Ok(places.map(Option::unwrap_or_default)),
        _ => {
            let got = header.iter().collect::<Vec<_>>().join(",");
            Err(PlotError::Columns { path: path.to_owned(), got })
        }
    }
}

/// A row, with its columns found by name.
struct Fields<'a> {
    path: &'a Path,
    record: &'a StringRecord,
    places: &'a [usize; 6],
    /// Number of columns.
    width: usize,
}

impl<'a> Fields<'a> {
    fn at(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    fn checked(&self) -> Result<&Self, PlotError> {
        match self.record.len() {
            got if got == self.width => Ok(self),
            got => Err(PlotError::Fields { path: self.path.to_owned(), line: self.at(), got }),
        }
    }

    fn is_ringed(&self) -> bool {
        self.record.iter().skip(COLUMNS.len()).any(|text| text == RINGED)
    }

    fn text(&self, column: usize) -> &'a str {
        &self.record[self.places[column]]
    }

    fn number(&self, column: usize) -> Result<f64, PlotError> {
        let got = self.text(column);
        got.trim().parse().map_err(|_| PlotError::Number {
            path: self.path.to_owned(),
            line: self.at(),
            column: COLUMNS[column],
            got: got.to_owned(),
        })
    }

    fn point(&self) -> Result<Point, PlotError> {
        let [x, y, low, high] = [self.number(2)?, self.number(3)?, self.number(4)?, self.number(5)?];
        Ok(Point { x, y, low, high })
    }
}

/// Panels and their lines by name, in order of appearance.
#[derive(Default)]
pub(crate) struct Panels {
    pub(crate) all: Vec<Panel>,
    /// Index of a panel, and of each of its lines.
    known: HashMap<String, (usize, HashMap<String, usize>)>,
}

impl Panels {
    /// The line of that panel, added at the end if it is new.
    pub(crate) fn line(&mut self, title: &str, label: &str) -> &mut Line {
        if !self.known.contains_key(title) {
            self.known.insert(title.to_owned(), (self.all.len(), HashMap::new()));
            self.all.push(Panel { title: title.to_owned(), lines: Vec::new() });
        }
        let (panel, known) = self.known.get_mut(title).expect("put there if it was not");
        let lines = &mut self.all[*panel].lines;
        if !known.contains_key(label) {
            known.insert(label.to_owned(), lines.len());
            lines.push(Line::new(label, Vec::new()));
        }
        &mut lines[known[label]]
    }
}
