//! The loop: batch, loss, gradients, clip, step; rows to the sink.

use std::io;
use std::time::Instant;

use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Device;
use subquad_data::{Condition, HeldOut, Stream, Tally, Task};
use subquad_mixer::MixerModule;
use subquad_model::{Dropout, Input, MixerKind, SequenceModel};
use subquad_record::{Checkpoint, Row, Sink};

use crate::checkpoint::State;
use crate::clip::clip_global_norm;
use crate::loss::Loss;
use crate::tensors::{Answers, split};
use crate::{ResumeError, TrainConfig, evaluate};

/// A finished training.
#[derive(Debug)]
pub struct Trained<M = MixerKind> {
    /// The trained model, off autodiff; with [`ema`](crate::LoopConfig::ema), the average of its weights.
    pub model: SequenceModel<M>,
    /// Optimiser steps that were done: all, unless a score [stopped](crate::LoopConfig::stop_at) the training.
    pub steps: usize,
    /// All validation examples, after the last step; `None` if the task has none.
    pub validation: Option<Tally>,
    /// All test examples of the condition of training, after the last step.
    pub test: Tally,
    /// The same under the task's other test conditions.
    pub other_tests: Vec<(Condition, Tally)>,
    /// Seconds of the median step, over all steps of the task's own length, including those before a checkpoint; NaN if the training ended
    /// before them.
    pub step_seconds: f64,
}

/// Why a training ended early.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The loss, of training or test, is NaN or infinite. Its row has been given to the sink.
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
        /// The message from burn.
        message: String,
    },
    /// The sink asked to stop. It has been given a checkpoint of the step.
    #[error("stopped after step {step}")]
    Stopped {
        /// The last step that was finished, counted from 1.
        step: usize,
    },
    /// The sink failed.
    #[error(transparent)]
    Sink(#[from] io::Error),
}

/// Trains `model` (on `device`, off autodiff) on `task` for all steps, or until its validation score is reached, then evaluates it on the
/// validation examples and under all of the task's test conditions.
///
/// # Errors
/// See [`TrainError`].
///
/// # Panics
/// If [`TrainConfig::check`] fails.
pub fn train<M: MixerModule>(
    model: SequenceModel<M>,
    task: &dyn Task,
    config: &TrainConfig,
    device: &Device,
    sink: &mut dyn Sink,
) -> Result<Trained<M>, TrainError> {
    Training::new(model, task, config, device).run(sink)
}

/// A training with steps left: all, or those after a checkpoint.
pub struct Training<'a, M = MixerKind> {
    state: State<M>,
    /// Steps that are done.
    done: usize,
    task: &'a dyn Task,
    config: &'a TrainConfig,
    device: Device,
    dropout: Stream,
    mixer_dropout: Stream,
    validation: Option<Tally>,
    last_test: Tally,
    other_tests: Vec<(Condition, Tally)>,
}

impl<'a, M: MixerModule> Training<'a, M> {
    /// A training from the start.
    ///
    /// # Panics
    /// If [`TrainConfig::check`] fails.
    pub fn new(
        model: SequenceModel<M>,
        task: &'a dyn Task,
        config: &'a TrainConfig,
        device: &Device,
    ) -> Self {
        Self::at(State::new(model, checked(config)), 0, task, config, device)
    }

    /// Continues from a checkpoint of the same training, and ends with the same bits as an uninterrupted training.
    /// `model` gives structure and device; its weights are replaced.
    ///
    /// # Errors
    /// If the checkpoint is not one of this training.
    ///
    /// # Panics
    /// If [`TrainConfig::check`] fails.
    pub fn resume(
        model: SequenceModel<M>,
        task: &'a dyn Task,
        config: &'a TrainConfig,
        device: &Device,
        checkpoint: Checkpoint,
    ) -> Result<Self, ResumeError> {
        let done = checkpoint.step;
        Ok(Self::at(State::resume(model, checked(config), checkpoint)?, done, task, config, device))
    }

