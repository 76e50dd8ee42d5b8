//! What is between a panel's title and its frame: a key of exponents, and the places of the crossovers below it.

use super::growth::Growth;
use crate::fit::short;
use crate::palette::Look;
use crate::panel::{Frame, MARKER_RADIUS, draw_marker};
use crate::scale::Range;
use crate::scene::{Anchor, Ink, Scene, Xy};
use crate::text::{CAP_HEIGHT, width};

const TEXT: f64 = 9.5;
const POWER_TEXT: f64 = 8.0;
/// How far an exponent is above the letter's baseline.
const POWER_RISE: f64 = 3.2;
const ROW: f64 = 14.0;
const MARKER_ROOM: f64 = 2.0 * MARKER_RADIUS + 4.0;
const GAP: f64 = 12.0;
/// The most rows of crossovers. Those that do not fit are only in the caption.
const MOST_ROWS: usize = 12;

/// One entry: the marker of a line, then words.
#[derive(Clone, Debug)]
struct Entry {
    line: usize,
    words: String,
    row: usize,
    /// Distance from the left end of the frame.
    left: f64,
}

/// The entries of one panel.
#[derive(Clone, Debug)]
pub(crate) struct Heading {
    symbol: &'static str,
    /// The exponents, row 0 on top.
    exponents: Vec<Entry>,
    /// The crossovers, row 0 next to the frame.
    crossovers: Vec<Entry>,
}

/// Numbers of rows of a heading; panels of one figure share the largest.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rows {
    exponents: usize,
    crossovers: usize,
}

impl Rows {
    pub(crate) fn height(self) -> f64 {
        (self.exponents + self.crossovers) as f64 * ROW
    }

    pub(crate) fn most(self, other: Self) -> Self {
        Self {
            exponents: self.exponents.max(other.exponents),
            crossovers: self.crossovers.max(other.crossovers),
        }
    }
}

impl Heading {
    /// Places the entries over a frame of that width and horizontal axis.
    pub(crate) fn new(growth: &Growth, symbol: &'static str, x: &Range, frame_width: f64) -> Self {
        let exponents = exponents(growth, symbol, frame_width);
        Self { symbol, exponents, crossovers: crossovers(growth, x, frame_width) }
    }

    pub(crate) fn rows(&self) -> Rows {
        let rows = |entries: &[Entry]| entries.iter().map(|entry| entry.row + 1).max().unwrap_or(0);
        Rows { exponents: rows(&self.exponents), crossovers: rows(&self.crossovers) }
    }

    /// Draws above the frame, where `rows` are free.
    pub(crate) fn draw(&self, scene: &mut Scene, frame: &Frame, rows: Rows, looks: &[Option<Look>]) {
        let middle = |rows_up: usize| frame.top - (rows_up as f64 + 0.5) * ROW;
        for entry in &self.exponents {
            let up = rows.crossovers + rows.exponents - 1 - entry.row;
            let Some(at) = draw_start(scene, entry, (frame.left, middle(up)), looks) else { continue };
            scene.text(self.symbol, at, TEXT, Anchor::Start, Ink::TEXT);
            let power = (at.0 + width(self.symbol, TEXT) + 1.0, at.1 - POWER_RISE);
            scene.text(&entry.words, power, POWER_TEXT, Anchor::Start, Ink::TEXT);
        }
        for entry in &self.crossovers {
            if let Some(at) = draw_start(scene, entry, (frame.left, middle(entry.row)), looks) {
                scene.text(&entry.words, at, TEXT, Anchor::Start, Ink::TEXT);
            }
        }
    }
}

/// Draws the marker of an entry, and returns where its words start.
fn draw_start(scene: &mut Scene, entry: &Entry, (left, middle): Xy, looks: &[Option<Look>]) -> Option<Xy> {
    let look = looks[entry.line]?;
    draw_marker(scene, (left + entry.left + MARKER_RADIUS, middle), &look);
    Some((left + entry.left + MARKER_ROOM, middle + TEXT * CAP_HEIGHT / 2.0))
}

/// Places exponents from left to right, in as many rows as the width requires.
fn exponents(growth: &Growth, symbol: &str, room: f64) -> Vec<Entry> {
    let (mut row, mut left, mut entries) = (0, 0.0, Vec::new());
    for (line, fit) in growth.fits.iter().enumerate() {
        let Some(fit) = fit else { continue };
        let words = fit.exponent_words();
        let wide = MARKER_ROOM + width(symbol, TEXT) + 1.0 + width(&words, POWER_TEXT);
        if left > 0.0 && left + wide > room {
            (row, left) = (row + 1, 0.0);
        }
        entries.push(Entry { line, words, row, left });
        left += wide + GAP;
    }
    entries
}

/// Places each entry centred over its crossover, in the first row where it touches no other, if there is one.
fn crossovers(growth: &Growth, x: &Range, room: f64) -> Vec<Entry> {
    let mut found: Vec<(usize, f64)> =
        growth.crossovers().map(|(line, crossover)| (line, crossover.x)).collect();
    found.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (mut ends, mut entries): (Vec<f64>, _) = (Vec::new(), Vec::new());
    for (line, at) in found {
        let words = short(at);
        let wide = MARKER_ROOM + width(&words, TEXT);
        let left = (x.fraction(at) * room - wide / 2.0).clamp(0.0, (room - wide).max(0.0));
        let row = ends.iter().position(|&end| end + GAP / 2.0 <= left).unwrap_or(ends.len());
        if row == MOST_ROWS {
            continue;
        }
        ends.resize(ends.len().max(row + 1), 0.0);
        ends[row] = left + wide;
        entries.push(Entry { line, words, row, left });
    }
    entries
}
