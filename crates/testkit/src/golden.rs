//! Published cases: one recorded run of a published layer in a `.safetensors` file.

use std::path::{Path, PathBuf};

use burn::tensor::TensorData;
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;
use subquad_mixer::published::{Case, CaseError, Replay, json};

use crate::{cpu, rel_error, to_f64, with_seed};

/// Largest relative error of an output. f32 against f64 usually stays below 1e-5.
pub const OUTPUT_LIMIT: f64 = 1e-4;
/// Largest relative error of a gradient: longer sums, so ten times the outputs'.
pub const GRADIENT_LIMIT: f64 = 1e-3;

/// Reads a case: metadata `layer` and `config`, parameters under `param.<name>`, and any other tensors.
///
/// # Errors
/// If the file cannot be read, is no safetensors file, says something twice, lacks the metadata, has a config that is no
/// object, or holds a tensor that is empty, or neither f32 nor, as tokens are, i32.
pub fn read(path: impl AsRef<Path>) -> Result<Case, GoldenError> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(|source| GoldenError::Io { path: path.into(), source })?;
    parse(&bytes).map_err(|problem| GoldenError::Format { path: path.into(), problem })
}

fn parse(bytes: &[u8]) -> Result<Case, String> {
    let (_, header) =
        SafeTensors::read_metadata(bytes).map_err(|e| format!("not a safetensors file: {e}"))?;
    json::check_header(bytes)?;
    let metadata = header.metadata().clone().unwrap_or_default();
    let entry = |key: &str| metadata.get(key).cloned().ok_or(format!("the metadata has no `{key}`"));
    let config = config(&entry("config")?)?;
    let mut case =
        Case { layer: entry("layer")?, config, parameters: Default::default(), tensors: Default::default() };
    let file = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
    for (name, view) in file.tensors() {
        let data = numbers(&name, view.dtype(), view.shape(), view.data())?;
        match name.strip_prefix("param.") {
            Some(parameter) => case.parameters.insert(parameter.into(), data),
            None => case.tensors.insert(name, data),
        };
    }
    Ok(case)
}

/// Keys and their values: of a list, options would be taken by their order.
fn config(text: &str) -> Result<Value, String> {
    match json::parse(text).map_err(|e| format!("metadata `config`: {e}"))? {
        object @ Value::Object(_) => Ok(object),
        _ => Err("metadata `config` is no object: wanted the options by name, as {\"d_model\": 8}".into()),
    }
}

fn numbers(name: &str, dtype: Dtype, shape: &[usize], bytes: &[u8]) -> Result<TensorData, String> {
    if bytes.is_empty() {
        return Err(format!("tensor `{name}` has shape {shape:?}, but a case has no empty tensors"));
    }
    let (words, _) = bytes.as_chunks::<4>();
    let words = words.iter();
    match dtype {
        Dtype::F32 => {
            let values: Vec<f32> = words.map(|word| f32::from_le_bytes(*word)).collect();
            Ok(TensorData::new(values, shape.to_vec()))
        }
        Dtype::I32 if may_be_integers(name) => {
            let values: Vec<i32> = words.map(|word| i32::from_le_bytes(*word)).collect();
            Ok(TensorData::new(values, shape.to_vec()))
        }
        _ => Err(format!("tensor `{name}` is {dtype:?}, but cases are F32, and tokens I32")),
    }
}

/// Tokens and what belongs to them, but nothing that layers compute with or leave.
fn may_be_integers(name: &str) -> bool {
    let (first, _) = name.split_once('.').unwrap_or((name, ""));
    !["param", "input", "output", "grad", "grad_output"].contains(&first)
}

/// How far one tensor of a replay is from the recorded one.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The tensor.
    pub name: String,
    /// `max |ours - recorded| / max |recorded|`; `None` if our layer did not compute it.
    pub error: Option<f64>,
    /// The largest error that counts as the same layer.
    pub limit: f64,
}

impl Comparison {
    /// Whether the tensors agree.
    pub fn agrees(&self) -> bool {
        self.error.is_some_and(|error| error <= self.limit)
    }
}

/// Compares every recorded tensor, but for the given ones (`input`, `grad_output` and whatever holds integers), with the replay.
pub fn compare(case: &Case, replay: &Replay) -> Vec<Comparison> {
    let is_given =
        |name: &str, data: &TensorData| ["input", "grad_output"].contains(&name) || data.dtype().is_int();
    let recorded = case.tensors.iter().filter(|(name, data)| !is_given(name, data));
    recorded.map(|(name, data)| comparison(name, data, replay.get(name))).collect()
}

fn comparison(name: &str, recorded: &TensorData, ours: Option<&TensorData>) -> Comparison {
    let limit = if name.starts_with("grad.") { GRADIENT_LIMIT } else { OUTPUT_LIMIT };
    let error = ours.map(|ours| match ours.shape() == recorded.shape() {
        true => rel_error(&to_f64(ours.clone()), &to_f64(recorded.clone())),
        false => f64::INFINITY,
    });
    Comparison { name: name.into(), error, limit }
}

/// Replays the case in `path` and asserts that every tensor agrees and every parameter was used.
///
/// # Panics
/// If the case cannot be read or replayed, a tensor differs, or a parameter is left.
pub fn check(path: impl AsRef<Path>, replay: impl Fn(&mut Case) -> Result<Replay, CaseError>) {
    let path = path.as_ref();
    let mut case = read(path).unwrap_or_else(|e| panic!("{e}"));
    // A layer may draw its parameters before it gets those of the case.
    let ours = with_seed(&cpu(), 0, || replay(&mut case));
    let ours = ours.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let wrong: Vec<_> = compare(&case, &ours).into_iter().filter(|c| !c.agrees()).collect();
    assert!(wrong.is_empty(), "{}: {wrong:#?}", path.display());
    let left: Vec<_> = case.parameters.keys().collect();
    assert!(left.is_empty(), "{}: parameters not used: {left:?}", path.display());
}

/// Why a file is no case.
#[derive(Debug, thiserror::Error)]
pub enum GoldenError {
    /// It cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// It is not a case.
    #[error("{}: {problem}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}
