//! The standard figures of a study. Each has one name, title and pair of axes; panels and caption come from the runs.
//!
//! [`by_name`] makes any of them from panels, so a folder of CSV files can be redrawn. [`Standard::of`] and
//! [`loss_by_step`] start from one sample per seed and write the caption as well; the scaling figures have their own:
//! [`ScalingFigure`]. A metric has a figure for each thing that its scores are drawn over; how it is drawn is declared with
//! the metric.

use subquad_data::{Extent, Loss, Metric};

use crate::figure::{measured_x, points};
use crate::scaling::ScalingFigure;
use crate::summary::{Sample, aggregate, seeds_per_line, smooth};
use crate::{Axis, FEWEST, Figure, Panel, Scale};

/// Names of the standard figures, which are their file stems.
pub fn names() -> Vec<String> {
    let scaling = ScalingFigure::ALL.map(|figure| figure.name().to_owned());
    Standard::all().map(|standard| standard.words().0).chain(scaling).collect()
}

/// A standard figure that is not a scaling figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standard {
    /// Training loss against optimiser step: see [`loss_by_step`].
    Loss(Loss),
    /// Scores of a metric.
    Score(Metric, Over),
    /// Microseconds of training time per token against sequence length.
    TimePerToken,
    /// Peak memory of training in MiB against sequence length.
    PeakMemory,
}

/// What the scores of a metric are drawn over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The optimiser steps.
    Step,
    /// The lengths that were trained at.
    Length,
    /// The lengths of the test sequences.
    TestLength,
    /// The states per channel.
    DState,
    /// The peak learning rates that were tried.
    LearningRate,
}

impl Over {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Step, Self::Length, Self::TestLength, Self::DState, Self::LearningRate];

    /// The end of the figure's name and of its title.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Step => ("step", "during training"),
            Self::Length => ("length", "by sequence length"),
            Self::TestLength => ("test_length", "by length of the test sequences"),
            Self::DState => ("d_state", "by size of the state"),
            Self::LearningRate => ("lr", "by learning rate"),
        }
    }

    fn axis(self, panels: &[Panel]) -> Axis {
        match self {
            Self::Step => Axis::linear("optimiser step"),
            Self::Length => doublings("sequence length (tokens)", panels),
            Self::TestLength => doublings("length of the test sequences (tokens)", panels),
            Self::DState => doublings("states a channel (d_state)", panels),
            Self::LearningRate => Axis::log10("peak learning rate").with_ticks(measured_x(panels)),
        }
    }
}

impl Standard {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        let scores = Metric::ALL.iter().flat_map(|&metric| Over::ALL.map(|over| Self::Score(metric, over)));
        Loss::ALL.map(Self::Loss).into_iter().chain(scores).chain([Self::TimePerToken, Self::PeakMemory])
    }

    /// The figure of these samples, with a panel for each of their titles.
    pub fn of(self, samples: &[Sample], facts: &Facts) -> Figure {
        self.figure(aggregate(samples), facts.caption(samples))
    }

    fn figure(self, panels: Vec<Panel>, caption: Vec<String>) -> Figure {
        let ((name, title), (x, y)) = (self.words(), self.axes(&panels));
        Figure { name, title, caption, x, y, panels, scaling: None }
    }

    /// Its name and its title.
    fn words(self) -> (String, String) {
        let (name, title) = match self {
            Self::Loss(Loss::CrossEntropy) => ("loss_by_step", "Training loss"),
            Self::Loss(Loss::SquaredError) => ("squared_error_by_step", "Training loss"),
            Self::TimePerToken => ("time_per_token", "Training time per token"),
            Self::PeakMemory => ("peak_memory", "Peak memory in training"),
            Self::Score(metric, over) => {
                let (end, words) = over.words();
                return (format!("{}_by_{end}", metric.name()), format!("{} {words}", metric.info().title));
            }
        };
        (name.into(), title.into())
    }

    fn axes(self, panels: &[Panel]) -> (Axis, Axis) {
        let x = |over: Over| over.axis(panels);
        match self {
            Self::Loss(Loss::CrossEntropy) => (x(Over::Step), Axis::linear("training loss (nats)")),
            Self::Loss(Loss::SquaredError) => {
                (x(Over::Step), cost("training loss (mean squared error)", panels))
            }
            Self::Score(metric, over) => (x(over), score_axis(metric, panels)),
            Self::TimePerToken => (x(Over::Length), cost("time per token (µs)", panels)),
            Self::PeakMemory => (x(Over::Length), cost("peak memory (MiB)", panels)),
        }
    }
}

