//! The loop: batch, loss, gradients, clip, step; rows to the sink.

use std::io;
use std::time::Instant;

use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Device;
use subquad_data::{Stream, Task};
use subquad_model::{Dropout, SequenceModel};
use subquad_record::{Row, Sink};

use crate::clip::clip_global_norm;
use crate::score::{cross_entropy, score};
use crate::tensors::split;
use crate::{Score, TrainConfig, WarmupCosine, evaluate, optimiser};

/// A finished training.
#[derive(Debug)]
pub struct Trained {
    /// The trained model, off autodiff.
    pub model: SequenceModel,
    /// Score on the whole test split after the last step.
    pub test: Score,
    /// Seconds of the median step.
    pub step_seconds: f64,
}

/// Why a training ended early.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The loss, of training or test, is NaN or infinite. Its row has been handed to the sink.
    #[error("the loss became {loss} at step {step}; a lower learning rate or a longer warm-up may help")]
    NonFinite {
        /// The step, counted from 1.
        step: usize,
        /// The loss.
        loss: f64,
    },
    /// The device failed: a GPU reports what went wrong only when it is waited for.
    #[error("the device failed at step {step}: {message}")]
    Device {
        /// The step, counted from 1.
        step: usize,
        /// burn's words.
        message: String,
    },
    /// The sink asked to stop.
    #[error("stopped after step {step}")]
    Stopped {
        /// The last step that was finished, counted from 1.
        step: usize,
    },
    /// The sink failed.
    #[error(transparent)]
    Sink(#[from] io::Error),
    /// A checkpoint could not be made.
    #[error("checkpoint at step {step}: {message}")]
    Checkpoint {
        /// The step, counted from 1.
        step: usize,
        /// burn's words.
        message: String,
    },
}

/// Trains `model` (on `device`, off autodiff) on `task` for all steps, then evaluates it on the whole test split.
///
/// # Errors
/// See [`TrainError`].
///
/// # Panics
/// If [`TrainConfig::check`] fails.
pub fn train(
    model: SequenceModel,
    task: &dyn Task,
    config: &TrainConfig,
    device: &Device,
    sink: &mut dyn Sink,
) -> Result<Trained, TrainError> {
    config.check().unwrap_or_else(|e| panic!("TrainConfig: {e}"));
    let mut trainer = Trainer::new(model, task, config, device);
    for step in 1..=config.steps {
        let score = trainer.step(step)?;
        trainer.report(step, score, sink)?;
        if sink.should_stop() && step < config.steps {
            return Err(TrainError::Stopped { step });
        }
    }
    Ok(trainer.finish())
}

struct Trainer<'a> {
    model: SequenceModel,
    optimiser: ModuleOptimizer,
    rates: ModuleLrScheduler,
    task: &'a dyn Task,
    config: &'a TrainConfig,
    device: Device,
    dropout: Stream,
    started: Instant,
    step_seconds: Vec<f64>,
    last_test: Score,
}

impl<'a> Trainer<'a> {
    fn new(model: SequenceModel, task: &'a dyn Task, config: &'a TrainConfig, device: &Device) -> Self {
        let (optimiser, rates) = optimiser::build(config, &model.parameter_groups());
        Self {
            model: model.train(),
            optimiser,
            rates,
            task,
            config,
            device: device.clone(),
            dropout: Stream::new(config.seed, "dropout"),
            started: Instant::now(),
            step_seconds: Vec::new(),
            last_test: Score::default(),
        }
    }

