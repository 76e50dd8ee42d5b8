//! Everything that a scaling figure adds to its panels, measured before the page is laid out.

use super::Scaling;
use super::growth::Growth;
use super::heading::{Heading, Rows};
use crate::Axis;
use crate::layout::shown;
use crate::palette::Look;
use crate::panel::{Frame, Numbers, draw_axes, draw_curves};
use crate::scale::{Range, tick_labels};
use crate::scene::{Scene, Xy};

/// Distance from the frame of the points to the frame of the slopes.
const SLOPES_GAP: f64 = 12.0;
const SLOPES_HEIGHT: f64 = 76.0;

const MARK_WIDTH: f64 = 0.9;
/// Lines closer than this, in points, would be an area of colour.
const CLOSEST: f64 = 0.5;
const INTERVAL_ALPHA: f64 = 0.10;

/// What every panel gets, in the order of the panels.
pub(crate) struct Derived<'a> {
    growths: &'a [Growth],
    headings: Vec<Heading>,
    rows: Rows,
    slopes: Option<Slopes>,
}

/// The vertical axis that the frames of all local slopes share.
struct Slopes {
    axis: Axis,
    range: Range,
    ticks: Vec<f64>,
}

/// A panel's frame and its horizontal axis with the ticks.
pub(crate) struct Place<'a> {
    pub(crate) frame: &'a Frame<'a>,
    pub(crate) x: (&'a Axis, &'a [f64]),
}

impl<'a> Derived<'a> {
    pub(crate) fn new(growths: &'a [Growth], scaling: &Scaling, x: &Range, frame_width: f64) -> Self {
        let heading = |growth| Heading::new(growth, scaling.symbol, x, frame_width);
        let headings: Vec<Heading> = growths.iter().map(heading).collect();
        let rows = headings.iter().map(Heading::rows).fold(Rows::default(), Rows::most);
        Self { growths, headings, rows, slopes: Slopes::cover(growths) }
    }

    /// Space between a panel's title and its frame.
    pub(crate) fn above(&self) -> f64 {
        self.rows.height()
    }

    /// Space between a panel's frame and the numbers of its horizontal axis.
    pub(crate) fn below(&self) -> f64 {
        self.slopes.as_ref().map_or(0.0, |_| SLOPES_GAP + SLOPES_HEIGHT)
    }

    /// The labels at the ticks of the local slopes.
    pub(crate) fn slope_numbers(&self) -> Vec<String> {
        self.slopes.as_ref().map_or(Vec::new(), |slopes| tick_labels(slopes.axis.scale, &slopes.ticks))
    }

    /// Label of the local slopes' axis and how far below the panel's frame its middle is.
    pub(crate) fn slope_label(&self) -> Option<(&str, f64)> {
        Some((self.slopes.as_ref()?.axis.label.as_str(), SLOPES_GAP + SLOPES_HEIGHT / 2.0))
    }

    /// Draws crossovers, below the curves, and the entries above the frame.
    pub(crate) fn draw_marks(&self, scene: &mut Scene, panel: usize, frame: &Frame, looks: &[Option<Look>]) {
        draw_crossovers(scene, frame, &self.growths[panel], looks);
        self.headings[panel].draw(scene, frame, self.rows, looks);
    }

    /// The ends of the fitted lines.
    pub(crate) fn fits(&self, panel: usize, frame: &Frame) -> Vec<[Xy; 2]> {
        self.growths[panel].fit_ends().map(|ends| ends.map(|(x, y)| frame.at(x, y))).collect()
    }

    /// Draws the frame of the local slopes under the panel's frame.
    pub(crate) fn draw_slopes(
        &self,
        scene: &mut Scene,
        panel: usize,
        place: &Place,
        looks: &[Option<Look>],
        numbers: bool,
    ) {
        let Some(Slopes { axis, range, ticks }) = &self.slopes else { return };
        let &Place { frame, x } = place;
        let frame = Frame { top: frame.bottom() + SLOPES_GAP, height: SLOPES_HEIGHT, y: range, ..*frame };
        draw_axes(scene, &frame, x, (axis, ticks), Numbers { x: true, y: numbers });
        draw_curves(scene, &frame, &shown(&self.growths[panel].slopes, looks), &[], (x.0, axis));
    }
}

impl Slopes {
    /// `None` if no line has two points. The slopes 0, 1 and 2 (constant, linear, quadratic) are always in view.
    fn cover(growths: &[Growth]) -> Option<Self> {
        let axis = Axis::linear("local slope").at_least(0.0, 2.0);
        let lines = growths.iter().flat_map(|growth| &growth.slopes);
        let range = Range::cover(&axis, lines.flat_map(|line| &line.points).map(|p| p.y))?;
        let ticks = range.ticks(&axis, (SLOPES_HEIGHT / 30.0) as usize);
        Some(Self { axis, range, ticks })
    }
}

/// Draws a vertical line at each crossover, shaded over its interval, in the colour of the line that is compared with
/// the first.
fn draw_crossovers(scene: &mut Scene, frame: &Frame, growth: &Growth, looks: &[Option<Look>]) {
    let mut last: Option<(usize, f64)> = None;
    for (line, crossover) in growth.crossovers() {
        let Some(look) = looks[line] else { continue };
        let [low, at, high] = [crossover.low.x(), crossover.x, crossover.high.x()].map(|x| frame.left_of(x));
        if last.is_some_and(|(other, drawn)| other == line && at - drawn < CLOSEST) {
            continue;
        }
        last = Some((line, at));
        let (top, bottom) = (frame.top, frame.bottom());
        let stretch = vec![(low, top), (high, top), (high, bottom), (low, bottom)];
        scene.polygon(stretch, look.ink.with_alpha(INTERVAL_ALPHA));
        scene.polyline(vec![(at, top), (at, bottom)], MARK_WIDTH, look.ink);
    }
}
