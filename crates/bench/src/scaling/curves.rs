//! Measured cells as curves: one quantity of one layer along lengths or widths.

use subquad_plot::Point;
use subquad_record::Cell;

use super::MeasuredConfig;
use crate::Along;

/// What is measured of a cell.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quantity {
    /// Its column in the record.
    pub(super) column: &'static str,
    /// Its name in words.
    pub(super) title: &'static str,
    /// How much of it is 1 in a figure.
    pub(super) unit: f64,
    /// Its value between the ends of its spread: median and quartiles of times; memory and state are counted, so they have none. `None`
    /// where the cell has no such number.
    range: fn(&Cell) -> Option<[f64; 3]>,
}

pub(super) const FORWARD_BACKWARD: Quantity = Quantity {
    column: "forward_backward_ms",
    title: "forward+backward",
    unit: 1.0,
    range: |c| Some([c.forward_backward_ms_q1, c.forward_backward_ms, c.forward_backward_ms_q3]),
};

const FORWARD: Quantity = Quantity {
    column: "forward_ms",
    title: "forward",
    unit: 1.0,
    range: |cell| Some([cell.forward_ms_q1, cell.forward_ms, cell.forward_ms_q3]),
};

pub(super) const MEMORY: Quantity = Quantity {
    column: "peak_bytes",
    title: "peak memory",
    unit: (1 << 20) as f64,
    range: |cell| cell.peak_bytes.map(|bytes| [bytes as f64; 3]),
};

pub(super) const STATE: Quantity = Quantity {
    column: "state_floats",
    title: "state",
    unit: 1.0,
    range: |cell| cell.state_floats.map(|floats| [floats as f64; 3]),
};

impl Quantity {
    pub(super) const ALL: [Self; 4] = [FORWARD_BACKWARD, FORWARD, MEMORY, STATE];

    fn point(self, along: Along, cell: &Cell) -> Option<Point> {
        let [low, y, high] = (self.range)(cell)?;
        Some(Point { x: along.of(cell) as f64, y, low, high })
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
    let curve = |mixer: &String| {
        let own = measured.cells.iter().filter(|cell| cell.mixer == *mixer);
        let mut points: Vec<Point> = own.filter_map(|cell| quantity.point(along, cell)).collect();
        points.sort_by(|a, b| a.x.total_cmp(&b.x));
        Curve { mixer: mixer.clone(), points }
    };
    let layers = measured.config.options.layers(along);
    layers.iter().map(curve).filter(|curve| !curve.points.is_empty()).collect()
}
