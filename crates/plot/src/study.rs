//! The standard figures of a study. Each has one name, title and pair of axes; panels and caption come from the runs.
//!
//! [`by_name`] makes any of them from panels alone, so a folder of CSV files can be redrawn. The other functions start
//! from one sample a seed and write the caption as well; the scaling figures have their own in [`scaling`].

use crate::summary::{Sample, aggregate, seeds_per_line, smooth};
use crate::{Axis, Figure, Panel, Scale, scaling};

/// Names of the standard figures, which are their file stems.
pub const NAMES: [&str; 18] = [
    LOSS_BY_STEP,
    SQUARED_ERROR_BY_STEP,
    ACCURACY_BY_STEP,
    ACCURACY_BY_LENGTH,
    ACCURACY_BY_TEST_LENGTH,
    BITS_PER_BYTE_BY_STEP,
    BITS_PER_BYTE_BY_LENGTH,
    NORMALISED_ERROR_BY_STEP,
    NORMALISED_ERROR_BY_LENGTH,
    ACCURACY_BY_D_STATE,
    NORMALISED_ERROR_BY_D_STATE,
    TIME_PER_TOKEN,
    PEAK_MEMORY,
    scaling::TIME_BY_LENGTH,
    scaling::MEMORY_BY_LENGTH,
    scaling::STATE_BY_LENGTH,
    scaling::TIME_BY_WIDTH,
    scaling::MEMORY_BY_WIDTH,
];

const LOSS_BY_STEP: &str = "loss_by_step";
const SQUARED_ERROR_BY_STEP: &str = "squared_error_by_step";
const ACCURACY_BY_STEP: &str = "accuracy_by_step";
const ACCURACY_BY_LENGTH: &str = "accuracy_by_length";
const ACCURACY_BY_TEST_LENGTH: &str = "accuracy_by_test_length";
const BITS_PER_BYTE_BY_STEP: &str = "bits_per_byte_by_step";
const BITS_PER_BYTE_BY_LENGTH: &str = "bits_per_byte_by_length";
const NORMALISED_ERROR_BY_STEP: &str = "normalised_error_by_step";
const NORMALISED_ERROR_BY_LENGTH: &str = "normalised_error_by_length";
const ACCURACY_BY_D_STATE: &str = "accuracy_by_d_state";
const NORMALISED_ERROR_BY_D_STATE: &str = "normalised_error_by_d_state";
const TIME_PER_TOKEN: &str = "time_per_token";
const PEAK_MEMORY: &str = "peak_memory";

/// What a caption must say besides the number of seeds and the meaning of the band.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The budget held equal between the lines, for example `2000 optimiser steps of 32 sequences, 0.5 M parameters`.
    pub budget: String,
    /// The commit the numbers come from.
    pub commit: String,
    /// Further sentences, one a paragraph: the machine of a timing, the task, what is left out.
    pub notes: Vec<String>,
}

impl Facts {
    /// The caption of a figure of these samples: n, what line and band are, the equal budget, the commit, the notes.
    pub fn caption(&self, samples: &[Sample]) -> Vec<String> {
        let seeds = match seeds_per_line(samples) {
            (_, 0 | 1) => "n = 1 seed, so no band.".to_owned(),
            (few, many) if few == many => {
                format!("Line: mean over n = {few} seeds. Band: minimum to maximum.")
            }
            (few, many) => format!("Line: mean over n = {few} to {many} seeds. Band: minimum to maximum."),
        };
        let held = format!("{seeds} Held equal: {}. Commit {}.", self.budget, self.commit);
        std::iter::once(held).chain(self.notes.iter().cloned()).collect()
    }
}

/// The standard figure of that name; `None` where there is none.
pub fn by_name(name: &str, panels: Vec<Panel>, caption: Vec<String>) -> Option<Figure> {
    let step = || Axis::linear("optimiser step");
    let accuracy = || Axis::linear("accuracy (fraction correct)").at_least(0.0, 1.0);
    let bits = || Axis::linear("bits per byte");
    let error = || cost("mean squared error / variance (lower is better)", &panels);
    let (title, x, y) = match name {
        LOSS_BY_STEP => ("Training loss", step(), Axis::linear("training loss (nats)")),
        SQUARED_ERROR_BY_STEP => {
            ("Training loss", step(), cost("training loss (mean squared error)", &panels))
        }
        ACCURACY_BY_STEP => ("Accuracy during training", step(), accuracy()),
        ACCURACY_BY_LENGTH => ("Accuracy by sequence length", lengths(&panels), accuracy()),
        ACCURACY_BY_TEST_LENGTH => {
            ("Accuracy by length of the test sequences", test_lengths(&panels), accuracy())
        }
        BITS_PER_BYTE_BY_STEP => ("Bits per byte during training", step(), bits()),
        BITS_PER_BYTE_BY_LENGTH => ("Bits per byte by sequence length", lengths(&panels), bits()),
        NORMALISED_ERROR_BY_STEP => ("Error during training", step(), error()),
        NORMALISED_ERROR_BY_LENGTH => ("Error by sequence length", lengths(&panels), error()),
        ACCURACY_BY_D_STATE => ("Accuracy by size of the state", states(&panels), accuracy()),
        NORMALISED_ERROR_BY_D_STATE => ("Error by size of the state", states(&panels), error()),
        TIME_PER_TOKEN => ("Training time per token", lengths(&panels), cost("time per token (µs)", &panels)),
        PEAK_MEMORY => ("Peak memory in training", lengths(&panels), cost("peak memory (MiB)", &panels)),
        _ => return scaling::by_name(name, panels, caption),
    };
    Some(Figure { name: name.to_owned(), title: title.to_owned(), caption, x, y, panels, scaling: None })
}

