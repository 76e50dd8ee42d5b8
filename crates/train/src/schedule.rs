//! The learning rate of every step.

use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};

/// Linear warm-up, then half a cosine down to a share of the peak, per optimiser step.
///
/// ```text
/// step t < w:   peak (t + 1) / w
/// t >= w:       peak (final + (1 - final) (1 + cos(pi (t - w) / (steps - w))) / 2)
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct WarmupCosine {
    peak: f64,
    warmup_steps: usize,
    steps: usize,
    /// The final rate divided by the peak.
    end: f64,
    /// The step whose rate comes next.
    next: usize,
}

impl WarmupCosine {
    /// A schedule over `steps` steps, of which the fraction `warmup` (0 to 1) warms up.
    pub fn new(peak: f64, warmup: f64, steps: usize) -> Self {
        let warmup_steps = (warmup * steps as f64).round() as usize;
        Self { peak, warmup_steps: warmup_steps.min(steps), steps, end: 0.0, next: 0 }
    }

    /// The same schedule, falling to this share of the peak instead of to zero.
    pub fn with_final(self, share: f64) -> Self {
        Self { end: share, ..self }
    }

    /// The same schedule after `done` steps.
    pub fn after(self, done: usize) -> Self {
        Self { next: done, ..self }
    }

    /// The rate of step `t`, counted from 0; from the last step on, the final rate.
    pub fn rate(&self, t: usize) -> f64 {
        if t < self.warmup_steps {
            return self.peak * (t + 1) as f64 / self.warmup_steps as f64;
        }
        let span = (self.steps - self.warmup_steps).max(1) as f64;
        let progress = ((t - self.warmup_steps) as f64 / span).min(1.0);
        let cosine = 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
        self.peak * (self.end + (1.0 - self.end) * cosine)
    }
}

const NEXT: &str = "next";

impl LrScheduler for WarmupCosine {
    fn step(&mut self) -> f64 {
        let rate = self.rate(self.next);
        self.next += 1;
        rate
    }

    fn to_record(&self) -> LrSchedulerRecord {
        LrSchedulerRecord::new().with_scalar(NEXT, self.next as u64)
    }

    fn load_record(&mut self, record: LrSchedulerRecord) {
        self.next = record.scalar::<u64>(NEXT).map_or(0, |next| next as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_to_the_peak_and_falls_to_zero() {
        let mut schedule = WarmupCosine::new(4e-3, 0.1, 100);
        let rates: Vec<f64> = (0..=100).map(|_| schedule.step()).collect();
        assert!((rates[0] - 4e-4).abs() < 1e-12, "the first step already learns");
        assert!(rates[..10].is_sorted() && rates[10..].iter().rev().is_sorted());
        assert!(
            (rates[9] - 4e-3).abs() < 1e-12 && (rates[55] - 2e-3).abs() < 1e-12 && rates[100].abs() < 1e-12
        );
    }

    #[test]
    fn no_warm_up_and_nothing_but_warm_up_are_both_possible() {
        assert_eq!(WarmupCosine::new(1.0, 0.0, 4).rate(0), 1.0);
        assert_eq!(WarmupCosine::new(1.0, 1.0, 4).rate(3), 1.0);
        assert_eq!(WarmupCosine::new(1.0, 1.0, 0).rate(0), 1.0);
    }

    #[test]
    fn a_schedule_goes_on_where_its_record_was_made() {
        let mut first = WarmupCosine::new(1.0, 0.5, 10);
        for _ in 0..3 {
            first.step();
        }
        let mut second = WarmupCosine::new(1.0, 0.5, 10);
        second.load_record(first.to_record());
        assert_eq!(first, second);
        assert_eq!(first, WarmupCosine::new(1.0, 0.5, 10).after(3));
    }

    #[test]
    fn it_may_end_at_a_share_of_the_peak() {
        let schedule = WarmupCosine::new(2.0, 0.1, 100).with_final(0.1);
        assert_eq!((schedule.rate(10), schedule.rate(100), schedule.rate(1000)), (2.0, 0.2, 0.2));
        assert!((schedule.rate(55) - 1.1).abs() < 1e-12, "half way between both");
    }
}
