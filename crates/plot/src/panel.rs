//! One panel of a figure: grid, axes, bands, curves and markers.

use std::collections::HashSet;
use std::f64::consts::TAU;

use crate::palette::{Look, Shape};
use crate::scale::{Range, tick_labels};
use crate::scene::{Anchor, Ink, Scene, Xy};
use crate::text::{CAP_HEIGHT, width};
use crate::thin::thin;
use crate::{Axis, Line, Point};

/// Font size of the numbers at the ticks.
pub(crate) const TICK_TEXT: f64 = 9.5;

/// Distance from the frame to the numbers.
pub(crate) const TICK_GAP: f64 = 7.0;

/// Radius of a ring around a marker.
const RING_RADIUS: f64 = 7.0;

const CURVE_WIDTH: f64 = 1.6;
const FIT_WIDTH: f64 = 1.0;
pub(crate) const MARKER_RADIUS: f64 = 3.4;
const BAND_ALPHA: f64 = 0.18;
const DASH: [f64; 2] = [6.0, 3.5];

/// A line with more points than this carries [`FEW_MARKERS`] instead of one per point.
const MANY_POINTS: usize = 16;

/// About how many markers a long line carries.
const FEW_MARKERS: usize = 8;

/// Distance between curves of one point each, all at the same x.
const DODGE: f64 = 12.0;

/// Where a panel is, and how values become places in it.
pub(crate) struct Frame<'a> {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) x: &'a Range,
    pub(crate) y: &'a Range,
}

impl Frame<'_> {
    pub(crate) fn at(&self, x: f64, y: f64) -> Xy {
        (self.left_of(x), self.top_of(y))
    }

    pub(crate) fn left_of(&self, x: f64) -> f64 {
        self.left + self.width * self.x.fraction(x)
    }

    fn top_of(&self, y: f64) -> f64 {
        self.top + self.height * (1.0 - self.y.fraction(y))
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.top + self.height
    }
}

/// Whether both coordinates have a place on the axes.
pub(crate) fn drawable(point: &Point, x: &Axis, y: &Axis) -> bool {
    x.scale.accepts(point.x) && y.scale.accepts(point.y)
}

/// The axes at which numbers are written.
#[derive(Clone, Copy)]
pub(crate) struct Numbers {
    pub(crate) x: bool,
    pub(crate) y: bool,
}

/// Draws grid, ticks and the two axis lines; numbers only where asked.
pub(crate) fn draw_axes(
    scene: &mut Scene,
    frame: &Frame,
    x: (&Axis, &[f64]),
    y: (&Axis, &[f64]),
    numbers: Numbers,
) {
    let (left, right, bottom) = (frame.left, frame.left + frame.width, frame.bottom());
    for &value in y.1 {
        let at = frame.top_of(value);
        scene.polyline(vec![(left, at), (right, at)], 0.6, Ink::GRID);
    }
    for &value in x.1 {
        let at = frame.left_of(value);
        scene.polyline(vec![(at, frame.top), (at, bottom)], 0.6, Ink::GRID);
        scene.polyline(vec![(at, bottom), (at, bottom + 3.5)], 0.8, Ink::AXIS);
    }
    scene.polyline(vec![(left, frame.top), (left, bottom), (right, bottom)], 0.8, Ink::AXIS);
    if numbers.x {
        draw_x_numbers(scene, frame, x);
    }
    for (&value, label) in y.1.iter().zip(tick_labels(y.0.scale, y.1)) {
        let at = frame.top_of(value);
        scene.polyline(vec![(left - 3.5, at), (left, at)], 0.8, Ink::AXIS);
        if numbers.y {
            let baseline = at + TICK_TEXT * CAP_HEIGHT / 2.0;
            scene.text(&label, (left - TICK_GAP, baseline), TICK_TEXT, Anchor::End, Ink::TEXT);
        }
    }
}

fn draw_x_numbers(scene: &mut Scene, frame: &Frame, (axis, ticks): (&Axis, &[f64])) {
    let baseline = frame.bottom() + TICK_GAP + TICK_TEXT * CAP_HEIGHT;
    let mut free_from = f64::NEG_INFINITY;
    for (&value, label) in ticks.iter().zip(tick_labels(axis.scale, ticks)) {
        let (at, half) = (frame.left_of(value), width(&label, TICK_TEXT) / 2.0);
        if at - half >= free_from {
            scene.text(&label, (at, baseline), TICK_TEXT, Anchor::Middle, Ink::TEXT);
            free_from = at + half + 4.0;
        }
    }
}

