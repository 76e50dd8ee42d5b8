//! The model of a run on its task.

use burn::tensor::Device;
use subquad_config::Run;
use subquad_data::{FewTests, InputKind, TargetKind, TaskConfig};
use subquad_mixer::Mixers;
use subquad_model::{ChannelMixerConfig, Encoder, Head, ModelConfig, Pool};
use subquad_record::Memory;
use subquad_train::train;

use crate::Failure;
use crate::config::RunConfig;
use crate::study::PlannedRun;

/// The model of a run.
pub fn model<C: Mixers>(run: &Run, config: &RunConfig) -> ModelConfig<C> {
    let (task, options) = (&config.task, &config.model);
    let head = head(task.target(config.seq_len), options.pool);
    options.model(config.mixers(run), encoder(task.input()), head)
}

/// Floating-point operations of one of its training steps; `None` if one of its mixers does not say.
pub(crate) fn flops_per_step<C: Mixers>(run: &Run, config: &RunConfig) -> Option<f64> {
    let model = model::<C>(run, config);
    let labels = labels(model.head, &config.task, config.seq_len);
    // What is done once for a batch is done for every part.
    let of_part = model.training_flops(config.train.part(), config.seq_len, labels)?;
    Some(config.train.accumulate as f64 * of_part)
}

fn encoder(input: InputKind) -> Encoder {
    match input {
        InputKind::Reals { features } => Encoder::Linear { features },
        InputKind::Tokens { vocab } => Encoder::Embedding { vocab },
    }
}

/// The head that a task needs. A task with answers at tokens gets a head on every token.
fn head(target: TargetKind, pool: Pool) -> Head {
    match (target, pool) {
        (TargetKind::Tokens { classes: outputs } | TargetKind::TokenReals { outputs }, _) => {
            Head::Token { outputs }
        }
        (TargetKind::Sequence { classes: outputs }, Pool::Auto | Pool::Mean)
        | (TargetKind::SequenceReals { outputs }, Pool::Mean) => Head::Pool { outputs },
        (TargetKind::SequenceReals { outputs }, Pool::Auto | Pool::Last)
        | (TargetKind::Sequence { classes: outputs }, Pool::Last) => Head::Last { outputs },
    }
}

/// What is known about a run's model without its weights.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// How many numbers it learns.
    pub parameters: usize,
    /// Floats that one sequence keeps to decode one more token; `None` for a bidirectional model. Found with the memory of one
    /// block.
    pub state_floats: fn(&PlannedRun) -> Option<usize>,
    /// Floats that all blocks keep for each float of the residual stream in training, with norms and residual
    /// connections.
    pub(crate) kept: f64,
    /// Floats for each float of the residual stream while backward goes through one block.
    pub(crate) transient: f64,
    /// Floats of all blocks' kernels, once for the whole batch.
    pub(crate) kernels: f64,
    /// Labels of an example.
    pub(crate) labels: usize,
    /// Outputs per label.
    pub(crate) outputs: usize,
}

pub(crate) fn facts<C: Mixers>(run: &PlannedRun) -> Facts {
    let config = run.config();
    let model = model::<C>(&run.resolved, &config);
    let channels = model.channel_mixer.map(|mixer| {
        let (hidden, gated) = hidden(mixer);
        // Before a gate there are two hidden widths.
        let share = hidden as f64 / model.d_model as f64;
        (if gated { 3.0 } else { 2.0 } * share, share)
    });
    let blocks = || model.mixer.first(model.n_layers).zip(channels.first(model.n_layers));
    Facts {
        parameters: model.n_parameters(),
        state_floats: |run| state_floats::<C>(&run.resolved, &run.config()),
        kept: blocks().map(|(mixer, (kept, _))| mixer.kept() + kept).sum(),
        transient: blocks().map(|(_, (_, share))| 4.0 + 0.5 * share).fold(0.0, f64::max),
        kernels: blocks().map(|(mixer, _)| mixer.kernels(config.seq_len)).sum(),
        labels: labels(model.head, &config.task, config.seq_len),
        outputs: model.head.outputs(),
    }
}

/// The floats of the state, found with a model of one block for every place of the pattern.
pub(crate) fn state_floats<C: Mixers>(run: &Run, config: &RunConfig) -> Option<usize> {
    let model = model::<C>(run, config);
    let sizes = model.mixer.map(|mixer| {
        let channel_mixer = ChannelMixerConfig::None.into();
        let one_block =
            ModelConfig { n_layers: 1, mixer: mixer.clone().into(), channel_mixer, ..model.clone() };
        one_block.init(&Device::flex()).state_size(config.seq_len)
    });
    sizes.first(model.n_layers).copied().sum()
}

/// Hidden width of a channel mixer, and whether it ends in a gate.
fn hidden(mixer: &ChannelMixerConfig) -> (usize, bool) {
    match mixer {
        ChannelMixerConfig::Dense(config) => (config.d_hidden, config.gated),
        ChannelMixerConfig::Swiglu(config) => (config.d_hidden, true),
        ChannelMixerConfig::BlockDiagonal(config) => (config.d_hidden, config.gated),
        ChannelMixerConfig::Monarch(config) => (config.d_hidden, config.gated),
        ChannelMixerConfig::None => (0, false),
    }
}

fn labels(head: Head, task: &TaskConfig, seq_len: usize) -> usize {
    match head {
        Head::Pool { .. } | Head::First { .. } | Head::Last { .. } => 1,
        Head::Token { .. } => task.labels(seq_len),
    }
}

/// Trains a run for `steps` steps, keeping nothing.
///
/// # Errors
/// What went wrong.
pub(crate) fn smoke<C: Mixers>(run: &PlannedRun, steps: usize) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::failed(format!("{}: {error}", run.name));
    let config = run.config();
    let device = subquad_backend::open_device("cpu").map_err(Failure::failed)?.device;
    let task = config.open_task().map_err(|e| failed(&e))?;
    let model = model::<C>(&run.resolved, &config).init_seeded(config.seed, &device);
    let mut training = config.training();
    training.training_loop.steps = steps;
    let small_task = FewTests::new(&*task, training.training_loop.batch);
    train(model, &small_task, &training, &device, &mut Memory::default()).map_err(|e| failed(&e))?;
    Ok(())
}
