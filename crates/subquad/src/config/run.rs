//! One run's settings as types.

use std::path::Path;

use subquad_config::{Combination, Run};
use subquad_data::{Task, TaskConfig, TaskError, VariedLengths};
use subquad_mixer::{Context, MeasuredMixer, Mixers, VisitMixers};
use subquad_model::ModelOptions;
use subquad_options::{Options, Pattern, Value, read_pattern};
use subquad_train::{LoopConfig, OptimConfig, TrainConfig};

/// Everything that one run needs to know, except its mixer, which only a registry can read.
#[derive(Debug, Clone, PartialEq)]
pub struct RunConfig {
    /// What is learned.
    pub task: TaskConfig,
    /// The model around the mixer.
    pub model: ModelOptions,
    /// The optimiser.
    pub optim: OptimConfig,
    /// The training loop.
    pub train: LoopConfig,
    /// Sequence length, in tokens.
    pub seq_len: usize,
    /// Seed of weights, data order and dropout.
    pub seed: u64,
    /// The longest sequence of the run's config, in training or in a test.
    longest: usize,
    /// The task at each of the training's other lengths, whose shares are of that length.
    others: Vec<(usize, TaskConfig)>,
}

impl RunConfig {
    /// The settings of a run.
    ///
    /// # Panics
    /// If the run's values are not those of the schema.
    pub fn of(run: &Run) -> Self {
        let section = |name: &'static str| run.section(name);
        let read = || {
            let train = LoopConfig::from_values(&section("train"))?;
            let others = train.lengths(run.size).map_or(vec![], |lengths| lengths.others());
            let other = |length| Some((length, task(&|key| run.value_at(key, length))?.0));
            Some(Self {
                task: task(&|key| run.value(key).cloned())?.0,
                others: others.into_iter().map(other).collect::<Option<_>>()?,
                model: ModelOptions::from_values(&section("model"))?,
                optim: OptimConfig::from_values(&section("optim"))?,
                train,
                seq_len: run.size,
                seed: run.seed,
                longest: run.largest,
            })
        };
        read().expect("a run has every key of the schema")
    }

    /// How the run trains.
    pub fn training(&self) -> TrainConfig {
        let Self { optim, train, model, seed, .. } = self;
        TrainConfig {
            optim: optim.clone(),
            training_loop: train.clone(),
            dropout: model.dropout,
            seed: *seed,
        }
    }

    /// The run's task, which trains at all of its lengths. Reads its data.
    ///
    /// # Errors
    /// If the data are missing, or not what they should be.
    pub fn open_task(&self) -> Result<Box<dyn Task>, TaskError> {
        let own = self.task.open(self.seq_len, self.seed)?;
        let Some(lengths) = self.train.lengths(self.seq_len) else { return Ok(own) };
        let others = self.others.iter().map(|(length, task)| task.open(*length, self.seed));
        let others = others.collect::<Result<Vec<_>, _>>()?;
        Ok(Box::new(VariedLengths::new(own, others, lengths, self.seed)))
    }

    /// The run's mixers, from a registry that has them.
    ///
    /// # Panics
    /// If it does not have them, or the run's values are not those of the schema.
    pub fn mixers<C: Mixers>(&self, run: &Run) -> Pattern<C> {
        names::<C>(&run.subject).expect("a run's subject is a pattern of mixers").map(|name| {
            let mut mixer =
                mixer::<C>(name, &|key| run.value(key).cloned()).expect("a run has every key of the schema");
            mixer.fit(&context(name, &self.model, self.seq_len, self.longest));
            mixer
        })
    }
}

/// The task that the keys name, and what is wrong with its path.
pub(super) fn task(
    value: &dyn Fn(&str) -> Option<Value>,
) -> Option<(TaskConfig, Option<subquad_options::Refusal>)> {
    let (name, path) = (value("task.name")?, value("task.path")?);
    let (name, path) = (name.as_text()?, path.as_text()?);
    TaskConfig::read(name, Path::new(path), &|leaf| value(&format!("task.{name}.{leaf}")))
}

/// The names of the mixers in a pattern, place by place.
pub(super) fn names<C: Mixers>(pattern: &str) -> Option<Pattern<&'static str>> {
    Pattern::new(read_pattern(pattern, &known::<C>())?)
}

/// The names of all mixers, without their options: every run of a sweep asks for them.
pub(super) fn known<C: Mixers>() -> Vec<&'static str> {
    let mut names = Names(vec![]);
    C::visit(&mut names);
    names.0
}

struct Names(Vec<&'static str>);

impl VisitMixers for Names {
    fn visit<C: MeasuredMixer>(&mut self) {
        self.0.push(C::NAME);
    }
}

/// The mixer of this name, as its keys have it.
pub(super) fn mixer<C: Mixers>(name: &str, value: &dyn Fn(&str) -> Option<Value>) -> Option<C> {
    C::read(name, &|leaf| value(&format!("mixer.{name}.{leaf}")))
}

/// What surrounds a mixer.
pub(super) fn context(mixer: &'static str, model: &ModelOptions, seq_len: usize, longest: usize) -> Context {
    Context { mixer, d_model: model.d_model, causal: model.causal, seq_len, longest }
}

/// The model options of a combination.
pub(super) fn model(combination: &Combination<'_>) -> Option<ModelOptions> {
    ModelOptions::from_values(&combination.section("model"))
}
