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
