//! From one value per seed to a mean and a range, by pure functions.

use std::collections::HashMap;

use crate::table::Panels;
use crate::{Interval, Panel, Point};

/// One measured value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Title of the panel it belongs to, for example `length 64`.
    pub panel: String,
    /// Label of the line it belongs to, for example `attention`.
    pub line: String,
    /// Which repetition it comes from.
    pub seed: u64,
    /// Position on the horizontal axis.
    pub x: f64,
    /// The value.
    pub y: f64,
}

/// Centre and extent of a few values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Arithmetic mean.
    pub mean: f64,
    /// Smallest value.
    pub low: f64,
    /// Largest value.
    pub high: f64,
}

/// Mean, minimum and maximum. All three are NaN if there are no values, or if any value is not finite: a run that
/// diverged must not vanish into the mean of those that did not.
pub fn mean_and_range(values: &[f64]) -> Spread {
    if values.is_empty() || values.iter().any(|v| !v.is_finite()) {
        return Spread { mean: f64::NAN, low: f64::NAN, high: f64::NAN };
    }
    let mean = mean(values.iter().copied(), values.len());
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Rounding may push the mean of equal values out of their range.
    Spread { mean: mean.clamp(low, high), low, high }
}

/// The mean of `count` values. If the sum overflows, shares of the values are added instead.
fn mean(values: impl Iterator<Item = f64> + Clone, count: usize) -> f64 {
    let sum: f64 = values.clone().sum();
    if sum.is_finite() { sum / count as f64 } else { values.map(|v| v / count as f64).sum() }
}

/// Mean, and the ends of its 95 % [interval](Interval::of); minimum and maximum where there are too few values for one.
fn mean_and_band(values: &[f64]) -> Spread {
    let all = mean_and_range(values);
    Interval::of(values).map_or(all, |Interval { low, high, .. }| Spread { low, high, ..all })
}

/// One point for each panel, line and x: the mean over seeds, with its 95 % interval (Student's t) as the band, or minimum and maximum
/// of fewer than [`FEWEST`](crate::FEWEST) seeds. Panels and lines
/// keep the order of their first sample; points are ordered by x.
pub fn aggregate(samples: &[Sample]) -> Vec<Panel> {
    let mut panels = Panels::default();
    for (key, mut values) in series(samples, |s| (&s.panel, &s.line)) {
        values.sort_by(|a, b| a.x.total_cmp(&b.x));
        let points = values.chunk_by(|a, b| a.x == b.x).map(|group| {
            let ys: Vec<f64> = group.iter().map(|s| s.y).collect();
            let Spread { mean, low, high } = mean_and_band(&ys);
            Point { x: group[0].x, y: mean, low, high }
        });
        panels.line(key.0, key.1).points.extend(points);
    }
    panels.all
}

/// Every run (panel, line, seed) replaced by its centred moving average over `window` samples, in order of x. An even
/// window counts as the next odd one. Near the ends the window shrinks on both sides, so the average stays centred.
pub fn smooth(samples: &[Sample], window: usize) -> Vec<Sample> {
    let runs = series(samples, |s| (&s.panel, &s.line, s.seed));
    runs.into_iter().flat_map(|(_, run)| smooth_run(run, window)).collect()
}

fn smooth_run(mut run: Vec<&Sample>, window: usize) -> Vec<Sample> {
    run.sort_by(|a, b| a.x.total_cmp(&b.x));
    let averaged = |i: usize| {
        let reach = (window / 2).min(i).min(run.len() - 1 - i);
        let around = &run[i - reach..=i + reach];
        mean(around.iter().map(|s| s.y), around.len())
    };
    run.iter().enumerate().map(|(i, &s)| Sample { y: averaged(i), ..s.clone() }).collect()
}

/// Fewest and most seeds of a line; zeros if there are no samples.
pub fn seeds_per_line(samples: &[Sample]) -> (usize, usize) {
    let counts = series(samples, |s| (&s.panel, &s.line)).into_iter().map(|(_, line)| {
        let mut seeds: Vec<u64> = line.iter().map(|s| s.seed).collect();
        seeds.sort_unstable();
        seeds.dedup();
        seeds.len()
    });
    let counts: Vec<usize> = counts.collect();
    (counts.iter().copied().min().unwrap_or(0), counts.iter().copied().max().unwrap_or(0))
}

/// Samples that share a key, keys in order of first appearance.
fn series<'a, K: Eq + std::hash::Hash + Copy>(
    samples: &'a [Sample],
    key: impl Fn(&'a Sample) -> K,
) -> Vec<(K, Vec<&'a Sample>)> {
    let (mut places, mut all) = (HashMap::new(), Vec::new());
    for sample in samples {
        let key = key(sample);
        let place = *places.entry(key).or_insert_with(|| {
            all.push((key, Vec::new()));
            all.len() - 1
        });
        all[place].1.push(sample);
    }
    all
}
