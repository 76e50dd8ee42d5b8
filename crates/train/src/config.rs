//! How to train.

use std::ops::Bound::Excluded;

use burn::config::Config;
use subquad_data::{Lengths, Stage};
use subquad_options::range::{self, Ends, LONGEST_SEQ};
use subquad_options::{Options, Refusal};

use crate::{Decay, Schedule};

/// The optimiser: section `[optim]` of a config.
#[derive(Config, Options, Debug, PartialEq)]
pub struct OptimConfig {
    /// Peak learning rate.
    #[config(default = 0.001)]
    #[option(range = range::NOT_NEGATIVE)]
    pub lr: f64,
    /// AdamW's decoupled weight decay.
    #[config(default = 0.01)]
    #[option(range = range::NOT_NEGATIVE)]
    pub weight_decay: f64,
    /// Share of the steps over which the learning rate climbs to its peak.
    #[config(default = 0.1)]
    #[option(range = 0.0..=1.0)]
    pub warmup: f64,
    /// How the learning rate falls from its peak to the final one: as half a cosine, in a straight line, not at all, or ("wsd": warm-up,
    /// stable, decay) in a straight line over only the last steps.
    #[config(default = "Decay::Cosine")]
    pub schedule: Decay,
    /// Share of all steps in which the rate falls with schedule = "wsd".
    #[config(default = 0.2)]
    #[option(range = range::SHARE)]
    pub cooldown: f64,
    /// Final learning rate, as a share of the peak.
    #[config(default = 0.0)]
    #[option(range = 0.0..=1.0)]
    pub final_lr: f64,
    /// Largest joint norm of all gradients; 0 clips nothing.
    #[config(default = "Some(1.0)")]
    #[option(range = range::POSITIVE, none = 0.0)]
    pub clip: Option<f64>,
}

impl OptimConfig {
    /// Everything that does not go together, or does nothing.
    pub fn refusals(&self) -> Vec<Refusal> {
        self.refused_by(|| {
            [self.idle_cooldown(), self.idle_final(), self.long_ends()].into_iter().flatten().collect()
        })
    }

    fn idle_cooldown(&self) -> Option<Refusal> {
        let (cooldown, default) = (self.cooldown, Self::default().cooldown);
        let idle = self.schedule != Decay::Wsd && cooldown != default;
        Refusal::when(idle, &["cooldown", "schedule"], || {
            format!(
                "cooldown = {cooldown:?} does nothing without schedule = \"wsd\"; leave it at {default:?}"
            )
        })
    }

    fn idle_final(&self) -> Option<Refusal> {
        let idle = self.schedule == Decay::Constant && self.final_lr != 0.0;
        Refusal::when(idle, &["final_lr", "schedule"], || {
            format!(
                "final_lr = {:?} does nothing with schedule = \"constant\"; leave it at 0.0",
                self.final_lr
            )
        })
    }

    fn long_ends(&self) -> Option<Refusal> {
        let Self { warmup, cooldown, .. } = *self;
        Refusal::when(self.schedule == Decay::Wsd && warmup + cooldown > 1.0, &["cooldown", "warmup"], || {
            format!(
                "warmup = {warmup:?} and cooldown = {cooldown:?} are more than all steps together; lower one of them"
            )
        })
    }
}

/// Allowed decays of an average: one of 1 would never follow.
const DECAY: Ends = (Excluded(0.0), Excluded(1.0));