/// What a caption must say besides the number of seeds and the meaning of the band.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The budget held equal between the lines, for example `2000 optimiser steps of 32 sequences, 0.5 M parameters`.
    pub budget: String,
    /// The commit the numbers come from.
    pub commit: String,
    /// Further sentences, one per paragraph: the machine of a timing, the task, what is left out.
    pub notes: Vec<String>,
}

impl Facts {
    /// The caption of a figure of these samples: n, what line and band are, the equal budget, the commit, the notes.
    pub fn caption(&self, samples: &[Sample]) -> Vec<String> {
        let (few, many) = seeds_per_line(samples);
        let seeds = if few == many { few.to_string() } else { format!("{few} to {many}") };
        let seeds = match many {
            0 | 1 => "n = 1 seed, so no band.".to_owned(),
            _ => format!("Line: mean over n = {seeds} seeds. Band: {}.", band(few, many)),
        };
        let held = format!("{seeds} Held equal: {}. Commit {}.", self.budget, self.commit);
        std::iter::once(held).chain(self.notes.iter().cloned()).collect()
    }
}

/// What the bands of lines with so many seeds are.
fn band(few: usize, many: usize) -> &'static str {
    match (few >= FEWEST, many >= FEWEST) {
        (true, _) => "95 % interval of the mean (Student's t)",
        (false, true) => {
            "95 % interval of the mean (Student's t), or minimum to maximum of fewer than 3 seeds"
        }
        (false, false) => "minimum to maximum",
    }
}

/// The standard figure of that name; `None` if there is none.
pub fn by_name(name: &str, panels: Vec<Panel>, caption: Vec<String>) -> Option<Figure> {
    if let Some(standard) = Standard::all().find(|standard| standard.words().0 == name) {
        return Some(standard.figure(panels, caption));
    }
    let scaling = ScalingFigure::ALL.into_iter().find(|figure| figure.name() == name)?;
    Some(scaling.figure(panels, caption))
}

/// Training loss against optimiser step, one panel per length.
///
/// The loss of one batch is noisy, so each run is first smoothed by a centred moving average over `window` logged
/// points (see [`smooth`]); the caption says so. A window of 1 leaves the losses as they are. The CSV contains what is
/// drawn.
pub fn loss_by_step(loss: Loss, samples: &[Sample], window: usize, facts: &Facts) -> Figure {
    let mut figure = Standard::Loss(loss).of(&smooth(samples, window), facts);
    let odd = window / 2 * 2 + 1;
    if odd > 1 {
        let note = format!(
            "Each run is smoothed by a centred moving average over {odd} logged points, fewer at the ends."
        );
        figure.caption.push(note);
    }
    figure
}

fn score_axis(metric: Metric, panels: &[Panel]) -> Axis {
    let label = metric.info().axis;
    match metric.info().extent {
        Extent::Values => Axis::linear(label),
        Extent::AtLeast(low, high) => Axis::linear(label).at_least(low, high),
        Extent::FromZero => cost(label, panels),
    }
}

/// Doublings at equal distances, ticks at the values that were run.
fn doublings(label: &str, panels: &[Panel]) -> Axis {
    Axis::log2(label).with_ticks(measured_x(panels))
}

/// An axis from zero if the values stay within a decade, otherwise logarithmic.
fn cost(label: &str, panels: &[Panel]) -> Axis {
    let costs = points(panels).map(|p| p.y).filter(|&y| Scale::Log10.accepts(y));
    let (low, high) =
        costs.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), y| (low.min(y), high.max(y)));
    if high > 10.0 * low { Axis::log10(label) } else { Axis::linear(label).at_least(0.0, 0.0) }
}
