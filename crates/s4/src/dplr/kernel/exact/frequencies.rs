//! Which frequencies are computed in f64.

use std::f64::consts::PI;

use super::super::super::System;
use crate::lines::{complex, numbers};
use crate::number::Complex;

/// Of every channel, ascending.
#[derive(Debug)]
pub(in super::super) struct Frequencies {
    l_max: usize,
    by_channel: Vec<Vec<usize>>,
}

/// Kernels with this many taps or fewer are computed in f64 at all frequencies: almost everything in their gradients
/// with respect to the steps cancels, because `C~ (I - a_bar)^-1 b_bar` does not depend on the step at all.
const SHORT: usize = 64;
/// Largest term of `c h(q, p)` that f32 can handle: the gradient of `a` loses its square.
const LARGEST_TERM: f64 = 16.0;
/// Smallest distance between a frequency and a mode's that f32 can handle, relative to the mode's own.
const NEAREST: f64 = 1e-3;
/// The same for a mode that does not oscillate: far above the smallest decay that f32 can hold.
const NEAREST_TO_ZERO: f64 = 1e-4;

impl Frequencies {
    pub(super) fn of(system: &System, l_max: usize) -> Self {
        let [d_model, pairs] = system.a.re.dims();
        if l_max <= SHORT {
            return Self { l_max, by_channel: vec![(0..=l_max / 2).collect(); d_model] };
        }
        let (dt, a) = (numbers(system.dt.clone()), complex(system.a.clone()));
        let p = complex(system.p.clone());
        let steps = dt.len() / d_model;
        let mode = |h: usize, n: usize| {
            let row = |p: &[Complex]| p[h * pairs + n].re.powi(2) + p[h * pairs + n].im.powi(2);
            let coupling = p.chunks_exact(d_model * pairs).map(row).sum();
            Mode { dt: dt[h * steps + n % steps], a: a[h * pairs + n], coupling }
        };
        let channel = |h: usize| merged((0..pairs).map(|n| mode(h, n).close_to(l_max)));
        Self { l_max, by_channel: (0..d_model).map(channel).collect() }
    }

    pub(super) fn l_max(&self) -> usize {
        self.l_max
    }

    /// Whether they are all frequencies, in every channel.
    pub(in super::super) fn all(&self) -> bool {
        self.l_max <= SHORT
    }

    pub(in super::super) fn channel(&self, h: usize) -> &[usize] {
        &self.by_channel[h]
    }

    /// The number in the channel that has the most.
    pub(in super::super) fn most(&self) -> usize {
        self.by_channel.iter().map(Vec::len).max().unwrap_or(0)
    }
}

/// One mode of a channel.
struct Mode {
    dt: f64,
    a: Complex,
    /// `|P|^2` over all rows of the low-rank part.
    coupling: f64,
}

impl Mode {
    /// The range of `j` in which `|2 i tan(pi j / l_max) - dt a|` is too small for f32.
    fn close_to(&self, l_max: usize) -> std::ops::Range<usize> {
        let Complex { re, im } = self.a;
        let radius = self.dt * (self.coupling / LARGEST_TERM + NEAREST * im.abs()) + NEAREST_TO_ZERO;
        let square = radius * radius - (self.dt * re).powi(2);
        if square.is_nan() || square <= 0.0 {
            return 0..0;
        }
        let (center, half) = (self.dt * im.abs(), square.sqrt());
        let position = |tan: f64| (0.5 * tan).atan() / PI * l_max as f64;
        let first = position(center - half).max(0.0).ceil();
        first as usize..(position(center + half) as usize).min(l_max / 2) + 1
    }
}

fn merged(ranges: impl Iterator<Item = std::ops::Range<usize>>) -> Vec<usize> {
    let mut all: Vec<usize> = ranges.flatten().collect();
    all.sort_unstable();
    all.dedup();
    all
}
