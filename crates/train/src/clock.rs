//! The time of a training, carried over from process to process.

use std::time::Instant;

/// Seconds of every step that counts, whichever process made it, and of the whole.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    /// Seconds before `started`.
    before: f64,
    steps: Vec<f64>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), before: 0.0, steps: Vec::new() }
    }

    /// Continues from the bytes of [`to_bytes`](Self::to_bytes); `None` if they are not of `steps` steps.
    pub(crate) fn from_bytes(bytes: &[u8], steps: usize) -> Option<Self> {
        let (numbers, []) = bytes.as_chunks::<8>() else { return None };
        let mut numbers = numbers.iter().map(|bytes| f64::from_le_bytes(*bytes));
        let clock = Self { started: Instant::now(), before: numbers.next()?, steps: numbers.collect() };
        (clock.steps.len() == steps).then_some(clock)
    }

    /// Seconds of the whole, then of every step.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let numbers = std::iter::once(self.elapsed()).chain(self.steps.iter().copied());
        numbers.flat_map(f64::to_le_bytes).collect()
    }

    pub(crate) fn elapsed(&self) -> f64 {
        self.before + self.started.elapsed().as_secs_f64()
    }

    pub(crate) fn step_took(&mut self, seconds: f64) {
        self.steps.push(seconds);
    }

    /// Seconds of the median step among those that count, by their number from 0; NaN if none does.
    pub(crate) fn median(&self, counts: impl Fn(usize) -> bool) -> f64 {
        let counted = self.steps.iter().enumerate().filter(|(step, _)| counts(*step));
        let counted: Vec<f64> = counted.map(|(_, seconds)| *seconds).collect();
        if counted.is_empty() { f64::NAN } else { median(&counted) }
    }

    /// Seconds of the median step among the last `count`.
    pub(crate) fn recent_median(&self, count: usize) -> f64 {
        median(&self.steps[self.steps.len().saturating_sub(count)..])
    }
}

/// The middle value, or the upper of two; 0 if there are none.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(steps: &[f64]) -> Clock {
        let mut clock = Clock::new();
        steps.iter().for_each(|seconds| clock.step_took(*seconds));
        clock
    }

    #[test]
    fn a_clock_goes_on_with_the_steps_and_the_time_before() {
        let mut first = clock(&[3.0, 1.0]);
        first.before = 100.0;
        let mut second = Clock::from_bytes(&first.to_bytes(), 2).expect("these are two steps");
        second.step_took(2.0);
        assert_eq!((second.median(|_| true), second.recent_median(1)), (2.0, 2.0));
        assert_eq!(second.median(|step| step == 1), 1.0);
        assert!(second.elapsed() >= 100.0);
    }

    #[test]
    fn bytes_of_another_step_are_refused() {
        let bytes = clock(&[1.0, 1.0]).to_bytes();
        for steps in [0, 1, 3] {
            assert!(Clock::from_bytes(&bytes, steps).is_none(), "{steps}");
        }
        assert!(Clock::from_bytes(&bytes[1..], 2).is_none());
        assert!(Clock::from_bytes(&[], 0).is_none());
    }
}
