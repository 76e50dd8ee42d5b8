//! Axes as maps from values to positions: range, ticks and the labels of ticks.

use crate::Axis;

/// Spacing of the values of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences at equal distances.
    Linear,
    /// Doublings at equal distances, for lengths.
    Log2,
    /// Powers of ten at equal distances, for costs.
    Log10,
}

/// The smallest number above 0.
const LEAST: f64 = f64::from_bits(1);

/// Values from here on are counted in units of their own, because differences between them may overflow.
const HUGE: f64 = 1e290;

/// So are differences below this one, because shares of them may vanish.
const TINY: f64 = 1e-290;

/// Share of an axis that is left empty at both ends, so that markers do not touch the frame.
const MARGIN: f64 = 0.04;

impl Scale {
    /// Whether the value has a place on this scale.
    pub(crate) fn accepts(self, value: f64) -> bool {
        match self {
            Self::Linear => value.is_finite(),
            Self::Log2 | Self::Log10 => value.is_finite() && value > 0.0,
        }
    }

    fn forward(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Log2 => value.log2(),
            Self::Log10 => value.log10(),
        }
    }

    /// The nearest value that the scale accepts: a margin may reach beyond the range of floats.
    fn inverse(self, place: f64) -> f64 {
        match self {
            Self::Linear => place.clamp(f64::MIN, f64::MAX),
            Self::Log2 => place.exp2().clamp(LEAST, f64::MAX),
            Self::Log10 => 10f64.powf(place).clamp(LEAST, f64::MAX),
        }
    }

    /// Half the width of an axis that shows only one value: a tenth of it, or a factor of two.
    fn half_width(self, place: f64) -> f64 {
        match self {
            Self::Linear => (place.abs() * 0.1).max(0.5),
            Self::Log2 => 1.0,
            Self::Log10 => 2f64.log10(),
        }
    }
}

/// The stretch of an axis that is drawn, in the scale's own units (logarithms on log scales).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    scale: Scale,
    /// The factor on positions, so that no difference overflows or vanishes: 1 except for huge and tiny values.
    unit: f64,
    low: f64,
    high: f64,
}

/// The factor that brings numbers up to `largest`, which lie `span` apart, into the middle of the range of floats.
fn unit(largest: f64, span: f64) -> f64 {
    match span {
        _ if largest > HUGE => 1e-300,
        span if span > 0.0 && span < TINY => 1e300,
        _ => 1.0,
    }
}

impl Range {
    /// The range of all values that the scale accepts; `None` if there are none.
    pub(crate) fn cover(axis: &Axis, values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let scale = axis.scale;
        let mut places =
            values.into_iter().filter(|&v| scale.accepts(v)).map(|v| scale.forward(v)).peekable();
        places.peek()?;
        let wanted = axis.at_least.into_iter().flat_map(|(low, high)| [low, high]);
        let wanted = wanted.filter(|&v| scale.accepts(v)).map(|v| scale.forward(v));
        let (low, high) = places
            .chain(wanted)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        let largest = high.abs().max(low.abs());
        let level = high - low <= 1e-12 * largest;
        let unit = unit(largest, if level { 0.0 } else { high - low });
        let (low, high) = (low * unit, high * unit);
        let spread = if level { scale.half_width(high) } else { (high - low) * MARGIN };
        Some(Self { scale, unit, low: low - spread, high: high + spread })
    }

    fn place(&self, value: f64) -> f64 {
        self.scale.forward(value) * self.unit
    }

    fn value(&self, place: f64) -> f64 {
        self.scale.inverse(place / self.unit)
    }