/// Training loss against optimiser step, a panel a length.
///
/// The loss of one batch is noisy, so each run is first smoothed by a centred moving average over `window` logged
/// points (see [`smooth`]); the caption says so. A window of 1 leaves the losses as they are. The CSV holds what is
/// drawn.
pub fn loss_by_step(samples: &[Sample], window: usize, facts: &Facts) -> Figure {
    smoothed(LOSS_BY_STEP, samples, window, facts)
}

/// As [`loss_by_step`], where the loss is the mean squared error of real targets.
pub fn squared_error_by_step(samples: &[Sample], window: usize, facts: &Facts) -> Figure {
    smoothed(SQUARED_ERROR_BY_STEP, samples, window, facts)
}

fn smoothed(name: &str, samples: &[Sample], window: usize, facts: &Facts) -> Figure {
    let mut figure = standard(name, &smooth(samples, window), facts);
    let odd = window / 2 * 2 + 1;
    if odd > 1 {
        let note = format!(
            "Each run is smoothed by a centred moving average over {odd} logged points, fewer at the ends."
        );
        figure.caption.push(note);
    }
    figure
}

/// Accuracy on held-out data against optimiser step, a panel a length.
pub fn accuracy_by_step(samples: &[Sample], facts: &Facts) -> Figure {
    standard(ACCURACY_BY_STEP, samples, facts)
}

/// Accuracy after training against sequence length.
pub fn accuracy_by_length(samples: &[Sample], facts: &Facts) -> Figure {
    standard(ACCURACY_BY_LENGTH, samples, facts)
}

/// Accuracy after training against the length of the test sequences, a panel a length of training.
pub fn accuracy_by_test_length(samples: &[Sample], facts: &Facts) -> Figure {
    standard(ACCURACY_BY_TEST_LENGTH, samples, facts)
}

/// Bits per byte on held-out text against optimiser step, a panel a length.
pub fn bits_per_byte_by_step(samples: &[Sample], facts: &Facts) -> Figure {
    standard(BITS_PER_BYTE_BY_STEP, samples, facts)
}

/// Bits per byte after training against sequence length.
pub fn bits_per_byte_by_length(samples: &[Sample], facts: &Facts) -> Figure {
    standard(BITS_PER_BYTE_BY_LENGTH, samples, facts)
}

/// Mean squared error over the variance of the targets against optimiser step, a panel a length.
pub fn normalised_error_by_step(samples: &[Sample], facts: &Facts) -> Figure {
    standard(NORMALISED_ERROR_BY_STEP, samples, facts)
}

/// Mean squared error over the variance of the targets after training against sequence length.
pub fn normalised_error_by_length(samples: &[Sample], facts: &Facts) -> Figure {
    standard(NORMALISED_ERROR_BY_LENGTH, samples, facts)
}

/// Accuracy after training against the states a channel.
pub fn accuracy_by_d_state(samples: &[Sample], facts: &Facts) -> Figure {
    standard(ACCURACY_BY_D_STATE, samples, facts)
}

/// Mean squared error over the variance of the targets after training against the states a channel.
pub fn normalised_error_by_d_state(samples: &[Sample], facts: &Facts) -> Figure {
    standard(NORMALISED_ERROR_BY_D_STATE, samples, facts)
}

/// Microseconds of training time a token against sequence length.
pub fn time_per_token(samples: &[Sample], facts: &Facts) -> Figure {
    standard(TIME_PER_TOKEN, samples, facts)
}

/// Peak memory of training in MiB against sequence length.
pub fn peak_memory(samples: &[Sample], facts: &Facts) -> Figure {
    standard(PEAK_MEMORY, samples, facts)
}

fn standard(name: &str, samples: &[Sample], facts: &Facts) -> Figure {
    by_name(name, aggregate(samples), facts.caption(samples))
        .unwrap_or_else(|| unreachable!("`{name}` is one of NAMES"))
}

/// Doublings at equal distances, ticks at the lengths that were run.
fn lengths(panels: &[Panel]) -> Axis {
    let mut ticks: Vec<f64> = points(panels).map(|p| p.x).filter(|&x| Scale::Log2.accepts(x)).collect();
    ticks.sort_by(f64::total_cmp);
    ticks.dedup();
    Axis::log2("sequence length (tokens)").with_ticks(ticks)
}

fn test_lengths(panels: &[Panel]) -> Axis {
    Axis { label: "length of the test sequences (tokens)".into(), ..lengths(panels) }
}

fn states(panels: &[Panel]) -> Axis {
    Axis { label: "states a channel (d_state)".into(), ..lengths(panels) }
}

/// From zero where the values stay within a decade, else logarithmic.
fn cost(label: &str, panels: &[Panel]) -> Axis {
    let costs = points(panels).map(|p| p.y).filter(|&y| Scale::Log10.accepts(y));
    let (low, high) =
        costs.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), y| (low.min(y), high.max(y)));
    if high > 10.0 * low { Axis::log10(label) } else { Axis::linear(label).at_least(0.0, 0.0) }
}

fn points(panels: &[Panel]) -> impl Iterator<Item = &crate::Point> {
    panels.iter().flat_map(|panel| &panel.lines).flat_map(|line| &line.points)
}
