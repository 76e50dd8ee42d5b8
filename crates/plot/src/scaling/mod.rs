//! The scaling figures of a study: cost against length or width on logarithmic axes, with what the points say about
//! growth. Every curve has its power law (dashed, over the range it was fitted to) and its exponent with a 95 %
//! interval; crossovers with the first line of a panel are marked; a lower panel shows local slopes.
//!
//! Panels hold only measured points, for example medians with quartiles as bands. Everything else is derived from them when
//! the figure is drawn, so the CSV of the points is enough to redraw it.

mod caption;
mod derived;
mod growth;
mod heading;

pub(crate) use derived::{Derived, Place};
pub(crate) use growth::Growth;

use crate::figure::measured_x;
use crate::fit::Meaning;
use crate::{Axis, Figure, Panel};

/// The words of a scaling figure for its axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scaling {
    /// The letter of x in an exponent: `L` in `L^1.93 ± 0.05`.
    pub symbol: &'static str,
    /// The unit of x in the plural: `tokens`.
    pub unit: &'static str,
    /// What y is.
    pub meaning: Meaning,
}

/// A scaling figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalingFigure {
    /// Milliseconds of one forward and backward pass against sequence length.
    TimeByLength,
    /// Peak memory of one forward and backward pass in MiB against sequence length.
    MemoryByLength,
    /// Floats that one sequence keeps to decode its next token against sequence length.
    StateByLength,
    /// Milliseconds of one forward and backward pass against model width.
    TimeByWidth,
    /// Peak memory of one forward and backward pass in MiB against model width.
    MemoryByWidth,
    /// Tokens that a whole model decodes in a second against the tokens before them.
    TokensPerSecondByContext,
}

const LENGTH: (&str, Scaling) =
    ("sequence length L (tokens)", Scaling { symbol: "L", unit: "tokens", meaning: Meaning::Cost });
const WIDTH: (&str, Scaling) =
    ("width d (d_model, channels)", Scaling { symbol: "d", unit: "channels", meaning: Meaning::Cost });

const CONTEXT: (&str, Scaling) =
    ("context L (tokens)", Scaling { symbol: "L", unit: "tokens", meaning: Meaning::Speed });

const TIME: &str = "forward + backward (ms)";
const MEMORY: &str = "peak memory (MiB)";

impl ScalingFigure {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::TimeByLength,
        Self::MemoryByLength,
        Self::StateByLength,
        Self::TimeByWidth,
        Self::MemoryByWidth,
        Self::TokensPerSecondByContext,
    ];

    /// The figure of these panels. `caption` says what a point and its band are, n, and where it was measured; the results
    /// of the fits are added to it.
    pub fn of(self, panels: Vec<Panel>, mut caption: Vec<String>) -> Figure {
        let figure = self.figure(panels, Vec::new());
        caption.extend(figure.scaling.iter().flat_map(|scaling| caption::caption(&figure.panels, scaling)));
        Figure { caption, ..figure }
    }

    /// The figure with its caption as given.
    pub(crate) fn figure(self, panels: Vec<Panel>, caption: Vec<String>) -> Figure {
        let (name, title, (label, scaling), y) = self.words();
        let (name, title) = (name.to_owned(), title.to_owned());
        let (x, y) = (doublings(label, &panels), Axis::log10(y));
        Figure { name, title, caption, x, y, panels, scaling: Some(scaling) }
    }

    pub(crate) fn name(self) -> &'static str {
        self.words().0
    }

    /// Its name, its title, the horizontal axis, and the label of the vertical one.
    fn words(self) -> (&'static str, &'static str, (&'static str, Scaling), &'static str) {
        match self {
            Self::TimeByLength => ("time_by_length", "Time by sequence length", LENGTH, TIME),
            Self::MemoryByLength => ("memory_by_length", "Peak memory by sequence length", LENGTH, MEMORY),
            Self::StateByLength => {
                ("state_by_length", "Decoding state by sequence length", LENGTH, "state (floats a sequence)")
            }
            Self::TimeByWidth => ("time_by_width", "Time by width", WIDTH, TIME),
            Self::MemoryByWidth => ("memory_by_width", "Peak memory by width", WIDTH, MEMORY),
            Self::TokensPerSecondByContext => (
                "tokens_per_second_by_context",
                "Decoding of whole models by context",
                CONTEXT,
                "tokens a second",
            ),
        }
    }
}

/// Ticks at powers of two if at least three lie in the range, otherwise at the values that were measured.
fn doublings(label: &str, panels: &[Panel]) -> Axis {
    let measured = measured_x(panels);
    match (measured.first(), measured.last()) {
        (Some(first), Some(last)) if last.log2().floor() - first.log2().ceil() < 2.0 => {
            Axis::log2(label).with_ticks(measured)
        }
        _ => Axis::log2(label),
    }
}
