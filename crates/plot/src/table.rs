//! A figure's points as CSV: `panel,line,x,y,low,high`, one row a point, floats in the shortest form that reads back
//! as the same number.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Line, Panel, PlotError, Point};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    panel: String,
    line: String,
    x: f64,
    y: f64,
    low: f64,
    high: f64,
}

/// Writes every point, drawable or not, in order.
pub(crate) fn write(path: &Path, panels: &[Panel]) -> Result<(), PlotError> {
    let wrap = |source| PlotError::Csv { path: path.to_owned(), source };
    let mut table = csv::Writer::from_writer(fs_err::File::create(path)?);
    for panel in panels {
        for line in &panel.lines {
            for &Point { x, y, low, high } in &line.points {
                let (panel, line) = (panel.title.clone(), line.label.clone());
                table.serialize(Row { panel, line, x, y, low, high }).map_err(wrap)?;
            }
        }
    }
    Ok(table.flush()?)
}

/// Reads back what [`Figure::write`](crate::Figure::write) wrote, in the same order. A panel or line without points
/// leaves no row, so it does not return; lines return with markers and undashed.
///
/// # Errors
/// Where the file cannot be read, or a row is not a point.
pub fn read_panels(csv_path: &Path) -> Result<Vec<Panel>, PlotError> {
    let wrap = |source| PlotError::Csv { path: csv_path.to_owned(), source };
    let mut panels = Vec::new();
    for row in csv::Reader::from_reader(fs_err::File::open(csv_path)?).deserialize() {
        let Row { panel, line, x, y, low, high } = row.map_err(wrap)?;
        line_of(&mut panels, &panel, &line).points.push(Point { x, y, low, high });
    }
    Ok(panels)
}

/// The line of that panel, added at the end where it is new.
pub(crate) fn line_of<'a>(panels: &'a mut Vec<Panel>, title: &str, label: &str) -> &'a mut Line {
    let at = panels.iter().position(|panel| panel.title == title).unwrap_or_else(|| {
        panels.push(Panel { title: title.to_owned(), lines: Vec::new() });
        panels.len() - 1
    });
    let lines = &mut panels[at].lines;
    let at = lines.iter().position(|line| line.label == label).unwrap_or_else(|| {
        lines.push(Line::new(label, Vec::new()));
        lines.len() - 1
    });
    &mut lines[at]
}
