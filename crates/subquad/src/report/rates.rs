//! The window of learning rates: the validation score at every rate that was tried, with the chosen one ringed.

use subquad_data::Metric;
use subquad_plot::Figure;
use subquad_plot::study::{Facts, Over, Standard};
use subquad_plot::summary::Sample;

use super::Finished;
use super::figures::with_note;
use super::samples::{joined, length_title, task_title};
use super::selection::{Cell, cells};

/// The key of the learning rate.
const RATE: &str = "optim.lr";

/// A panel for each length and each other axis, a line for each mixer; without panels if no rate was tuned.
pub(super) fn by_rate(metric: Metric, runs: &[Finished], facts: &Facts) -> Figure {
    let cells: Vec<Cell<'_>> = cells(runs).into_iter().filter(|cell| cell.rate().is_some()).collect();
    let samples: Vec<Sample> = cells.iter().flat_map(|cell| samples(cell, runs, metric)).collect();
    let note = format!(
        "{} on all validation examples, by which the rate is chosen. Ringed: chosen, and compared on the test examples elsewhere.",
        metric.info().title
    );
    let mut figure = Standard::Score(metric, Over::LearningRate).of(&samples, &with_note(facts, note));
    for cell in &cells {
        let (panel, line) = place(cell, runs);
        let lines =
            figure.panels.iter_mut().filter(|other| other.title == panel).flat_map(|panel| &mut panel.lines);
        lines.filter(|other| other.label == line).for_each(|line| line.ringed = cell.rate());
    }
    figure
}

impl Cell<'_> {
    fn rate(&self) -> Option<f64> {
        self.choices().find(|choice| choice.key == RATE)?.value.as_f64()
    }
}

fn samples(cell: &Cell<'_>, runs: &[Finished], metric: Metric) -> Vec<Sample> {
    let (panel, line) = place(cell, runs);
    let mut samples = vec![];
    for (x, tried) in cell.at(RATE) {
        let score = |run: &Finished| run.summary.validation.as_ref()?.score?.value_of(metric);
        samples.extend(tried.iter().filter_map(|run| {
            Some(Sample {
                panel: panel.clone(),
                line: line.clone(),
                seed: run.summary.seed,
                x,
                y: score(run)?,
            })
        }));
    }
    samples
}

/// The panel of a cell and its line there: the label without what the panel says.
fn place(cell: &Cell<'_>, runs: &[Finished]) -> (String, String) {
    let (mixer, axes) = cell.label.split_once(' ').unwrap_or((cell.label, ""));
    let first = cell.chosen().next();
    let titles = first.map(|run| [task_title(runs, run), length_title(run), axes.to_owned()]);
    (titles.map(joined).unwrap_or_default(), mixer.to_owned())
}