    /// Where the value is, 0 at the low end and 1 at the high end; a value without a place is put at the nearer end.
    pub(crate) fn fraction(&self, value: f64) -> f64 {
        if !self.scale.accepts(value) {
            return 0.0;
        }
        ((self.place(value) - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// The axis' own ticks that lie in the range, or about `wanted` round values.
    pub(crate) fn ticks(&self, axis: &Axis, wanted: usize) -> Vec<f64> {
        match &axis.ticks {
            Some(ticks) => ticks.iter().copied().filter(|&v| self.holds(v)).collect(),
            None => self.round_values(wanted),
        }
    }

    fn holds(&self, value: f64) -> bool {
        self.scale.accepts(value) && (self.low..=self.high).contains(&self.place(value))
    }

    fn round_values(&self, wanted: usize) -> Vec<f64> {
        let values = match self.scale {
            Scale::Linear => Vec::new(),
            Scale::Log2 => self.powers(wanted, &[1.0]),
            Scale::Log10 if self.high - self.low < 2.2 || self.holds_few_powers() => {
                self.powers(wanted, &[1.0, 2.0, 5.0])
            }
            Scale::Log10 => self.powers(wanted, &[1.0]),
        };
        // A log axis may lie between two powers; then evenly spaced round values serve.
        if values.len() >= 3 {
            return values;
        }
        even_values(self.value(self.low), self.value(self.high), wanted)
    }

    fn holds_few_powers(&self) -> bool {
        self.high.floor() - self.low.ceil() < 2.0
    }

    /// Multiples of whole powers, or every k-th if all would be too many.
    fn powers(&self, wanted: usize, multiples: &[f64]) -> Vec<f64> {
        let (first, last) = (self.low.floor() as i32, self.high.floor() as i32);
        let stride = ((last - first) as usize / (wanted + 1)).max(1) as i32;
        (first..=last)
            .filter(|power| power.rem_euclid(stride) == 0)
            .flat_map(|power| multiples.iter().map(move |m| tidy(m * self.scale.inverse(f64::from(power)))))
            .filter(|&value| self.holds(value))
            .collect()
    }
}

/// About `wanted` multiples of 1, 2 or 5 times a power of ten; at most a quarter more.
fn even_values(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let unit = unit(low.abs().max(high.abs()), high - low);
    let (low, high) = (low * unit, high * unit);
    let rough = (high - low) / wanted.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|&s| s >= rough * 0.8);
    let step = step.unwrap_or(10.0 * power);
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    let mut values: Vec<f64> = (first..=last).map(|i| tidy(i as f64 * step / unit)).collect();
    // The last multiple of huge values may overflow; the smallest numbers are multiples of one of them, so some round alike.
    values.retain(|value| value.is_finite());
    values.dedup();
    values
}

/// The number without rounding errors in its last digits.
fn tidy(value: f64) -> f64 {
    format!("{value:.10e}").parse().unwrap_or(value)
}

/// The labels of ticks: one unit and one number of decimals along a linear axis; on a log axis each has its own.
pub(crate) fn tick_labels(scale: Scale, ticks: &[f64]) -> Vec<String> {
    match scale {
        Scale::Linear => even_labels(ticks),
        Scale::Log2 | Scale::Log10 => ticks.iter().copied().map(lone_label).collect(),
    }
}

fn even_labels(ticks: &[f64]) -> Vec<String> {
    let largest = ticks.iter().fold(0.0, |largest: f64, v| largest.max(v.abs()));
    if largest < 1e-3 {
        return ticks.iter().copied().map(lone_label).collect();
    }
    let (unit, suffix) = match largest {
        _ if largest >= 1e12 => return ticks.iter().copied().map(lone_label).collect(),
        _ if largest >= 1e6 => (1e6, "M"),
        _ if largest >= 1e4 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let decimals = (0..6).find(|&d| ticks.iter().all(|v| fits(v / unit, d))).unwrap_or(6);
    let label = |v: &f64| match *v {
        0.0 if suffix.is_empty() => format!("{:.decimals$}", 0.0),
        0.0 => "0".to_owned(),
        v => format!("{:.decimals$}{suffix}", v / unit),
    };
    ticks.iter().map(label).collect()
}

fn fits(value: f64, decimals: usize) -> bool {
    let shifted = value * 10f64.powi(decimals as i32);
    (shifted - shifted.round()).abs() < 1e-6
}

/// 64, 16384, 10k, 2.5M, 0.05, 1e-5.
fn lone_label(value: f64) -> String {
    if value.abs() >= 1e12 {
        format!("{value:e}")
    } else if value >= 1e6 && value % 1e5 == 0.0 {
        format!("{}M", value / 1e6)
    } else if value >= 1e4 && value % 100.0 == 0.0 {
        format!("{}k", value / 1e3)
    } else if (value != 0.0 && value.abs() < 1e-3) || value.abs() >= 1e9 {
        format!("{value:e}")
    } else {
        format!("{value}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, values: [f64; 2]) -> Vec<String> {
        let range = Range::cover(axis, values).unwrap();
        tick_labels(axis.scale, &range.ticks(axis, 5))
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(labels(&Axis::linear(""), [0.0, 1.0]), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&Axis::linear(""), [0.0, 20_000.0]), ["0", "5k", "10k", "15k", "20k"]);
        assert_eq!(labels(&Axis::log2(""), [64.0, 1024.0]), ["64", "128", "256", "512", "1024"]);
        assert_eq!(labels(&Axis::log10(""), [1.0, 1e5]), ["1", "10", "100", "1000", "10k", "100k"]);
        assert_eq!(labels(&Axis::log10(""), [3.0, 60.0]), ["5", "10", "20", "50"]);
        assert_eq!(labels(&Axis::log10(""), [0.25, 70.0]), ["0.2", "0.5", "1", "2", "5", "10", "20", "50"]);
        assert_eq!(labels(&Axis::log10(""), [30.0, 36.0]), ["30", "32", "34", "36"]);
    }

    #[test]
    fn given_ticks_are_kept_where_the_range_holds_them() {
        let axis = Axis::log2("").with_ticks(vec![64.0, 144.0, 256.0, 1e9]);
        assert_eq!(labels(&axis, [64.0, 256.0]), ["64", "144", "256"]);
    }

    #[test]
    fn ranges_that_overflow_or_vanish_have_places_and_ticks() {
        let (linear, log) = (Axis::linear(""), Axis::log10(""));
        assert_eq!(labels(&linear, [-1e308, 1e308]), ["-1e308", "-5e307", "0", "5e307", "1e308"]);
        assert_eq!(labels(&linear, [0.0, 3e-310]), ["0", "1e-310", "2e-310", "3e-310"]);
        assert_eq!(labels(&log, [1e-300, 1e300]).len(), 6);
        for (axis, values) in [
            (&linear, [f64::MIN, f64::MAX]),
            (&linear, [0.0, LEAST]),
            (&linear, [f64::MAX, f64::MAX]),
            (&linear, [LEAST, LEAST]),
            (&linear, [1e290, 1.0000001e290]),
            (&log, [LEAST, f64::MAX]),
            (&log, [LEAST, LEAST]),
            (&log, [f64::MAX, f64::MAX]),
            (&log, [1.0, 1.0 + 1e-15]),
            (&Axis::log2(""), [LEAST, 2.0 * LEAST]),
        ] {
            let range = Range::cover(axis, values).unwrap();
            let [low, high] = values.map(|value| range.fraction(value));
            assert!(low > 0.0 && high < 1.0 && low <= high, "{values:?}: {low} {high}");
            let ticks = range.ticks(axis, 5);
            assert!(ticks.len() <= 12 && ticks.iter().all(|tick| tick.is_finite()), "{values:?}: {ticks:?}");
            assert!(tick_labels(axis.scale, &ticks).iter().all(|label| label.len() <= 16), "{values:?}");
        }
    }

    #[test]
    fn any_range_gets_a_handful_of_ticks() {
        for axis in [Axis::linear(""), Axis::log2(""), Axis::log10("")] {
            for values in [[1.0, 1.0], [1e-9, 1e9], [5.0, 5.0001], [1e-7, 2e-7], [1.0, 3.0]] {
                let ticks = labels(&axis, values);
                assert!((2..=12).contains(&ticks.len()), "{:?} {values:?}: {ticks:?}", axis.scale);
            }
        }
    }
}
