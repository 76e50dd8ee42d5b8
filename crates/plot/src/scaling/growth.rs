//! What the points of a panel say about growth. It is derived again whenever a figure is drawn, so no file contains it.

use crate::fit::{Comparison, Crossover, PowerLaw, crossovers, local_slopes, power_law};
use crate::{Line, Panel, Point};

/// Fits, slopes and crossovers of one panel.
#[derive(Clone, Debug)]
pub(crate) struct Growth {
    /// One for each line of the panel, `None` if nothing can be fitted.
    pub(crate) fits: Vec<Option<PowerLaw>>,
    /// The later lines of the panel in order, each against the first; `None` if they cannot be compared.
    pub(crate) comparisons: Vec<Option<Comparison>>,
    /// The local slopes of each line as a curve with its label.
    pub(crate) slopes: Vec<Line>,
}

impl Growth {
    pub(crate) fn of(panel: &Panel) -> Self {
        let fits = panel.lines.iter().map(|line| power_law(&bare(line))).collect();
        let against_first = |line: &Line| crossovers(&panel.lines[0].points, &line.points);
        let comparisons = panel.lines.iter().skip(1).map(against_first).collect();
        let slopes = panel.lines.iter().map(slopes).collect();
        Self { fits, comparisons, slopes }
    }

    /// Index of a line and a place where the first line passes it.
    pub(crate) fn crossovers(&self) -> impl Iterator<Item = (usize, &Crossover)> {
        let found = self.comparisons.iter().zip(1..);
        found.flat_map(|(found, line)| found.iter().flat_map(|f| &f.crossovers).map(move |c| (line, c)))
    }

    /// The two ends of every fitted line.
    pub(crate) fn fit_ends(&self) -> impl Iterator<Item = [(f64, f64); 2]> {
        let ends = |fit: &PowerLaw| [fit.range.0, fit.range.1].map(|x| (x, fit.at(x)));
        self.fits.iter().flatten().map(ends)
    }
}

fn slopes(line: &Line) -> Line {
    let points = local_slopes(&bare(line)).into_iter().map(|(x, y)| Point::new(x, y)).collect();
    Line { points, ..line.clone() }
}

fn bare(line: &Line) -> Vec<(f64, f64)> {
    line.points.iter().map(|p| (p.x, p.y)).collect()
}