    fn at(
        state: State<M>,
        done: usize,
        task: &'a dyn Task,
        config: &'a TrainConfig,
        device: &Device,
    ) -> Self {
        let stream = |purpose| Stream::new(config.seed, purpose);
        let (dropout, mixer_dropout) = (stream("dropout"), stream("dropout/mixer"));
        Self {
            state,
            done,
            task,
            config,
            device: device.clone(),
            dropout,
            mixer_dropout,
            validation: None,
            last_test: Tally::default(),
            other_tests: vec![],
        }
    }

    /// Trains to the end, then evaluates on the validation examples and under all of the task's test conditions.
    ///
    /// # Errors
    /// See [`TrainError`].
    pub fn run(mut self, sink: &mut dyn Sink) -> Result<Trained<M>, TrainError> {
        for step in self.done + 1..=self.config.training_loop.steps {
            let tally = self.step(step)?;
            self.done = step;
            self.report(step, tally, sink)?;
            if self.has_reached() {
                break;
            }
            if sink.should_stop() && step < self.config.training_loop.steps {
                self.checkpoint(step, sink)?;
                return Err(TrainError::Stopped { step });
            }
        }
        Ok(self.finish())
    }

    /// One optimiser step; `step` counts from 1. The tally is of the batch, before the step.
    fn step(&mut self, step: usize) -> Result<Tally, TrainError> {
        let training_loop = &self.config.training_loop;
        let batch = self.task.train_batch(step - 1, training_loop.batch);
        let clock = Instant::now();
        let device = self.device.clone().autodiff();
        let parts: Vec<_> = batch.parts(training_loop.accumulate).map(|part| split(part, &device)).collect();
        let (tally, grads) = self.grads(step, parts);
        self.descend(grads);
        // A GPU keeps working while the host continues: without waiting, the next step would be charged for this one.
        self.device.sync().map_err(|e| TrainError::Device { step, message: e.to_string() })?;
        self.state.clock.step_took(clock.elapsed().as_secs_f64());
        Ok(tally)
    }

    /// What is counted of all parts of a batch, and the gradients of the mean over all of its labels.
    fn grads(&self, step: usize, parts: Vec<(Input, Answers)>) -> (Tally, GradientsParams) {
        let labels: usize = parts.iter().map(|(_, answers)| answers.len()).sum();
        let (mut tally, mut sum) = (Tally::default(), GradientsAccumulator::new());
        // The mean over no labels is NaN.
        let labelled =
            parts.into_iter().enumerate().filter(|(_, (_, answers))| labels == 0 || answers.len() > 0);
        for (part, (input, answers)) in labelled {
            let loss = self.loss(step, part, input, &answers);
            tally += loss.tally(&answers);
            let share = answers.len() as f64 / labels as f64;
            let loss = if answers.len() == labels { loss.mean } else { loss.mean * share };
            sum.accumulate(
                &self.state.model,
                GradientsParams::from_grads(loss.backward(), &self.state.model),
            );
        }
        (tally, sum.grads())
    }

    /// Of one part of a batch, with draws of its own for dropout.
    fn loss(&self, step: usize, part: usize, input: Input, answers: &Answers) -> Loss {
        let own = |index: usize| ((part as u64) << 32) + index as u64;
        let uniform = |site: usize, count: usize| {
            let mut draws = self.dropout.at(step as u64, own(site));
            (0..count).map(|_| draws.uniform()).collect()
        };
        let mixer_seed = |index: usize| self.mixer_dropout.at(step as u64, own(index)).next_u64();
        let dropout = Dropout::On { rate: self.config.dropout, uniform: &uniform, mixer_seed: &mixer_seed };
        Loss::new(&self.state.model, input, answers, &dropout)
    }

    fn descend(&mut self, mut grads: GradientsParams) {
        let State { model, optimiser, rates, average, .. } = &mut self.state;
        if let Some(limit) = self.config.optim.clip {
            clip_global_norm(model, &mut grads, limit);
        }
        *model = optimiser.step(rates.step(), model.clone(), grads);
        if let Some(average) = average {
            average.follow(model);
        }
    }