/// Draws bands below curves below fitted lines below markers, so that no curve hides behind another's band.
pub(crate) fn draw_curves(
    scene: &mut Scene,
    frame: &Frame,
    curves: &[(&Line, Look)],
    fits: &[[Xy; 2]],
    axes: (&Axis, &Axis),
) {
    let runs: Vec<Vec<&[Point]>> = curves.iter().map(|(line, _)| runs(line, axes)).collect();
    let shifts = dodges(&runs);
    for ((runs, (_, look)), shift) in runs.iter().zip(curves).zip(&shifts) {
        runs.iter().for_each(|run| draw_band(scene, frame, run, look, *shift));
    }
    for ((line, look), runs) in curves.iter().zip(&runs) {
        for run in runs {
            let places: Vec<Xy> = run.iter().map(|p| frame.at(p.x, p.y)).collect();
            draw_path(scene, &thin(&places), line.dashed, look.ink);
        }
    }
    for dash in fits.iter().flat_map(|fit| dashes(fit)) {
        scene.polyline(dash, FIT_WIDTH, Ink::TEXT);
    }
    for (index, ((line, look), runs)) in curves.iter().zip(&runs).enumerate() {
        let places = marked(line, runs, index).into_iter().map(|point| frame.at(point.x, point.y));
        for (x, y) in apart(places) {
            draw_marker(scene, (x + shifts[index], y), look);
        }
        for point in runs.iter().copied().flatten().filter(|point| Some(point.x) == line.ringed) {
            let (x, y) = frame.at(point.x, point.y);
            draw_ring(scene, (x + shifts[index], y), look);
        }
    }
}

/// Stretches of a line without a gap.
fn runs<'a>(line: &'a Line, (x, y): (&Axis, &Axis)) -> Vec<&'a [Point]> {
    line.points.split(|point| !drawable(point, x, y)).filter(|run| !run.is_empty()).collect()
}

/// Sideways shifts that separate lone points of several lines at one x; none if any line has a second point.
fn dodges(runs: &[Vec<&[Point]>]) -> Vec<f64> {
    let present: Vec<usize> = (0..runs.len()).filter(|&i| !runs[i].is_empty()).collect();
    let lone = |i: &usize| matches!(&runs[*i][..], [[point]] if point.x == runs[present[0]][0][0].x);
    let mut shifts = vec![0.0; runs.len()];
    if present.iter().all(lone) {
        for (rank, &line) in present.iter().enumerate() {
            shifts[line] = (rank as f64 - (present.len() as f64 - 1.0) / 2.0) * DODGE;
        }
    }
    shifts
}

/// Draws the band of a stretch; a lone point has no width to fill, so it gets a bar.
fn draw_band(scene: &mut Scene, frame: &Frame, run: &[Point], look: &Look, shift: f64) {
    let end = |end: f64, point: &Point| if end.is_finite() { end } else { point.y };
    if run.iter().all(|p| end(p.low, p) == end(p.high, p)) {
        return;
    }
    let edge = |of: fn(&Point) -> f64| -> Vec<Xy> {
        thin(&run.iter().map(|p| frame.at(p.x, end(of(p), p))).collect::<Vec<_>>())
    };
    let (upper, lower) = (edge(|p| p.high).into_iter(), edge(|p| p.low).into_iter());
    if run.len() == 1 {
        let bar = upper.chain(lower).map(|(x, y)| (x + shift, y)).collect();
        scene.polyline(bar, CURVE_WIDTH, look.ink.with_alpha(0.6));
    } else {
        scene.polygon(upper.chain(lower.rev()).collect(), look.ink.with_alpha(BAND_ALPHA));
    }
}

/// The points of a line that carry a marker: all of a short line, evenly spread ones of a long line (shifted from line
/// to line, so that they do not hide each other), and in any case those without neighbours.
fn marked<'a>(line: &Line, runs: &[&'a [Point]], index: usize) -> Vec<&'a Point> {
    let total: usize = runs.iter().map(|run| run.len()).sum();
    let stride = if total > MANY_POINTS { total.div_ceil(FEW_MARKERS) } else { 1 };
    let offset = stride / 2 + index * stride / 4;
    let lone = |run: &[Point]| run.len() == 1;
    let points = runs.iter().flat_map(|&run| run.iter().map(move |point| (lone(run), point)));
    points
        .enumerate()
        .filter(|(i, (lone, _))| *lone || (line.markers && i % stride == offset % stride))
        .map(|(_, (_, point))| point)
        .collect()
}

