//! A figure on a page: title, legend, a grid of panels, axis labels and caption, from top to bottom.

use std::collections::{HashMap, HashSet};

use crate::figure::points;
use crate::palette::{self, Look};
use crate::panel::{self, Frame, Numbers, TICK_GAP, TICK_TEXT, drawable};
use crate::scale::{Range, tick_labels};
use crate::scaling::{Derived, Growth, Place};
use crate::scene::{Anchor, Ink, Scene};
use crate::text::{CAP_HEIGHT, width, wrap};
use crate::{Figure, Line, PlotError};

const EDGE: f64 = 14.0;
const TITLE_TEXT: f64 = 14.0;
const PANEL_TEXT: f64 = 11.0;
const LABEL_TEXT: f64 = 11.0;
const LEGEND_TEXT: f64 = 10.5;
const CAPTION_TEXT: f64 = 9.5;
const LINE_HEIGHT: f64 = 1.35;
const PANEL_GAP: f64 = 20.0;
const LEGEND_SAMPLE: f64 = 26.0;
const LEGEND_GAP: f64 = 18.0;

/// The tallest page: twice as many pixels are what image viewers and editors still open (32767), and with four panels
/// in a row that is about 300 panels.
const MOST_HEIGHT: f64 = 16_000.0;

/// Grid lines closer than this would be an area of grey.
const GRID_GAP: f64 = 2.0;

/// Places everything.
pub(crate) fn scene(figure: &Figure) -> Result<Scene, PlotError> {
    let growths = figure.scaling.map_or(Vec::new(), |_| figure.panels.iter().map(Growth::of).collect());
    let page =
        Page::measure(figure, &growths).ok_or_else(|| PlotError::Empty { figure: figure.name.clone() })?;
    let mut scene = Scene { width: page.left + page.grid_width() + EDGE + 4.0, ..Scene::default() };
    let mut y = EDGE;
    y = page.draw_paragraph(&mut scene, &figure.title, y, TITLE_TEXT, Ink::TEXT) + 4.0;
    y = page.draw_legend(&mut scene, y) + 8.0;
    page.check_height(y)?;
    y = page.draw_panels(&mut scene, y) + 1.0;
    let center = page.left + page.grid_width() / 2.0;
    scene.text(&figure.x.label, (center, y + LABEL_TEXT), LABEL_TEXT, Anchor::Middle, Ink::TEXT);
    y += LABEL_TEXT * LINE_HEIGHT + 8.0;
    for paragraph in &figure.caption {
        y = page.draw_paragraph(&mut scene, paragraph, y, CAPTION_TEXT, Ink::SOFT_TEXT);
    }
    scene.height = (y + EDGE - 4.0).ceil();
    Ok(scene)
}

/// What every part of the page needs to know.
struct Page<'a> {
    figure: &'a Figure,
    legend: Vec<(&'a Line, Look)>,
    /// The looks of the labels in the legend.
    looks: HashMap<&'a str, Look>,
    x: Range,
    y: Range,
    x_ticks: Vec<f64>,
    y_ticks: Vec<f64>,
    /// Present for a scaling figure.
    derived: Option<Derived<'a>>,
    columns: usize,
    panel: (f64, f64),
    /// Left end of the first panel, of the title and of the caption.
    left: f64,
}

/// Heights in one row of panels.
struct Row {
    /// Between a panel's title and its frame.
    above: f64,
    /// Title and what is between it and the frame.
    heading: f64,
    /// The numbers of the horizontal axis.
    numbers: f64,
    /// All of it, and the gap to the next row.
    height: f64,
}

