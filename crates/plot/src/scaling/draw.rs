//! Crossovers inside a panel's frame.

use super::growth::Growth;
use crate::palette::Look;
use crate::panel::Frame;
use crate::scene::Scene;

const MARK_WIDTH: f64 = 0.9;
/// Lines that are closer, in points, would be an area of colour.
const CLOSEST: f64 = 0.5;
const INTERVAL_ALPHA: f64 = 0.10;

/// A vertical line at each crossover, shaded over its interval, in the colour of the line that is compared with the
/// first.
pub(super) fn draw_crossovers(scene: &mut Scene, frame: &Frame, growth: &Growth, looks: &[Option<Look>]) {
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
