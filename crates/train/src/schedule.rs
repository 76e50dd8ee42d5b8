//! The learning rate of every step.

use burn::lr_scheduler::{LrScheduler, LrSchedulerRecord};
use serde::{Deserialize, Serialize};
use subquad_options::Choice;

/// How the learning rate falls after its warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Choice)]
#[serde(rename_all = "snake_case")]
pub enum Decay {
    /// Half a cosine: Loshchilov and Hutter 2017, <https://arxiv.org/abs/1608.03983>, without restarts.
    Cosine,
    /// A straight line.
    Linear,
    /// Not at all.
    Constant,
    /// Warm-up, stable, decay: at its peak until a cool-down, and then a straight line. Hu et al. 2024,
    /// <https://arxiv.org/abs/2404.06395>, section 4; with a straight line as Hägele et al. 2024, <https://arxiv.org/abs/2405.18392>.
    Wsd,
}

/// Linear warm-up, then a fall from the peak to a share of it, per optimiser step.
///
/// ```text
/// step t < w:   peak (t + 1) / w
/// t >= w:       peak (final + (1 - final) f(p)),   p = (t - w) / (steps - w)
///
/// cosine    f(p) = (1 + cos(pi p)) / 2        linear   f(p) = 1 - p        constant   f(p) = 1
/// wsd       f(p) = 1 until c steps before the end, then a straight line to 0
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    peak: f64,
    warmup_steps: usize,
    steps: usize,
    decay: Decay,
    /// Only of [`Decay::Wsd`].
    cooldown_steps: usize,
    /// The final rate divided by the peak.
    end: f64,
    /// The step whose rate comes next.
    next: usize,
}

impl Schedule {
    /// A cosine over `steps` steps, of which the fraction `warmup` (0 to 1) warms up.
    pub fn new(peak: f64, warmup: f64, steps: usize) -> Self {
        let warmup_steps = share(warmup, steps);
        Self { peak, warmup_steps, steps, decay: Decay::Cosine, cooldown_steps: 0, end: 0.0, next: 0 }
    }

    /// The same schedule with another fall. The fraction `cooldown` of all steps is that of [`Decay::Wsd`], which has at most those
    /// after the warm-up.
    pub fn with_decay(self, decay: Decay, cooldown: f64) -> Self {
        let cooldown_steps = share(cooldown, self.steps).min(self.steps - self.warmup_steps);
        Self { decay, cooldown_steps, ..self }
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
        self.peak * (self.end + (1.0 - self.end) * self.height(t))
    }

    /// 1 at the peak, 0 at the final rate.
    fn height(&self, t: usize) -> f64 {
        let after_warmup = || progress(t, self.warmup_steps, self.steps);
        match self.decay {
            Decay::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * after_warmup()).cos()),
            Decay::Linear => 1.0 - after_warmup(),
            Decay::Constant => 1.0,
            Decay::Wsd => 1.0 - progress(t, self.steps - self.cooldown_steps, self.steps),
        }
    }
}

/// Which share of the steps from `first` to `last` are done at step `t`.
fn progress(t: usize, first: usize, last: usize) -> f64 {
    let span = (last - first).max(1) as f64;
    (t.saturating_sub(first) as f64 / span).min(1.0)
}

fn share(share: f64, steps: usize) -> usize {
    let part = (share * steps as f64).round() as usize;
    part.min(steps)
}

const NEXT: &str = "next";

impl LrScheduler for Schedule {
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
