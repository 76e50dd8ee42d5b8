//! One recorded run of a published model: tokens to logits, and the gradients of all parameters.

use std::ops::Range;
use std::path::Path;

use burn::tensor::{Device, Int, Tensor, TensorData};
use subquad_backend::{Form, read};
use subquad_mixer::published::{Case, CaseError, Replay};
use subquad_monarch::published::Gathered;

use super::gather::gather;
use super::options::Options;
use crate::norm::normed;
use crate::{CheckpointError, Dropout, Input, M2BertConfig, SequenceModel};

/// PyTorch's label for a token that is not in the loss.
const IGNORED: i64 = -100;

/// Why a recorded run cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The run is not one of ours, or not complete.
    #[error(transparent)]
    Case(#[from] CaseError),
    /// The file with its weights is missing or does not fit its config.
    #[error("the weights of the run: {0}")]
    Weights(#[from] CheckpointError),
}

/// Runs M2-BERT with the weights of the checkpoint at `weights` on the recorded tokens, in `form`: `logits`, `loss`,
/// the outputs of the embeddings (`hidden.embeddings`) and of each layer (`hidden.layer.N`), and the gradients of
/// `sum(logits * grad_output)`. An attention mask has no effect, as published.
///
/// # Errors
/// If the config has options that ours lacks, or the run or the weights do not fit it.
pub fn replay_m2_bert(
    case: &mut Case,
    weights: &Path,
    form: Form,
    device: &Device,
) -> Result<Replay, ReplayError> {
    let device = device.clone().autodiff();
    let run = Run::read(case)?;
    let model = run.config.load(weights, &device)?.with_form(form);
    let mut replay = Replay::new();
    let logits = forward(&model, run.input(&device), &mut replay);
    let grad_output = case.grad_output(&logits, &device)?;
    if let Some(labels) = &run.labels {
        let loss = mean_cross_entropy(&logits, labels);
        replay.insert("loss".into(), TensorData::new(vec![loss as f32], [1]));
    }
    replay.insert("logits".into(), read(logits.clone()));
    let mut gradients = Gathered::gradients((logits * grad_output).sum().backward());
    gather(&mut gradients, &model);
    replay.extend(gradients.into_replay());
    Ok(replay)
}

/// Returns the logits, and adds the outputs of embeddings and layers to `replay`.
fn forward(model: &SequenceModel, input: Input, replay: &mut Replay) -> Tensor<3> {
    let mut h = model.encode(input, 0, &Dropout::Off);
    replay.insert("hidden.embeddings".into(), read(h.clone()));
    for (index, block) in model.blocks.iter().enumerate() {
        h = block.forward(h, &Dropout::Off, index);
        replay.insert(format!("hidden.layer.{index}"), read(h.clone()));
    }
    model.decode(model.transformed(normed(&model.norm, h), &Dropout::Off))
}

/// What was read, all within the config's sizes.
struct Run {
    config: M2BertConfig,
    /// `[batch, seq]`
    shape: [usize; 2],
    tokens: Vec<i64>,
    types: Option<Vec<i64>>,
    labels: Option<Vec<i64>>,
}

impl Run {
    fn read(case: &Case) -> Result<Self, CaseError> {
        let options = Options::of(case)?;
        let config = options.model();
        let shape = shape(case, &options, &config)?;
        let of = |name, known: Range<i64>| integers(case, name, shape, |value| known.contains(&value));
        let vocab = 0..size(config.vocab);
        Ok(Self {
            shape,
            tokens: of("input_ids", vocab.clone())?.ok_or_else(|| missing(case, "input_ids"))?,
            types: of("token_type_ids", 0..size(config.token_types))?,
            labels: integers(case, "labels", shape, |value| value == IGNORED || vocab.contains(&value))?,
            config,
        })
    }

    fn input(&self, device: &Device) -> Input {
        let tensor = |values: &[i64]| {
            let data = TensorData::new(values.to_vec(), self.shape);
            Tensor::<2, Int>::from_data(data, device)
        };
        match &self.types {
            Some(types) => Input::TypedTokens(tensor(&self.tokens), tensor(types)),
            None => Input::Tokens(tensor(&self.tokens)),
        }
    }
}

/// `[batch, seq]`: neither empty nor longer than the model reads.
fn shape(case: &Case, options: &Options, config: &M2BertConfig) -> Result<[usize; 2], CaseError> {
    let data = case.tensors.get("input_ids").ok_or_else(|| missing(case, "input_ids"))?;
    let got = data.shape().to_vec();
    let [batch, seq] = got[..] else {
        return Err(CaseError::Rank { name: "input_ids".into(), got, wanted: 2 });
    };
    let wanted = [options.batch.unwrap_or(batch.max(1)), options.length.unwrap_or(seq.max(1))];
    if got != wanted {
        return Err(CaseError::Shape { name: "input_ids".into(), got, wanted: wanted.to_vec() });
    }
    let longest = config.l_max.min(config.known_positions().unwrap_or(usize::MAX));
    match seq <= longest {
        true => Ok([batch, seq]),
        false => Err(invalid(case, format!("{seq} tokens, but the model reads at most {longest}"))),
    }
}

/// A tensor of integers, if there is one; `known` must allow each of them.
fn integers(
    case: &Case,
    name: &str,
    shape: [usize; 2],
    known: impl Fn(i64) -> bool,
) -> Result<Option<Vec<i64>>, CaseError> {
    let Some(data) = case.tensors.get(name) else { return Ok(None) };
    if data.shape().to_vec() != shape {
        let got = data.shape().to_vec();
        return Err(CaseError::Shape { name: name.into(), got, wanted: shape.to_vec() });
    }
    if !data.dtype().is_int() {
        return Err(invalid(case, format!("`{name}` holds {:?}, but tokens are I32", data.dtype())));
    }
    let values: Vec<i64> = data.iter::<i64>().collect();
    match values.iter().find(|value| !known(**value)) {
        Some(value) => Err(invalid(
            case,
            format!("`{name}` holds {value}, which is not one of the model's; compare the sizes"),
        )),
        None => Ok(Some(values)),
    }
}

/// No vector has more rows than this type can count.
fn size(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

fn missing(case: &Case, name: &str) -> CaseError {
    CaseError::Missing { name: name.into(), layer: case.layer.clone() }
}

fn invalid(case: &Case, message: String) -> CaseError {
    CaseError::Config { layer: case.layer.clone(), message }
}

/// The mean over labelled tokens; NaN if there are none, as in PyTorch.
fn mean_cross_entropy(logits: &Tensor<3>, labels: &[i64]) -> f64 {
    let vocab = logits.dims()[2];
    let logits: Vec<f64> = read(logits.clone()).iter::<f64>().collect();
    let labelled = logits.chunks(vocab).zip(labels).filter(|(_, label)| **label != IGNORED);
    let losses: Vec<f64> = labelled.map(|(row, label)| log_sum_exp(row) - row[*label as usize]).collect();
    losses.iter().sum::<f64>() / losses.len() as f64
}

fn log_sum_exp(row: &[f64]) -> f64 {
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + row.iter().map(|value| (value - largest).exp()).sum::<f64>().ln()
}
