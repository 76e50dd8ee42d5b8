//! Measured cells as curves: one quantity of one layer along lengths or widths.

use subquad_plot::Point;
use subquad_record::Cell;

use super::MeasuredConfig;
use crate::scaling::Along;

/// What is measured of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantity {
    ForwardBackward,
    Forward,
    Memory,
    State,
}

impl Quantity {
    pub(super) const ALL: [Self; 4] = [Self::ForwardBackward, Self::Forward, Self::Memory, Self::State];

    /// Its column in the record.
    pub(super) fn column(self) -> &'static str {
        match self {
            Self::ForwardBackward => "forward_backward_ms",
            Self::Forward => "forward_ms",
            Self::Memory => "peak_bytes",
            Self::State => "state_floats",
        }
    }

    /// Its name in words.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::ForwardBackward => "forward+backward",
            Self::Forward => "forward",
            Self::Memory => "peak memory",
            Self::State => "state",
        }
    }

    /// Median with quartiles as the band; memory and state are counted, so they have none. `None` if the cell has no
    /// such number.
    pub(super) fn point(self, x: usize, cell: &Cell) -> Option<Point> {
        let x = x as f64;
        let timed = |y, low, high| Point { x, y, low, high };
        match self {
            Self::ForwardBackward => Some(timed(
                cell.forward_backward_ms,
                cell.forward_backward_ms_q1,
                cell.forward_backward_ms_q3,
            )),
            Self::Forward => Some(timed(cell.forward_ms, cell.forward_ms_q1, cell.forward_ms_q3)),
            Self::Memory => cell.peak_bytes.map(|bytes| Point::new(x, bytes as f64)),
            Self::State => cell.state_floats.map(|floats| Point::new(x, floats as f64)),
        }
    }
}

/// One curve.
#[derive(Debug)]
pub(super) struct Curve {
    pub(super) mixer: String,
    pub(super) points: Vec<Point>,
}

/// The curves of a config, one per layer, in its order; layers without any such number are left out.
pub(super) fn curves(measured: &MeasuredConfig<'_>, along: Along, quantity: Quantity) -> Vec<Curve> {
    let names = match along {
        Along::Length => &measured.config.options.mixers,
        Along::Width => &measured.config.options.channel_mixers,
    };
    let curve = |mixer: &String| {
        let own = measured.cells.iter().filter(|cell| cell.mixer == *mixer);
        let mut points: Vec<Point> = own.filter_map(|cell| quantity.point(along.of(cell), cell)).collect();
        points.sort_by(|a, b| a.x.total_cmp(&b.x));
        Curve { mixer: mixer.clone(), points }
    };
    names.iter().map(curve).filter(|curve| !curve.points.is_empty()).collect()
}

/// The points as (x, y), which are what is fitted and compared.
pub(super) fn bare(points: &[Point]) -> Vec<(f64, f64)> {
    points.iter().map(|point| (point.x, point.y)).collect()
}
