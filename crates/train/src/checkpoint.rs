//! What a checkpoint contains, and how to resume from it.
//!
//! ```text
//! model.bpk        every parameter with its identity, which the optimiser's states refer to
//! optimiser.bpk    both moments and the step count of every parameter
//! clock.f64        seconds so far, then of each step
//! average.bpk      the average of the weights, if one is kept
//! ```
//! Nothing else carries over from step to step: batches, dropout masks and learning rates follow from the step's number.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::module::Module;
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::store::{ModuleRecord, RecordError};
use burn::tensor::Bytes;
use subquad_mixer::MixerModule;
use subquad_model::{MixerKind, SequenceModel};
use subquad_record::Checkpoint;

use crate::average::Average;
use crate::clock::Clock;
use crate::{TrainConfig, optimiser};

const MODEL: &str = "model.bpk";
const OPTIMISER: &str = "optimiser.bpk";
const CLOCK: &str = "clock.f64";
const AVERAGE: &str = "average.bpk";

/// A checkpoint does not belong to the training that should continue from it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the checkpoint of step {step} does not fit: {why}")]
pub struct ResumeError {
    /// The checkpoint's step.
    pub step: usize,
    /// What does not fit.
    pub why: String,
}

/// What changes from step to step.
pub(crate) struct State<M = MixerKind> {
    /// The model, on an autodiff device.
    pub(crate) model: SequenceModel<M>,
    pub(crate) optimiser: ModuleOptimizer,
    pub(crate) rates: ModuleLrScheduler,
    pub(crate) clock: Clock,
    /// The average of the model's weights over the steps, if one is kept.
    pub(crate) average: Option<Average<M>>,
}

impl<M: MixerModule> State<M> {
    /// The state at the start.
    pub(crate) fn new(model: SequenceModel<M>, config: &TrainConfig) -> Self {
        let (optimiser, rates) = optimiser::build(config, &model.parameter_groups(), 0);
        let average = config.training_loop.ema.map(|decay| Average::new(model.clone(), decay, 0));
        Self { model: model.train(), optimiser, rates, clock: Clock::new(), average }
    }

    /// The model to evaluate, off autodiff.
    pub(crate) fn evaluated(&self) -> SequenceModel<M> {
        self.average.as_ref().map_or_else(|| self.model.valid(), |average| average.model().clone())
    }

    pub(crate) fn files(&self) -> Result<BTreeMap<String, Vec<u8>>, RecordError> {
        let model = self.model.clone().into_record().into_bytes()?.to_vec();
        let optimiser = self.optimiser.into_bytes()?.to_vec();
        let mut files = vec![(MODEL, model), (OPTIMISER, optimiser), (CLOCK, self.clock.to_bytes())];
        if let Some(average) = &self.average {
            files.push((AVERAGE, average.model().clone().into_record().into_bytes()?.to_vec()));
        }
        Ok(files.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect())
    }

    /// The state at `checkpoint`. `model` gives the structure and the device; its weights are replaced.
    pub(crate) fn resume(
        model: SequenceModel<M>,
        config: &TrainConfig,
        mut checkpoint: Checkpoint,
    ) -> Result<Self, ResumeError> {
        let step = checkpoint.step;
        let refuse = |why: String| ResumeError { step, why };
        if step >= config.training_loop.steps {
            return Err(refuse(format!("the training has {} steps", config.training_loop.steps)));
        }
        let mut file = |name: &str| {
            let bytes = checkpoint.files.remove(name);
            bytes.ok_or_else(|| refuse(format!("it has no {name}")))
        };
        let (weights, moments, clock) = (file(MODEL)?, file(OPTIMISER)?, file(CLOCK)?);
        let average = config.training_loop.ema.map(|decay| Ok((decay, file(AVERAGE)?))).transpose()?;
        let average = average.map(|(decay, bytes)| {
            let model = with_weights(model.clone(), bytes).map_err(|e| refuse(e.to_string()))?;
            Ok(Average::new(model, decay, step))
        });
        let model = with_weights(model, weights).map_err(|e| refuse(e.to_string()))?;
        // This comes after the weights: the groups name parameters by the identities that come with them.
        let (optimiser, rates) = optimiser::build(config, &model.parameter_groups(), step);
        let optimiser = with_moments(optimiser, moments).map_err(|e| refuse(e.to_string()))?;
        let clock = Clock::from_bytes(&clock, step);
        let clock = clock.ok_or_else(|| refuse(format!("{CLOCK} is not of {step} steps")))?;
        Ok(Self { model: model.train(), optimiser, rates, clock, average: average.transpose()? })
    }
}

fn with_weights<M: Module>(model: M, bytes: Vec<u8>) -> Result<M, RecordError> {
    model.try_load_record(ModuleRecord::from_bytes(Bytes::from_bytes_vec(bytes))?)
}

fn with_moments(optimiser: ModuleOptimizer, bytes: Vec<u8>) -> Result<ModuleOptimizer, RecordError> {
    let record = OptimizerRecord::from_bytes(Bytes::from_bytes_vec(bytes))?;
    let tensors = record.len();
    // burn panics if a tensor of the record names no parameter, and offers no way to read the names first.
    let loaded = catch_unwind(AssertUnwindSafe(|| optimiser.load_record(record)));
    let optimiser =
        loaded.map_err(|_| RecordError::Validation("a part of the optimiser's state is damaged".into()))?;
    // burn leaves out what it cannot place, and would start that parameter's moments again from zero.
    match optimiser.to_record().len() == tensors {
        true => Ok(optimiser),
        false => {
            Err(RecordError::Validation("a part of the optimiser's state belongs to no parameter".into()))
        }
    }
}