    /// One optimiser step; `step` counts from 1. The score is of the batch, before the step.
    fn step(&mut self, step: usize) -> Result<Score, TrainError> {
        let batch = self.task.train_batch(step - 1, self.config.batch);
        let clock = Instant::now();
        let (input, labels) = split(batch, &self.device.clone().autodiff());
        let uniform = |site: usize, count: usize| self.uniform(step, site, count);
        let dropout = Dropout::On { rate: self.config.dropout, uniform: &uniform };
        let logits = labels.select(self.model.forward(input, &dropout));
        let loss = cross_entropy(logits.clone(), &labels);
        let mean = f64::from(loss.clone().into_scalar::<f32>());
        self.descend(GradientsParams::from_grads(loss.backward(), &self.model));
        // A GPU works on while the host goes on: without waiting, the next step would be charged for this one.
        self.device.sync().map_err(|e| TrainError::Device { step, message: e.to_string() })?;
        self.step_seconds.push(clock.elapsed().as_secs_f64());
        Ok(score(logits.inner(), &labels, mean))
    }

    fn uniform(&self, step: usize, site: usize, count: usize) -> Vec<f32> {
        let mut draws = self.dropout.at(step as u64, site as u64);
        (0..count).map(|_| draws.uniform()).collect()
    }

    fn descend(&mut self, mut grads: GradientsParams) {
        if let Some(limit) = self.config.clip {
            clip_global_norm(&self.model, &mut grads, limit);
        }
        self.model = self.optimiser.step(self.rates.step(), self.model.clone(), grads);
    }

    /// Rows, evaluation and checkpoint that are due after `step`.
    fn report(&mut self, step: usize, score: Score, sink: &mut dyn Sink) -> Result<(), TrainError> {
        let last = step == self.config.steps;
        let loss = score.loss();
        if last || step == 1 || step.is_multiple_of(self.config.log_every) || !loss.is_finite() {
            sink.row(&self.train_row(step, score))?;
        }
        require_finite(step, loss)?;
        if last || due(self.config.eval_every, step) {
            self.last_test = evaluate(&self.model.valid(), self.task, self.config.batch, &self.device);
            sink.row(&self.row(step, "test", self.last_test))?;
            require_finite(step, self.last_test.loss())?;
        }
        if due(self.config.checkpoint_every, step) {
            self.checkpoint(step, sink)?;
        }
        Ok(())
    }

    fn train_row(&self, step: usize, score: Score) -> Row {
        let seconds =
            median(&self.step_seconds[self.step_seconds.len().saturating_sub(self.config.log_every)..]);
        let schedule = WarmupCosine::new(self.config.lr, self.config.warmup, self.config.steps);
        Row {
            learning_rate: Some(schedule.rate(step - 1)),
            step_seconds: Some(seconds),
            tokens_per_second: Some((self.config.batch * self.task.seq_len()) as f64 / seconds),
            ..self.row(step, "train", score)
        }
    }

    fn row(&self, step: usize, split: &str, score: Score) -> Row {
        Row {
            step,
            split: split.into(),
            loss: score.loss(),
            accuracy: Some(score.accuracy()),
            learning_rate: None,
            step_seconds: None,
            tokens_per_second: None,
            elapsed_seconds: self.started.elapsed().as_secs_f64(),
        }
    }

    /// All that a later process needs to go on from here.
    fn checkpoint(&self, step: usize, sink: &mut dyn Sink) -> Result<(), TrainError> {
        let failed = |e: burn::store::RecordError| TrainError::Checkpoint { step, message: e.to_string() };
        let model = self.model.clone().into_record().into_bytes().map_err(failed)?;
        let optimiser = self.optimiser.into_bytes().map_err(failed)?;
        let rates = self.rates.to_record().into_bytes().map_err(failed)?;
        sink.checkpoint(
            step,
            &[("model.bpk", &model), ("optimiser.bpk", &optimiser), ("rates.bpk", &rates)],
        )?;
        Ok(())
    }

    fn finish(self) -> Trained {
        Trained { model: self.model.valid(), test: self.last_test, step_seconds: median(&self.step_seconds) }
    }
}

fn require_finite(step: usize, loss: f64) -> Result<(), TrainError> {
    match loss.is_finite() {
        true => Ok(()),
        false => Err(TrainError::NonFinite { step, loss }),
    }
}

fn due(every: Option<usize>, step: usize) -> bool {
    every.is_some_and(|every| step.is_multiple_of(every))
}

/// The middle value, the upper one of two; 0 of nothing.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}
