//! Exponents and crossovers as rows of `summary.json`.

use serde::Serialize;
use subquad_plot::fit::{Comparison, End, PowerLaw, Which, crossovers, local_slopes, power_law};

use super::MeasuredConfig;
use super::curves::{Curve, Quantity, bare, curves};
use crate::scaling::Along;

const ALONGS: [Along; 2] = [Along::Length, Along::Width];

/// How one quantity of one layer grows. There is no fit if there are too few points.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Exponent {
    pub(super) config: String,
    pub(super) along: &'static str,
    pub(super) mixer: String,
    pub(super) quantity: &'static str,
    exponent: Option<f64>,
    /// Half the 95 % interval.
    half_width: Option<f64>,
    coefficient: Option<f64>,
    fitted_from: Option<f64>,
    fitted_to: Option<f64>,
    points: Option<usize>,
    residual: Option<f64>,
    /// The slopes between neighbours: where (their geometric mean) and how steep.
    local_slopes: Vec<(f64, f64)>,
    #[serde(skip)]
    pub(super) fit: Option<PowerLaw>,
}

/// Every quantity of every layer.
pub(super) fn exponents(measured: &[MeasuredConfig<'_>]) -> Vec<Exponent> {
    let mut exponents = vec![];
    for (measured, along) in pairs(measured) {
        for quantity in Quantity::ALL {
            let curves = curves(measured, along, quantity);
            exponents.extend(curves.iter().map(|curve| exponent(measured.name(), along, quantity, curve)));
        }
    }
    exponents
}

fn pairs<'a, 'b>(
    measured: &'a [MeasuredConfig<'b>],
) -> impl Iterator<Item = (&'a MeasuredConfig<'b>, Along)> {
    measured.iter().flat_map(|measured| ALONGS.map(|along| (measured, along)))
}

fn exponent(config: String, along: Along, quantity: Quantity, curve: &Curve) -> Exponent {
    let points = bare(&curve.points);
    let fit = power_law(&points);
    Exponent {
        config,
        along: along.as_str(),
        mixer: curve.mixer.clone(),
        quantity: quantity.column(),
        exponent: fit.map(|fit| fit.exponent),
        half_width: fit.map(|fit| fit.half_width),
        coefficient: fit.map(|fit| fit.coefficient),
        fitted_from: fit.map(|fit| fit.range.0),
        fitted_to: fit.map(|fit| fit.range.1),
        points: fit.map(|fit| fit.points),
        residual: fit.map(|fit| fit.residual),
        local_slopes: local_slopes(&points),
        fit,
    }
}

/// Where one layer's quantity passes another's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Crossing {
    pub(super) config: String,
    pub(super) along: &'static str,
    pub(super) quantity: &'static str,
    first: String,
    second: String,
    /// The whole comparison in a sentence.
    pub(super) words: String,
    places: Vec<CrossoverRow>,
}

/// One crossover. An end of its interval is open if the spreads still overlap at the end of the measured range.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct CrossoverRow {
    at: f64,
    low: f64,
    low_open: bool,
    high: f64,
    high_open: bool,
    cheaper_after: String,
}

/// Every pair of layers, in time, memory and state.
pub(super) fn crossings(measured: &[MeasuredConfig<'_>]) -> Vec<Crossing> {
    let mut crossings = vec![];
    for (measured, along) in pairs(measured) {
        for quantity in Quantity::ALL {
            let curves = curves(measured, along, quantity);
            for (i, first) in curves.iter().enumerate() {
                let later = curves[i + 1..].iter();
                crossings.extend(
                    later.filter_map(|second| crossing(measured.name(), along, quantity, [first, second])),
                );
            }
        }
    }
    crossings
}

fn crossing(
    config: String,
    along: Along,
    quantity: Quantity,
    [first, second]: [&Curve; 2],
) -> Option<Crossing> {
    let comparison = crossovers(&first.points, &second.points)?;
    Some(Crossing {
        config,
        along: along.as_str(),
        quantity: quantity.column(),
        words: comparison.words([&first.mixer, &second.mixer], along.unit()),
        places: crossover_rows(&comparison, [&first.mixer, &second.mixer]),
        first: first.mixer.clone(),
        second: second.mixer.clone(),
    })
}

fn crossover_rows(comparison: &Comparison, [first, second]: [&str; 2]) -> Vec<CrossoverRow> {
    let end = |end: End| match end {
        End::At(x) => (x, false),
        End::Open(x) => (x, true),
    };
    let row = |crossover: &subquad_plot::fit::Crossover| {
        let ((low, low_open), (high, high_open)) = (end(crossover.low), end(crossover.high));
        let cheaper_after = match crossover.cheaper_after {
            Which::First => first,
            Which::Second => second,
        };
        CrossoverRow { at: crossover.x, low, low_open, high, high_open, cheaper_after: cheaper_after.into() }
    };
    comparison.crossovers.iter().map(row).collect()
}
