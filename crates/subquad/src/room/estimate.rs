//! The most memory that a run will want, from its config.
//!
//! ```text
//! floats = PARAMETERS n_parameters
//!        + tokens d_model (n_layers kept + TRANSIENT)        what forward keeps for backward, and what backward holds for a while,
//!                                                            or one test example, if that is longer than a whole batch
//!        + n_layers d_model seq_len FILTERS                  kernels as long as the sequence, once for the whole batch
//!        + labels outputs LOGITS
//! ```
//! The constants are measured ones of the fused forms, by the program's allocator, at a few thousand tokens and more; a test holds
//! them against peaks on record. Data, and what threads make once, are not in it: [`MARGIN`] is for them too.

use subquad_backend::DeviceKind;
use subquad_data::TaskConfig;
use subquad_model::{ChannelMixerConfig, Head, MixerConfig, ModelConfig};

use crate::assemble;
use crate::config::RunConfig;
use crate::execute::Setting;
use crate::plan::PlannedRun;

/// What a run may want above the estimate of its peak: data, tables of transforms, gaps between blocks of memory.
const MARGIN: f64 = 1.25;

/// Weights, two moments, gradients, and the weights and moments that replace them.
const PARAMETERS: f64 = 6.0;
/// Floats for each of the residual stream, while backward goes through one block.
const TRANSIENT: f64 = 8.0;
/// The same while a test example goes through one block: nothing is kept for backward.
const EVALUATED: f64 = 12.0;
/// A kernel or filter, its spectrum, their gradients.
const FILTERS: f64 = 8.0;
/// Logits, what their loss keeps, their gradients.
const LOGITS: f64 = 4.0;

/// The bytes that must be there for a run to start; 0 where its device has memory of its own, of which nothing is known.
pub(crate) fn wanted_bytes(run: &PlannedRun, setting: &Setting<'_>) -> u64 {
    match setting.device_kind {
        DeviceKind::Cpu => (MARGIN * peak_bytes(&run.resolved.config)) as u64,
        DeviceKind::Wgpu => 0,
    }
}

/// Roughly the most bytes alive in a run, the data aside.
fn peak_bytes(run: &RunConfig) -> f64 {
    let task = assemble::task(&run.task);
    let model = assemble::model_of(run, task.input(), task.target());
    let [batch, seq_len, d_model, n_layers] =
        [run.train.batch, run.seq_len, model.d_model, model.n_layers].map(|size| size as f64);
    let parameters = PARAMETERS * model.n_parameters() as f64;
    let trained = batch * seq_len * (n_layers * kept(&model) + TRANSIENT);
    let stream = d_model * trained.max(longest_test(&task) as f64 * EVALUATED);
    let filters = n_layers * d_model * seq_len * FILTERS;
    let logits = batch * labels(&model, &task, seq_len) * model.head.outputs() as f64 * LOGITS;
    (parameters + stream + filters + logits) * size_of::<f32>() as f64
}

/// Floats that a block keeps for each of the residual stream, with norms and residual connections.
fn kept(model: &ModelConfig) -> f64 {
    let sequence = match &model.mixer {
        MixerConfig::Attention(_) => 10.0,
        MixerConfig::S4d(config) => 8.0 + 2.0 * config.channels as f64,
        MixerConfig::S4(config) => 7.0 + 2.0 * config.channels as f64,
        MixerConfig::H3(config) => 12.0 + 2.0 * config.head_dim as f64,
        MixerConfig::Hyena(config) => 7.0 + 3.0 * config.order as f64,
        MixerConfig::M2(config) => {
            if config.residual {
                16.0
            } else {
                13.0
            }
        }
        MixerConfig::Monarch(_) => 16.0,
        MixerConfig::CausalMonarch(_) => 13.0,
    };
    sequence + kept_along_the_width(&model.channel_mixer) / model.d_model as f64
}

/// Floats that a channel mixer keeps for each token. In front of a gate there are two hidden widths.
fn kept_along_the_width(mixer: &ChannelMixerConfig) -> f64 {
    let (hidden, gated) = match mixer {
        ChannelMixerConfig::Dense(config) => (config.d_hidden, config.gated),
        ChannelMixerConfig::BlockDiagonal(config) => (config.d_hidden, config.gated),
        ChannelMixerConfig::Monarch(config) => (config.d_hidden, config.gated),
        ChannelMixerConfig::None => (0, false),
    };
    let each = if gated { 3.5 } else { 2.0 };
    each * hidden as f64
}

/// Tokens of the longest test example beside those of training's length.
fn longest_test(task: &TaskConfig) -> usize {
    match task {
        TaskConfig::Mqar(config) => config.test_conditions.iter().map(|size| size.seq_len).max().unwrap_or(0),
        TaskConfig::Digits
        | TaskConfig::Mnist(_)
        | TaskConfig::Bytes(_)
        | TaskConfig::MaskedBytes(_)
        | TaskConfig::Delay(_)
        | TaskConfig::Reconstruct(_) => 0,
    }
}

/// Labels of an example.
fn labels(model: &ModelConfig, task: &TaskConfig, seq_len: f64) -> f64 {
    match (model.head, task) {
        (Head::Pool { .. } | Head::Last { .. }, _) => 1.0,
        (Head::Token { .. }, TaskConfig::Mqar(config)) => config.n_pairs as f64,
        (Head::Token { .. }, TaskConfig::MaskedBytes(config)) => config.mask_share * seq_len,
        (
            Head::Token { .. },
            TaskConfig::Bytes(_)
            | TaskConfig::Delay(_)
            | TaskConfig::Digits
            | TaskConfig::Mnist(_)
            | TaskConfig::Reconstruct(_),
        ) => seq_len,
    }
}