/// Places without those that share a pixel with an earlier one: a marker there would hide it.
fn apart(places: impl Iterator<Item = Xy>) -> impl Iterator<Item = Xy> {
    let mut taken = HashSet::new();
    let pixel = |v: f64| (v * 2.0).floor() as i64;
    places.filter(move |&(x, y)| taken.insert((pixel(x), pixel(y))))
}

/// Draws a curve, solid or dashed.
pub(crate) fn draw_path(scene: &mut Scene, places: &[Xy], dashed: bool, ink: Ink) {
    if places.len() < 2 {
        return;
    }
    if !dashed {
        return scene.polyline(places.to_vec(), CURVE_WIDTH, ink);
    }
    for dash in dashes(places) {
        scene.polyline(dash, CURVE_WIDTH, ink);
    }
}

/// The path cut into dashes, the gaps left out.
fn dashes(places: &[Xy]) -> Vec<Vec<Xy>> {
    let (mut pieces, mut current) = (Vec::new(), vec![places[0]]);
    let (mut drawing, mut left) = (true, DASH[0]);
    for pair in places.windows(2) {
        let [(mut x, mut y), (to_x, to_y)] = [pair[0], pair[1]];
        let mut rest = (to_x - x).hypot(to_y - y);
        while rest > left {
            (x, y) = (x + (to_x - x) * left / rest, y + (to_y - y) * left / rest);
            rest -= left;
            current.push((x, y));
            if drawing {
                pieces.push(std::mem::take(&mut current));
            }
            drawing = !drawing;
            left = DASH[usize::from(!drawing)];
            current = vec![(x, y)];
        }
        left -= rest;
        current.push((to_x, to_y));
    }
    if drawing {
        pieces.push(current);
    }
    pieces
}

/// Draws a marker on a thin white ground, which sets it off from its own and other curves.
pub(crate) fn draw_marker(scene: &mut Scene, at: Xy, look: &Look) {
    scene.polygon(outline(look.shape, at, MARKER_RADIUS + 0.8), Ink::WHITE);
    if !look.hollow {
        return scene.polygon(outline(look.shape, at, MARKER_RADIUS), look.ink);
    }
    let mut edge = outline(look.shape, at, MARKER_RADIUS - 0.4);
    edge.extend_from_within(..2);
    scene.polyline(edge, 1.2, look.ink);
}

/// Draws a ring around a marker.
fn draw_ring(scene: &mut Scene, at: Xy, look: &Look) {
    let mut ring = outline(Shape::Circle, at, RING_RADIUS);
    ring.extend_from_within(..2);
    scene.polyline(ring, 1.2, look.ink);
}

fn outline(shape: Shape, (x, y): Xy, radius: f64) -> Vec<Xy> {
    let ring = |corners: u32, radius: f64, turn: f64| -> Vec<Xy> {
        let angles = (0..corners).map(|i| TAU * (f64::from(i) / f64::from(corners) + turn));
        angles.map(|angle| (x + radius * angle.cos(), y + radius * angle.sin())).collect()
    };
    // These radii give every shape about the same area.
    match shape {
        Shape::Circle => ring(24, radius, 0.0),
        Shape::Square => ring(4, radius * 1.25, 0.125),
        Shape::Triangle => ring(3, radius * 1.4, -0.25),
        Shape::Diamond => ring(4, radius * 1.25, 0.0),
        Shape::TriangleDown => ring(3, radius * 1.4, 0.25),
        Shape::Plus => plus((x, y), radius, 0.0),
        Shape::Cross => plus((x, y), radius, 0.125),
        Shape::Star => {
            let (tips, dents) = (ring(5, radius * 1.6, -0.25), ring(5, radius * 0.7, -0.15));
            tips.into_iter().zip(dents).flat_map(|(tip, dent)| [tip, dent]).collect()
        }
    }
}

/// A plus sign with thick arms, turned by a share of a full circle.
fn plus((x, y): Xy, radius: f64, turn: f64) -> Vec<Xy> {
    let (arm, half) = (radius * 1.25, radius * 0.42);
    let (sin, cos) = (TAU * turn).sin_cos();
    let quarter = [(arm, -half), (arm, half), (half, half)];
    (0..4)
        .flat_map(|i| {
            let (s, c) = (TAU * f64::from(i) / 4.0).sin_cos();
            quarter.map(|(u, v)| (u * c - v * s, u * s + v * c))
        })
        .map(|(u, v)| (x + u * cos - v * sin, y + u * sin + v * cos))
        .collect()
}
