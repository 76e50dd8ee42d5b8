//! Exponents and crossovers, and what `summary.json` says of each.

use serde_json::{Value, json};
use subquad_plot::fit::{
    Comparison, Crossover, End, Meaning, PowerLaw, Which, crossovers, local_slopes, power_law,
};

use super::MeasuredConfig;
use super::curves::{Curve, Quantity, curves};
use crate::Along;

/// How one quantity of one layer grows.
#[derive(Debug)]
pub(super) struct Exponent {
    pub(super) config: String,
    pub(super) along: &'static str,
    pub(super) mixer: String,
    pub(super) quantity: &'static str,
    /// `None` where there are too few points.
    pub(super) fit: Option<PowerLaw>,
    /// The slopes between neighbours: where (their geometric mean) and how steep.
    local_slopes: Vec<(f64, f64)>,
}

/// Every quantity of every layer.
pub(super) fn exponents(measured: &[MeasuredConfig<'_>]) -> Vec<Exponent> {
    let mut exponents = vec![];
    for (config, along, quantity, curves) in all_curves(measured) {
        exponents.extend(curves.into_iter().map(|curve| {
            let points: Vec<(f64, f64)> = curve.points.iter().map(|point| (point.x, point.y)).collect();
            let (fit, local_slopes) = (power_law(&points), local_slopes(&points));
            let (config, along, quantity) = (config.clone(), along.as_str(), quantity.column);
            Exponent { config, along, mixer: curve.mixer, quantity, fit, local_slopes }
        }));
    }
    exponents
}

/// The curves of each quantity along lengths and along widths, with the name of their config.
fn all_curves(measured: &[MeasuredConfig<'_>]) -> Vec<(String, Along, Quantity, Vec<Curve>)> {
    let mut all = vec![];
    for measured in measured {
        for along in Along::ALL {
            let of = |quantity| (measured.config.name(), along, quantity, curves(measured, along, quantity));
            all.extend(Quantity::ALL.map(of));
        }
    }
    all
}

impl Exponent {
    pub(super) fn json(&self) -> Value {
        let Self { config, along, mixer, quantity, fit, local_slopes } = self;
        json!({
            "config": config,
            "along": along,
            "mixer": mixer,
            "quantity": quantity,
            "exponent": fit.map(|fit| fit.exponent),
            // Half the 95 % interval.
            "half_width": fit.map(|fit| fit.half_width),
            "coefficient": fit.map(|fit| fit.coefficient),
            "fitted_from": fit.map(|fit| fit.range.0),
            "fitted_to": fit.map(|fit| fit.range.1),
            "points": fit.map(|fit| fit.points),
            "residual": fit.map(|fit| fit.residual),
            "local_slopes": local_slopes,
        })
    }
}

/// Where one layer's quantity passes another's.
#[derive(Debug)]
pub(super) struct Crossing {
    pub(super) config: String,
    pub(super) quantity: &'static str,
    /// The whole comparison in a sentence.
    pub(super) words: String,
    along: Along,
    names: [String; 2],
    comparison: Comparison,
}

/// Every pair of layers, in time, memory and state.
pub(super) fn crossings(measured: &[MeasuredConfig<'_>]) -> Vec<Crossing> {
    let mut crossings = vec![];
    for (config, along, quantity, curves) in all_curves(measured) {
        for (i, first) in curves.iter().enumerate() {
            crossings.extend(curves[i + 1..].iter().filter_map(|second| {
                let comparison = crossovers(&first.points, &second.points)?;
                let words = comparison.words([&first.mixer, &second.mixer], along.unit(), Meaning::Cost);
                let names = [first.mixer.clone(), second.mixer.clone()];
                let (config, quantity) = (config.clone(), quantity.column);
                Some(Crossing { config, quantity, words, along, names, comparison })
            }));
        }
    }
    crossings
}

impl Crossing {
    pub(super) fn json(&self) -> Value {
        let [first, second] = &self.names;
        json!({
            "config": self.config,
            "along": self.along.as_str(),
            "quantity": self.quantity,
            "first": first,
            "second": second,
            "words": self.words,
            "places": self.comparison.crossovers.iter().map(|crossover| self.place(crossover)).collect::<Vec<_>>(),
        })
    }

    /// An end of its interval is open where the spreads still overlap at the end of what was measured.
    fn place(&self, crossover: &Crossover) -> Value {
        let end = |end: End| match end {
            End::At(x) => (x, false),
            End::Open(x) => (x, true),
        };
        let ((low, low_open), (high, high_open)) = (end(crossover.low), end(crossover.high));
        let cheaper = match crossover.cheaper_after {
            Which::First => &self.names[0],
            Which::Second => &self.names[1],
        };
        json!({
            "at": crossover.x,
            "low": low,
            "low_open": low_open,
            "high": high,
            "high_open": high_open,
            "cheaper_after": cheaper,
        })
    }
}