    /// Gives the sink the rows and the checkpoint that are due after `step`, and evaluates if that is due.
    fn report(&mut self, step: usize, tally: Tally, sink: &mut dyn Sink) -> Result<(), TrainError> {
        let training_loop = &self.config.training_loop;
        let last = step == training_loop.steps;
        let loss = tally.loss();
        if last || step == 1 || step.is_multiple_of(training_loop.log_every) || !loss.is_finite() {
            sink.row(&self.train_row(step, tally))?;
        }
        require_finite(step, loss)?;
        let due_now = last || due(training_loop.eval_every, step);
        if due_now {
            self.validate(step, sink)?;
        }
        let last = last || self.has_reached();
        if last || due_now && self.validation.is_none() {
            self.last_test = self.evaluate(HeldOut::Test(0));
            sink.row(&self.row(step, "test", self.last_test))?;
            require_finite(step, self.last_test.loss())?;
        }
        if last {
            self.test_others(step, sink)?;
        }
        // After the last step there is nothing to continue.
        if due(training_loop.checkpoint_every, step) && !last {
            self.checkpoint(step, sink)?;
        }
        Ok(())
    }

    fn validate(&mut self, step: usize, sink: &mut dyn Sink) -> Result<(), TrainError> {
        if self.task.validation_len() == 0 {
            return Ok(());
        }
        let tally = self.evaluate(HeldOut::Validation);
        self.validation = Some(tally);
        sink.row(&self.row(step, "validation", tally))?;
        require_finite(step, tally.loss())
    }

    /// Whether the latest validation score is the one at which to stop.
    fn has_reached(&self) -> bool {
        let (metric, goal) = (self.task.metric(), self.config.training_loop.stop_at);
        let reached = |(tally, goal): (Tally, f64)| match metric.info().lower_is_better {
            true => metric.of(&tally).value <= goal,
            false => metric.of(&tally).value >= goal,
        };
        self.validation.zip(goal).is_some_and(reached)
    }

    fn evaluate(&self, examples: HeldOut) -> Tally {
        let tokens = self.config.training_loop.part() * self.task.seq_len();
        evaluate(&self.state.evaluated(), self.task, examples, tokens, &self.device)
    }

    /// A model may fail under a condition that it was not trained for: that is a result.
    fn test_others(&mut self, step: usize, sink: &mut dyn Sink) -> Result<(), TrainError> {
        for (index, condition) in self.task.conditions().into_iter().enumerate().skip(1) {
            let tally = self.evaluate(HeldOut::Test(index));
            sink.row(&Row { condition: condition.name.clone(), ..self.row(step, "test", tally) })?;
            self.other_tests.push((condition, tally));
        }
        Ok(())
    }

    fn train_row(&self, step: usize, tally: Tally) -> Row {
        let TrainConfig { optim, training_loop, .. } = self.config;
        let seconds = self.state.clock.recent_median(training_loop.log_every);
        let schedule = self.config.schedule(optim.lr);
        Row {
            learning_rate: Some(schedule.rate(step - 1)),
            step_seconds: Some(seconds),
            tokens_per_second: Some((training_loop.batch * self.task.seq_len_at(step - 1)) as f64 / seconds),
            ..self.row(step, "train", tally)
        }
    }

    fn row(&self, step: usize, split: &str, tally: Tally) -> Row {
        Row {
            step,
            split: split.into(),
            condition: String::new(),
            loss: tally.loss(),
            score: Some(self.task.metric().of(&tally)),
            learning_rate: None,
            step_seconds: None,
            tokens_per_second: None,
            elapsed_seconds: self.state.clock.elapsed(),
        }
    }

    fn checkpoint(&self, step: usize, sink: &mut dyn Sink) -> io::Result<()> {
        let failed = |e| io::Error::other(format!("checkpoint at step {step}: {e}"));
        sink.checkpoint(step, &|| self.state.files().map_err(failed))
    }