impl<'a> Page<'a> {
    /// `None` if no point can be drawn. `growths` are those of a scaling figure.
    fn measure(figure: &'a Figure, growths: &'a [Growth]) -> Option<Self> {
        let visible = || points(&figure.panels).filter(|point| drawable(point, &figure.x, &figure.y));
        let x = Range::cover(&figure.x, visible().map(|p| p.x))?;
        let fitted = growths.iter().flat_map(Growth::fit_ends).flatten().map(|(_, y)| y);
        let y = Range::cover(&figure.y, visible().flat_map(|p| [p.y, p.low, p.high]).chain(fitted))?;
        let count = figure.panels.len();
        let columns = count.div_ceil(count.div_ceil(4));
        let panel = match columns {
            1 => (380.0, 240.0),
            2 => (280.0, 210.0),
            3 => (215.0, 185.0),
            _ => (180.0, 170.0),
        };
        let x_ticks = apart(x.ticks(&figure.x, (panel.0 / 42.0) as usize), &x, panel.0);
        let y_ticks = y.ticks(&figure.y, (panel.1 / 30.0) as usize);
        let derived = figure.scaling.map(|scaling| Derived::new(growths, &scaling, &x, panel.0));
        let mut numbers = tick_labels(figure.y.scale, &y_ticks);
        numbers.extend(derived.iter().flat_map(Derived::slope_numbers));
        let widest = numbers.iter().map(|label| width(label, TICK_TEXT)).fold(0.0, f64::max);
        let left = (EDGE + LABEL_TEXT + 8.0 + widest + TICK_GAP).ceil();
        let legend = legend(figure);
        let looks = legend.iter().map(|(line, look)| (&*line.label, *look)).collect();
        Some(Self { figure, legend, looks, x, y, x_ticks, y_ticks, derived, columns, panel, left })
    }

    fn grid_width(&self) -> f64 {
        let columns = self.columns as f64;
        columns * self.panel.0 + (columns - 1.0) * PANEL_GAP
    }

    /// Draws wrapped text from `top` and returns where the next thing may start.
    fn draw_paragraph(&self, scene: &mut Scene, words: &str, top: f64, size: f64, ink: Ink) -> f64 {
        let lines = wrap(words, size, self.grid_width());
        for (i, line) in lines.iter().enumerate() {
            let baseline = top + size + i as f64 * size * LINE_HEIGHT;
            scene.text(line, (self.left, baseline), size, Anchor::Start, ink);
        }
        top + lines.len() as f64 * size * LINE_HEIGHT
    }

    fn draw_legend(&self, scene: &mut Scene, top: f64) -> f64 {
        let (mut x, mut middle) = (self.left, top + LEGEND_TEXT * 0.7);
        for (line, look) in &self.legend {
            let wide = LEGEND_SAMPLE + 6.0 + width(&line.label, LEGEND_TEXT);
            if x > self.left && x + wide > self.left + self.grid_width() {
                (x, middle) = (self.left, middle + LEGEND_TEXT * LINE_HEIGHT);
            }
            panel::draw_path(scene, &[(x, middle), (x + LEGEND_SAMPLE, middle)], line.dashed, look.ink);
            if line.markers {
                panel::draw_marker(scene, (x + LEGEND_SAMPLE / 2.0, middle), look);
            }
            let at = (x + LEGEND_SAMPLE + 6.0, middle + LEGEND_TEXT * CAP_HEIGHT / 2.0);
            scene.text(&line.label, at, LEGEND_TEXT, Anchor::Start, Ink::TEXT);
            x += wide + LEGEND_GAP;
        }
        middle + LEGEND_TEXT * 0.7
    }

    /// Heights of a row of panels, whatever is in them.
    fn row(&self) -> Row {
        let titles = self.figure.panels.iter().map(|panel| wrap(&panel.title, PANEL_TEXT, self.panel.0));
        let title = titles.map(|lines| lines.len()).max().unwrap_or(0) as f64 * PANEL_TEXT * LINE_HEIGHT;
        let (above, below) = self.derived.as_ref().map_or((0.0, 0.0), |d| (d.above(), d.below()));
        let heading = title + 4.0 + above;
        let numbers = TICK_GAP + TICK_TEXT * LINE_HEIGHT;
        Row { above, heading, numbers, height: heading + self.panel.1 + below + numbers + 10.0 }
    }

    fn rows(&self) -> usize {
        self.figure.panels.len().div_ceil(self.columns)
    }

    /// Whether viewers can open a page with its panels from `top` on. It is checked before any panel is drawn.
    fn check_height(&self, top: f64) -> Result<(), PlotError> {
        let height = top + self.rows() as f64 * self.row().height;
        match height <= MOST_HEIGHT {
            true => Ok(()),
            false => Err(PlotError::TooTall {
                figure: self.figure.name.clone(),
                panels: self.figure.panels.len(),
                labels: self.legend.len(),
                height: height.ceil() as u64,
                most: MOST_HEIGHT as u64,
            }),
        }
    }

