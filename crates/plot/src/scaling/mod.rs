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

use crate::{Axis, Figure, Panel, Scale};

/// The words of a scaling figure for its horizontal axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scaling {
    /// The letter of x in an exponent: `L` in `L^1.93 ± 0.05`.
    pub symbol: &'static str,
    /// The unit of x in the plural: `tokens`.
    pub unit: &'static str,
}

/// Names of the scaling figures.
pub(crate) const NAMES: [&str; 5] =
    [TIME_BY_LENGTH, MEMORY_BY_LENGTH, STATE_BY_LENGTH, TIME_BY_WIDTH, MEMORY_BY_WIDTH];

const TIME_BY_LENGTH: &str = "time_by_length";
const MEMORY_BY_LENGTH: &str = "memory_by_length";
const STATE_BY_LENGTH: &str = "state_by_length";
const TIME_BY_WIDTH: &str = "time_by_width";
const MEMORY_BY_WIDTH: &str = "memory_by_width";

const TIME: &str = "forward + backward (ms)";
const MEMORY: &str = "peak memory (MiB)";
const STATE: &str = "state (floats a sequence)";

/// Milliseconds of one forward and backward pass against sequence length.
///
/// `caption` says what a point and its band are, n, and where it was measured; the results of the fits are added to it.
/// The same holds for the other functions.
pub fn time_by_length(panels: Vec<Panel>, caption: Vec<String>) -> Figure {
    standard(TIME_BY_LENGTH, panels, caption)
}

/// Peak memory of one forward and backward pass in MiB against sequence length.
pub fn memory_by_length(panels: Vec<Panel>, caption: Vec<String>) -> Figure {
    standard(MEMORY_BY_LENGTH, panels, caption)
}

/// Floats that one sequence keeps to decode its next token against sequence length.
pub fn state_by_length(panels: Vec<Panel>, caption: Vec<String>) -> Figure {
    standard(STATE_BY_LENGTH, panels, caption)
}

/// Milliseconds of one forward and backward pass against model width.
pub fn time_by_width(panels: Vec<Panel>, caption: Vec<String>) -> Figure {
    standard(TIME_BY_WIDTH, panels, caption)
}

/// Peak memory of one forward and backward pass in MiB against model width.
pub fn memory_by_width(panels: Vec<Panel>, caption: Vec<String>) -> Figure {
    standard(MEMORY_BY_WIDTH, panels, caption)
}

fn standard(name: &str, panels: Vec<Panel>, mut caption: Vec<String>) -> Figure {
    let figure =
        by_name(name, panels, Vec::new()).unwrap_or_else(|| unreachable!("`{name}` is a scaling figure"));
    caption.extend(figure.scaling.iter().flat_map(|scaling| caption::caption(&figure.panels, scaling)));
    Figure { caption, ..figure }
}

/// The scaling figure of that name, with its caption as given; `None` if there is none.
pub(crate) fn by_name(name: &str, panels: Vec<Panel>, caption: Vec<String>) -> Option<Figure> {
    let (title, x, y) = match name {
        TIME_BY_LENGTH => ("Time by sequence length", LENGTH, TIME),
        MEMORY_BY_LENGTH => ("Peak memory by sequence length", LENGTH, MEMORY),
        STATE_BY_LENGTH => ("Decoding state by sequence length", LENGTH, STATE),
        TIME_BY_WIDTH => ("Time by width", WIDTH, TIME),
        MEMORY_BY_WIDTH => ("Peak memory by width", WIDTH, MEMORY),
        _ => return None,
    };
    let (label, scaling) = x;
    let (x, y) = (doublings(label, &panels), Axis::log10(y));
    let (name, title) = (name.to_owned(), title.to_owned());
    Some(Figure { name, title, caption, x, y, panels, scaling: Some(scaling) })
}

const LENGTH: (&str, Scaling) = ("sequence length L (tokens)", Scaling { symbol: "L", unit: "tokens" });
const WIDTH: (&str, Scaling) = ("width d (d_model, channels)", Scaling { symbol: "d", unit: "channels" });

/// Ticks at powers of two if at least three lie in the range, otherwise at the values that were measured.
fn doublings(label: &str, panels: &[Panel]) -> Axis {
    let points = panels.iter().flat_map(|panel| &panel.lines).flat_map(|line| &line.points);
    let mut measured: Vec<f64> = points.map(|p| p.x).filter(|&x| Scale::Log2.accepts(x)).collect();
    measured.sort_by(f64::total_cmp);
    measured.dedup();
    match (measured.first(), measured.last()) {
        (Some(first), Some(last)) if last.log2().floor() - first.log2().ceil() < 2.0 => {
            Axis::log2(label).with_ticks(measured)
        }
        _ => Axis::log2(label),
    }
}