    fn finish(self) -> Trained<M> {
        Trained {
            model: self.state.evaluated(),
            steps: self.done,
            validation: self.validation,
            test: self.last_test,
            other_tests: self.other_tests,
            step_seconds: self.state.clock.median(|step| self.task.seq_len_at(step) == self.task.seq_len()),
        }
    }
}

fn checked(config: &TrainConfig) -> &TrainConfig {
    config.check().unwrap_or_else(|e| panic!("TrainConfig: {e}"));
    config
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

#[cfg(test)]
mod tests {
    use burn::module::{Module, ModuleVisitor, Param};
    use burn::tensor::Tensor;
    use subquad_data::{Batch, DigitsConfig, Inputs, Targets, TaskOptions};
    use subquad_model::{Encoder, Head, MixerConfig, ModelOptions};
    use subquad_s4::S4dConfig;
    use subquad_testkit::cpu;

    use super::*;
    use crate::LoopConfig;

    const D_MODEL: usize = 8;
    const TOKENS: usize = 7;

    /// Six sequences with one label, none, three, one, none and seven.
    fn batch() -> Batch {
        let labels = [1, 0, 3, 1, 0, 7]
            .into_iter()
            .flat_map(|count| (0..TOKENS).map(move |token| (token < count).then_some((token % 5) as u32)));
        let tokens = (0..6 * TOKENS).map(|i| (i * i % 11) as u32);
        let (inputs, targets) = (Inputs::Tokens(tokens.collect()), Targets::Tokens(labels.collect()));
        Batch { batch: 6, seq_len: TOKENS, inputs, targets }
    }

    struct Values<'a>(&'a GradientsParams, Vec<f32>);

    impl ModuleVisitor for Values<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let grad: Tensor<D> = self.0.get(param.id).expect("every parameter has a gradient");
            self.1.extend(grad.into_data().iter::<f32>());
        }
    }

    /// What is counted, and all gradients.
    fn grads(accumulate: usize) -> (Tally, Vec<f32>) {
        let (encoder, head) = (Encoder::Embedding { vocab: 11 }, Head::Token { outputs: 5 });
        let mixer = MixerConfig::S4d(S4dConfig::new(D_MODEL).with_d_state(4)).into();
        let options = ModelOptions { d_model: D_MODEL, ..ModelOptions::default() };
        let model = subquad_testkit::with_seed(&cpu(), 0, || {
            options.model(mixer, encoder, head).init_seeded(0, &cpu())
        });
        let digits = DigitsConfig::default().open(64, 0).expect("they are embedded");
        let (optim, training_loop) = (crate::OptimConfig::new(), LoopConfig::new(1).with_batch(6));
        let config = TrainConfig { optim, training_loop, dropout: 0.0, seed: 0 };
        let training = Training::new(model, &*digits, &config, &cpu());
        let device = cpu().autodiff();
        let parts = batch().parts(accumulate).map(|part| split(part, &device)).collect();
        let (tally, grads) = training.grads(1, parts);
        let mut values = Values(&grads, vec![]);
        training.state.model.visit(&mut values);
        (tally, values.1)
    }

    /// Sums in another order: measured 1.4e-7 of the largest gradient; five times that.
    const SAME_SUM: f32 = 7e-7;

    #[test]
    fn gradients_of_parts_add_up_to_those_of_the_batch_however_many_labels_each_has() {
        let (tally, whole) = grads(1);
        let largest = whole.iter().fold(0.0, |largest: f32, grad| largest.max(grad.abs()));
        assert!(largest > 0.01 && tally.labels == 12);
        for accumulate in [2, 3, 6] {
            let (of_parts, parts) = grads(accumulate);
            assert_eq!((of_parts.labels, of_parts.correct), (tally.labels, tally.correct));
            assert!((of_parts.loss_sum - tally.loss_sum).abs() < 1e-5, "{of_parts:?} {tally:?}");
            let error = whole.iter().zip(&parts).fold(0.0, |error: f32, (a, b)| error.max((a - b).abs()));
            assert!(error < SAME_SUM * largest, "{accumulate} parts: {}", error / largest);
        }
    }
}