    /// Draws all panels and the labels of the vertical axes, and returns where the numbers of the last row end.
    fn draw_panels(&self, scene: &mut Scene, top: f64) -> f64 {
        let Row { above, heading, numbers, height } = self.row();
        for (index, panel) in self.figure.panels.iter().enumerate() {
            let (row, column) = (index / self.columns, index % self.columns);
            let left = self.left + column as f64 * (self.panel.0 + PANEL_GAP);
            let top = top + row as f64 * height + heading;
            self.draw_title(scene, &wrap(&panel.title, PANEL_TEXT, self.panel.0), left, top - above);
            self.draw_panel(scene, index, left, top);
        }
        let bottom = top + self.rows() as f64 * height - 10.0;
        match self.derived.as_ref().and_then(Derived::slope_label) {
            None => self.draw_y_label(scene, &self.figure.y.label, (top + heading + bottom - numbers) / 2.0),
            Some((slope, down)) => (0..self.rows()).for_each(|row| {
                let top = top + row as f64 * height + heading;
                self.draw_y_label(scene, &self.figure.y.label, top + self.panel.1 / 2.0);
                self.draw_y_label(scene, slope, top + self.panel.1 + down);
            }),
        }
        bottom
    }

    fn draw_y_label(&self, scene: &mut Scene, label: &str, middle: f64) {
        scene.turned_text(label, (EDGE + LABEL_TEXT * 0.8, middle), LABEL_TEXT, Ink::TEXT);
    }

    fn draw_title(&self, scene: &mut Scene, lines: &[String], left: f64, top: f64) {
        for (above, line) in lines.iter().rev().enumerate() {
            let baseline = top - 7.0 - above as f64 * PANEL_TEXT * LINE_HEIGHT;
            scene.text(line, (left + self.panel.0 / 2.0, baseline), PANEL_TEXT, Anchor::Middle, Ink::TEXT);
        }
    }

    fn draw_panel(&self, scene: &mut Scene, index: usize, left: f64, top: f64) {
        let ((width, height), panel) = (self.panel, &self.figure.panels[index]);
        let frame = Frame { left, top, width, height, x: &self.x, y: &self.y };
        let (x, y) = (&self.figure.x, &self.figure.y);
        let first = index.is_multiple_of(self.columns);
        let lowest = self.derived.as_ref().is_none_or(|derived| derived.below() == 0.0);
        let numbers = Numbers { x: lowest, y: first };
        panel::draw_axes(scene, &frame, (x, &self.x_ticks[..]), (y, &self.y_ticks), numbers);
        // A label missing from the legend has no point to draw in any panel.
        let looks: Vec<Option<Look>> =
            panel.lines.iter().map(|line| self.looks.get(&*line.label).copied()).collect();
        let mut fits = Vec::new();
        if let Some(derived) = &self.derived {
            derived.draw_marks(scene, index, &frame, &looks);
            let place = Place { frame: &frame, x: (x, &self.x_ticks[..]) };
            derived.draw_slopes(scene, index, &place, &looks, first);
            fits = derived.fits(index, &frame);
        }
        panel::draw_curves(scene, &frame, &shown(&panel.lines, &looks), &fits, (x, y));
    }
}

/// The lines that have something to draw somewhere in the figure.
pub(crate) fn shown<'a>(lines: &'a [Line], looks: &[Option<Look>]) -> Vec<(&'a Line, Look)> {
    lines.iter().zip(looks).filter_map(|(line, look)| Some((line, (*look)?))).collect()
}

/// Ticks without those that are too close to the one before them on an axis of that width.
fn apart(mut ticks: Vec<f64>, range: &Range, width: f64) -> Vec<f64> {
    let mut last = f64::NEG_INFINITY;
    ticks.retain(|tick| {
        let at = width * range.fraction(*tick);
        let kept = (at - last).abs() >= GRID_GAP;
        last = if kept { at } else { last };
        kept
    });
    ticks
}

/// The first line of each label that has something to draw, in order of appearance.
fn legend(figure: &Figure) -> Vec<(&Line, Look)> {
    let (mut first, mut seen): (Vec<&Line>, HashSet<&str>) = Default::default();
    for line in figure.panels.iter().flat_map(|panel| &panel.lines) {
        let is_new = !seen.contains(&*line.label);
        if is_new && line.points.iter().any(|point| drawable(point, &figure.x, &figure.y)) {
            seen.insert(&line.label);
            first.push(line);
        }
    }
    let looks = palette::looks(&first.iter().map(|line| line.label.as_str()).collect::<Vec<_>>());
    first.into_iter().zip(looks).collect()
}

#[cfg(test)]
mod tests;