/// The training loop: section `[train]` of a config.
#[derive(Config, Options, Debug, PartialEq)]
pub struct LoopConfig {
    /// Optimiser steps.
    #[option(required, range = 1..)]
    pub steps: usize,
    /// Sequences per step.
    #[config(default = 32)]
    #[option(range = 1..=65536)]
    pub batch: usize,
    /// Parts of a batch that are run one after the other and whose gradients are added up before the step. Must divide batch. More parts take
    /// less memory; the loss is still the mean over the whole batch.
    #[config(default = 1)]
    #[option(range = 1..=65536)]
    pub accumulate: usize,
    /// Lengths that training starts at, one after the other, before the run's own: length x steps, such as ["32x500", "64x200"]. A run leaves
    /// out those from its own length on, so that one list serves a sweep of lengths.
    #[config(default = "vec![]")]
    #[option(most = 32)]
    pub curriculum: Vec<Stage>,
    /// Lengths that training takes besides the run's own: one of them all, drawn for each step. A run leaves out those from its own length on.
    #[config(default = "vec![]")]
    #[option(range = 1..=LONGEST_SEQ, most = 32)]
    pub mixed_lengths: Vec<usize>,
    /// Score on the validation examples at which training ends, checked every eval_every steps: at least this accuracy, or at most this
    /// error or number of bits. The learning rate falls as if all steps were run. 0: all steps are run.
    #[option(range = range::POSITIVE, none = 0.0)]
    pub stop_at: Option<f64>,
    /// Decay, per step, of an exponential moving average of the weights. The average is what is evaluated and kept. 0: no average is kept.
    #[option(range = DECAY, none = 0.0)]
    pub ema: Option<f64>,
    /// Steps between rows of the training loss.
    #[config(default = 10)]
    #[option(bookkeeping, range = 1..)]
    pub log_every: usize,
    /// Steps between evaluations on the validation examples, or on the test examples if there are none; 0 evaluates only at the end. Tests
    /// are otherwise at the end.
    #[option(bookkeeping, range = 1.., none = 0)]
    pub eval_every: Option<usize>,
    /// Steps between checkpoints, from which a killed run continues; 0 writes one only when the run is asked to stop.
    #[config(default = "Some(100)")]
    #[option(bookkeeping, range = 1.., none = 0)]
    pub checkpoint_every: Option<usize>,
}

impl LoopConfig {
    /// Sequences that are run at once.
    pub fn part(&self) -> usize {
        self.batch / self.accumulate
    }

    /// Everything that does not go together.
    pub fn refusals(&self) -> Vec<Refusal> {
        let Self { batch, accumulate, .. } = *self;
        self.refused_by(|| {
            let uneven = Refusal::when(!batch.is_multiple_of(accumulate), &["accumulate", "batch"], || {
                format!(
                    "accumulate = {accumulate} does not divide batch = {batch}; choose one of its divisors"
                )
            });
            uneven.into_iter().chain(self.idle_stop()).chain(self.two_orders()).collect()
        })
    }

    /// The lengths of training besides a run's own; `None` if there are none.
    pub fn lengths(&self, seq_len: usize) -> Option<Lengths> {
        let stages: Vec<Stage> =
            self.curriculum.iter().copied().filter(|stage| stage.seq_len < seq_len).collect();
        let mixed: Vec<usize> =
            self.mixed_lengths.iter().copied().filter(|length| *length < seq_len).collect();
        match (stages.is_empty(), mixed.is_empty()) {
            (true, true) => None,
            (false, _) => Some(Lengths::Curriculum(stages)),
            (true, false) => Some(Lengths::Mixed(mixed)),
        }
    }

    fn two_orders(&self) -> Option<Refusal> {
        let both = !self.curriculum.is_empty() && !self.mixed_lengths.is_empty();
        Refusal::when(both, &["mixed_lengths", "curriculum"], || {
            "curriculum and mixed_lengths are two orders of lengths; keep one of them".into()
        })
    }

    fn idle_stop(&self) -> Option<Refusal> {
        let (stop_at, never) = (self.stop_at.unwrap_or(0.0), self.eval_every.is_none());
        Refusal::when(self.stop_at.is_some() && never, &["stop_at", "eval_every"], || {
            format!("stop_at = {stop_at:?} is checked every eval_every steps; set eval_every, such as to 100")
        })
    }
}

/// How to train.
#[derive(Options, Clone, Debug, PartialEq)]
pub struct TrainConfig {
    /// The optimiser.
    #[option(flatten)]
    pub optim: OptimConfig,
    /// The training loop.
    #[option(flatten)]
    pub training_loop: LoopConfig,
    /// Share of activations dropped in training; 0 drops none. Mixers may drop something of their own.
    #[option(given, range = range::DROPPED)]
    pub dropout: f64,
    /// Seed of the dropout masks.
    #[option(given)]
    pub seed: u64,
}

impl TrainConfig {
    /// The learning rates of a group of parameters with this peak.
    pub fn schedule(&self, peak: f64) -> Schedule {
        let OptimConfig { warmup, final_lr, schedule, cooldown, .. } = self.optim;
        let steps = self.training_loop.steps;
        Schedule::new(peak, warmup, steps).with_decay(schedule, cooldown).with_final(final_lr)
    }

    /// Whether this can be run.
    ///
    /// # Errors
    /// The first number that is [out of its range](Options::out_of_range), or the first of the refusals of the
    /// [optimiser](OptimConfig::refusals) and the [loop](LoopConfig::refusals).
    pub fn check(&self) -> Result<(), Refusal> {
        Refusal::first(self.refused_by(|| [self.optim.refusals(), self.training_loop.refusals()].concat()))
    }
}
